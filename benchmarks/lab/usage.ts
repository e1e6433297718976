// What has a process used? As the system counts it (proc(5)).
import { readFile, writeFile } from 'node:fs/promises'

/** Microseconds of CPU, user and system: utime and stime, in hundredths of a second. */
export async function cpuOf (pid: number): Promise<number> {
  const [utime, stime] = (await readFile(`/proc/${pid}/stat`, 'utf8')).replace(/^.*\) /s, '').split(' ').slice(11, 13).map(Number) as [number, number]
  return (utime + stime) * 10_000
}

/** @param what VmRSS: now; VmHWM: the most that it had */
export async function mebibytesOf (pid: number, what: 'VmRSS' | 'VmHWM' = 'VmRSS'): Promise<number> {
  const kibibytes = new RegExp(`^${what}:\\s*(\\d+) kB$`, 'm').exec(await readFile(`/proc/${pid}/status`, 'utf8'))?.[1]
  if (kibibytes === undefined) throw new Error('the system does not say how much memory a process has')
  return Number(kibibytes) / 1024
}

/** From now on the most that it had is what it has. */
export async function forgetMost (pid: number): Promise<void> {
  await writeFile(`/proc/${pid}/clear_refs`, '5')
}
