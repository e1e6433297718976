// Who changes a file now? A lock file beside it, made with O_EXCL, so that of two commands
// at once the second one waits and then sees what the first one wrote. One whose process
// has died, or that is too old, is taken away; how long anybody waits is bounded.
import { randomUUID } from 'node:crypto'
import { open, readFile, rm, stat } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as rest } from 'node:timers/promises'

export type Held<T> =
  | { readonly ok: true, readonly value: T }
  | { readonly ok: false, readonly message: string }

/** Milliseconds. */
export interface LockTimes {
  /** How long the lock is waited for. */
  readonly wait: number
  /** When it is given up: no command takes so long. */
  readonly stale: number
}

const TIMES: LockTimes = { wait: 10_000, stale: 60_000 }
const PAUSE = 25

/**
 * Does something while nobody else holds this lock.
 * @param lock the lock file's name
 * @throws what the file system says, and what `work` throws
 */
export async function holdLockFile<T> (lock: string, work: () => Promise<T>, times = TIMES): Promise<Held<T>> {
  const until = performance.now() + times.wait
  while (!await take(lock)) {
    if (await takenAway(lock, times.stale)) continue
    if (performance.now() >= until) return { ok: false, message: await whoHolds(lock) }
    await rest(PAUSE)
  }
  try {
    return { ok: true, value: await work() }
  } finally {
    await rm(lock, { force: true })
  }
}

/** False when it is there already. */
async function take (lock: string): Promise<boolean> {
  try {
    const file = await open(lock, 'wx', 0o600)
    try {
      await file.writeFile(`${process.pid} ${hostname()} ${randomUUID()}\n`)
    } finally {
      await file.close()
    }
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

/**
 * Takes a lock away whose holder is gone. Who does so holds a second lock, or the next one's
 * new lock could be taken for the old one.
 */
async function takenAway (lock: string, stale: number): Promise<boolean> {
  const seen = await read(lock)
  if (seen === undefined || !isStale(seen, stale)) return false
  const second = `${lock}.stale`
  if (!await take(second)) return false
  try {
    if ((await read(lock))?.content === seen.content) await rm(lock)
    return true
  } finally {
    await rm(second, { force: true })
  }
}

interface Seen {
  readonly content: string
  /** Milliseconds. */
  readonly age: number
}

async function read (lock: string): Promise<Seen | undefined> {
  try {
    const [content, { mtimeMs }] = await Promise.all([readFile(lock, 'utf8'), stat(lock)])
    return { content, age: Date.now() - mtimeMs }
  } catch {
    return undefined
  }
}

function isStale ({ content, age }: Seen, stale: number): boolean {
  const [pid, host] = content.split(' ')
  // In a container that was started anew the number may be another process's.
  return age > stale || (host === hostname() && !isAlive(Number(pid)))
}

function isAlive (pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

async function whoHolds (lock: string): Promise<string> {
  const [pid, host] = (await read(lock))?.content.split(' ') ?? []
  const who = host === undefined ? 'somebody' : `process ${pid} on ${host}`
  return `${who} changes the file, and has not ended: try again, or remove ${lock} when there is no such process`
}
