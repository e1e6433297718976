// Which cores may a process use?

/** The Cpus_allowed_list of /proc/PID/status, such as 0-3,8: proc(5). */
export function coresOf (status: string): number[] {
  const list = /^Cpus_allowed_list:\s*(\S+)/m.exec(status)?.[1] ?? ''
  return list.split(',').filter(part => part !== '').flatMap(part => {
    const [from = NaN, to = from] = part.split('-').map(Number)
    return Array.from({ length: to - from + 1 }, (_, i) => from + i)
  })
}
