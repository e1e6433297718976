// What does the gateway hold? Descriptors by what they are for, uploads in the spool and
// work that still runs; and whether all of that is back where it began when everybody has
// gone.
import { readdir } from 'node:fs/promises'
import { basename } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from './lab.ts'
import { readChildren, readDescriptors, readMemory, readProcess, readSockets, type Socket } from './proc.ts'

/** Descriptors of a process, by what they are for. */
export interface Counts {
  /** Connections of clients, in whatever state. */
  readonly clients: number
  /** Connections to the repository; where that is embedded, all Unix sockets, a few of which are for something else. */
  readonly upstream: number
  /** Of these, those with bytes that nobody takes. */
  readonly stuck: number
  /** Sockets of which nothing is left but their descriptor: the other end is gone, and here nobody has noticed. */
  readonly dead: number
  /** Charts and uploads that are open. */
  readonly files: readonly string[]
  /** All others. */
  readonly others: number
}

/** What a process holds. */
export interface Holding extends Counts, LabProcess {
  /** Bytes. */
  readonly memory: { readonly now: number, readonly peak: number }
}

export interface Standing {
  readonly holdings: readonly Holding[]
  /** Files in the spool. */
  readonly spool: number
}

/** Most connections of each worker to the repository (src/upstream/client.ts); idle ones live for 20 s. */
export const POOL = 128
/** Milliseconds after which no idle connection of the pool is left. */
export const POOL_REST = 24_000
/** Part of a core that a process which has nothing to do takes at most. */
const IDLE = 0.1
/** Milliseconds over which that is measured. */
const IDLE_WINDOW = 500

export interface LabProcess { readonly pid: number, readonly role: string }

/** The processes of the lab that are looked at, and what they are called. */
export async function processesOf ({ pid, setup, museum }: Lab): Promise<LabProcess[]> {
  const upstream = museum === undefined ? [] : [{ pid: museum.pid, role: 'ChartMuseum' }]
  if (setup.workers === 1) return [{ pid, role: 'gateway' }, ...upstream]
  const workers = (await readChildren(pid)).sort((a, b) => a - b)
  return [{ pid, role: 'primary' }, ...workers.map((pid, i) => ({ pid, role: `worker ${i + 1}` })), ...upstream]
}

export async function readStanding (lab: Lab): Promise<Standing> {
  const processes = await processesOf(lab)
  const before = await Promise.all(processes.map(async ({ pid }) => await readDescriptors(pid)))
  const sockets = await readSockets() // after the descriptors: none of those is too young to be here
  const after = await Promise.all(processes.map(async ({ pid }) => new Set(await readDescriptors(pid))))
  // What was closed meanwhile, as each look of the primary at the repository is, had an end.
  const links = before.map((each, i) => each.filter(link => (after[i] as Set<string>).has(link)))
  const memories = await Promise.all(processes.map(async ({ pid }) => await readMemory(pid)))
  const holdings = processes.map((each, i): Holding => {
    return { ...each, ...sort(links[i] as string[], lab, sockets), memory: memories[i] as Holding['memory'] }
  })
  return { holdings, spool: await countFiles(lab.folders.spool) }
}

/** Says of each descriptor what it is for. */
function sort (links: readonly string[], lab: Lab, sockets: ReadonlyMap<string, Socket>): Counts {
  const { museum, port, folders } = lab
  const inodes = links.flatMap(link => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? [])
  const own = inodes.flatMap(inode => sockets.get(inode) ?? [])
  const connected = own.filter(({ isListening }) => !isListening)
  const clients = connected.filter(({ localPort }) => localPort === port)
  const upstream = museum === undefined
    ? own.filter(({ kind }) => kind === 'unix')
    : connected.filter(({ localPort, remotePort }) => localPort === museum.port || remotePort === museum.port)
  const charts = links.filter(link => link.startsWith(`${folders.charts}/`)).map(link => basename(link))
  const uploads = links.filter(link => link.startsWith(`${folders.spool}/`)).map(() => 'an upload')
  const [dead, files] = [inodes.length - own.length, [...charts, ...uploads]]
  return {
    clients: clients.length,
    upstream: upstream.length,
    stuck: upstream.filter(({ waiting }) => waiting > 0).length,
    dead,
    files,
    others: links.length - clients.length - upstream.length - dead - files.length
  }
}

async function countFiles (folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter(entry => entry.isFile()).length
}

/** What a process should hold when nobody is there. */
export interface Baseline {
  /** Before the first client. */
  readonly fresh: Standing
  /** After some have been served well, and have gone. */
  readonly warm: Standing
}

/**
 * What is still held, as sentences.
 * @param pool whether idle connections to the repository may still be there
 */
export function leftBehind (now: Standing, baseline: Baseline, { pool }: { readonly pool: boolean }): string[] {
  const { fresh, warm } = baseline
  const most = pool ? POOL * now.holdings.length * 2 : 0 // of all workers, and where both ends are in one process, both
  const left = warm.holdings.flatMap((before, i) => {
    const held = now.holdings.find(({ pid }) => pid === before.pid)
    if (held === undefined) return [`${before.role} (${before.pid}) has ended`]
    return kept(held, before, (fresh.holdings[i] as Holding).upstream + most)
  })
  return [...left, ...now.spool > 0 ? [`${now.spool} files are in the spool`] : []]
}

/** Descriptors of what a process makes at its first use, and keeps, as that of a watch: a slow machine has not used all of it before. */
const MADE_ONCE = 3

/** What a process holds beyond what it may. */
function kept (held: Holding, before: Holding, upstream: number): string[] {
  const too: ReadonlyArray<readonly [count: number, most: number, what: string]> = [
    [held.clients, 0, 'connections of clients'],
    [held.dead, 0, 'sockets whose other end is gone'],
    [held.stuck, 0, 'connections to the repository with bytes that nobody takes'],
    [held.upstream, upstream, 'connections to the repository'],
    [held.files.length, 0, `open files (${tally(held.files)})`],
    [held.others, before.others + MADE_ONCE, 'other descriptors']
  ]
  return too.filter(([count, most]) => count > most).map(([count, most, what]) => {
    return `${held.role} has ${count} ${what}${most > 0 ? `, where ${most} is the most` : ''}`
  })
}

/** Parts of a core that processes with nothing to do take, as sentences: hashes and requests that run for nobody. */
export async function stillAtWork (lab: Lab): Promise<string[]> {
  const processes = await processesOf(lab)
  const before = await Promise.all(processes.map(async ({ pid }) => (await readProcess(pid)).cpu))
  await sleep(IDLE_WINDOW)
  const after = await Promise.all(processes.map(async ({ pid }) => (await readProcess(pid)).cpu))
  return processes.flatMap(({ role }, i) => {
    const part = ((after[i] as number) - (before[i] as number)) / IDLE_WINDOW
    return part > IDLE ? [`${role} takes ${Math.round(part * 100)} % of a core`] : []
  })
}

function tally (names: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1)
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ')
}
