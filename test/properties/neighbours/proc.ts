// What does the kernel say about a process (proc(5))? Its descriptors, its sockets, its
// memory, and the time that it had a core or waited for one. Linux alone has this.
import { readFile, readdir, readlink } from 'node:fs/promises'

/** True where all that is read here is there. */
export const HAS_PROC = await readFile('/proc/self/schedstat').then(() => true, () => false)

export interface Socket {
  readonly kind: 'tcp' | 'unix'
  /** Of TCP alone, as all that follows. */
  readonly isListening: boolean
  readonly localPort: number
  readonly remotePort: number
  /** Bytes that nobody has taken yet, received and sent. */
  readonly waiting: number
}

/** include/net/tcp_states.h */
const TCP_LISTEN = '0A'

/** All sockets of this machine, by their inodes. */
export async function readSockets (): Promise<Map<string, Socket>> {
  const found = new Map<string, Socket>()
  for (const file of ['tcp', 'tcp6']) {
    for (const [, local = '', remote = '', state = '', queues = '', , , , , inode = ''] of await rowsOf(file)) {
      if (inode === '0') continue // of nobody any more, such as TIME_WAIT
      const waiting = queues.split(':').reduce((sum, hex) => sum + parseInt(hex, 16), 0)
      const [localPort, remotePort] = [portOf(local), portOf(remote)]
      found.set(inode, { kind: 'tcp', isListening: state === TCP_LISTEN, localPort, remotePort, waiting })
    }
  }
  for (const [, , , , , , inode = ''] of await rowsOf('unix')) {
    found.set(inode, { kind: 'unix', isListening: false, localPort: 0, remotePort: 0, waiting: 0 })
  }
  return found
}

async function rowsOf (file: string): Promise<string[][]> {
  const text = await readFile(`/proc/net/${file}`, 'utf8').catch(() => '') // tcp6 may be missing
  return text.trimEnd().split('\n').slice(1).map(line => line.trim().split(/\s+/))
}

function portOf (address: string): number {
  return parseInt(address.slice(address.lastIndexOf(':') + 1), 16)
}

/** What each descriptor of a process leads to, such as `socket:[123]` or a file's path. */
export async function readDescriptors (pid: number): Promise<string[]> {
  const names = await readdir(`/proc/${pid}/fd`)
  const read = async (name: string): Promise<string[]> => {
    return await readlink(`/proc/${pid}/fd/${name}`).then(link => [link], () => [])
  }
  return (await Promise.all(names.map(read))).flat() // without those that have been closed meanwhile
}

export interface Process {
  readonly pid: number
  readonly parent: number
  /** As nice(1) has it. */
  readonly nice: number
  /** Milliseconds of a core that it has had so far, in all its threads. */
  readonly cpu: number
}

/** USER_HZ is 100 on every system that Node runs on. */
const TICK = 10

/** All processes of this machine. */
export async function readProcesses (): Promise<Process[]> {
  const names = (await readdir('/proc')).filter(name => /^\d+$/.test(name))
  const found = await Promise.allSettled(names.map(async name => await readProcess(Number(name))))
  return found.flatMap(each => each.status === 'fulfilled' ? [each.value] : []) // the others have ended meanwhile
}

/** The processes that this one has started. */
export async function readChildren (pid: number): Promise<number[]> {
  return (await readProcesses()).filter(({ parent }) => parent === pid).map(({ pid }) => pid)
}

export async function readProcess (pid: number): Promise<Process> {
  const stat = await readFile(`/proc/${pid}/stat`, 'latin1')
  const behindName = stat.slice(stat.lastIndexOf(')') + 2) // which may have spaces in it
  const fields = behindName.split(' ').map(Number)
  const [parent, user, system, nice] = [1, 11, 12, 16].map(at => fields[at]) as [number, number, number, number]
  return { pid, parent, nice, cpu: (user + system) * TICK }
}

/**
 * How much a process counts when cores are shared out: with autogroups (sched(7)) first its
 * group, then itself within that; smaller numbers first.
 */
export interface Standby { readonly group: string, readonly groupNice: number, readonly nice: number }

export async function readStandby ({ pid, nice }: Process): Promise<Standby> {
  const text = await readFile(`/proc/${pid}/autogroup`, 'latin1').catch(() => '')
  const [, group = '', groupNice = '0'] = /^(\S+) nice (-?\d+)/.exec(text) ?? []
  return { group, groupNice: Number(groupNice), nice }
}

/** Milliseconds of all cores together that whoever runs this machine has taken away so far. */
export async function readStolen (): Promise<number> {
  const first = (await readFile('/proc/stat', 'latin1')).split('\n', 1).join()
  return Number(first.split(/\s+/)[8] ?? 0) * TICK
}

/** Milliseconds that its main thread has waited for a core so far (Documentation/scheduler/sched-stats.rst). */
export async function readWait (pid: number): Promise<number> {
  return Number((await readFile(`/proc/${pid}/schedstat`, 'latin1')).split(' ')[1]) / 1e6
}

/** Bytes that it has in memory now, and the most that it had. */
export async function readMemory (pid: number): Promise<{ readonly now: number, readonly peak: number }> {
  const status = await readFile(`/proc/${pid}/status`, 'latin1')
  const bytes = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024
  return { now: bytes('VmRSS'), peak: bytes('VmHWM') }
}
