// Which tokens were exchanged before this process began, and which will the next one know of? A
// file has since when it is kept, and a line for each token, which is on the disk before anything
// is given for it. It is only added to, and written anew when most of it has ended. Without it
// another memory begins: a token of before counts nowhere then, so nothing is let in twice.
import { constants } from 'node:fs'
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import type { Clock } from '../lib/clock.ts'
import type { Outages } from '../lib/outages.ts'
import { createSpentMemory, type Shown, type Spent, type SpentToken, type Use } from './spent.ts'

export interface SpentFileOptions {
  readonly clock: Clock
  /** Hears what keeps it from being written. */
  readonly outages: Pick<Outages, 'report'>
  /** Lines that are added before it is written anew, if more than half of it is theirs. */
  readonly least?: number
}

export type OpenedSpent =
  | { readonly ok: true, readonly spent: Spent }
  | { readonly ok: false, readonly message: string }

const LEAST = 1_000

interface Waiting {
  readonly token: SpentToken
  readonly settle: (use: Use) => void
}

/** Reads it; it is made with the first token. It has to be this process's alone. */
export async function openSpentFile (file: string, options: SpentFileOptions): Promise<OpenedSpent> {
  const { clock } = options
  const nothing = { since: clock.wall() + 1, tokens: [] } // of this second some is over
  try {
    const read = readSpent(await readFile(file, 'utf8'), file)
    if (typeof read === 'string') return { ok: false, message: read }
    return { ok: true, spent: createSpent(file, read, options) }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    return code === 'ENOENT'
      ? { ok: true, spent: createSpent(file, nothing, options) }
      : { ok: false, message: `${file}: the file cannot be read (${code})` }
  }
}

/** What a file holds. */
interface Kept {
  /** Seconds since the epoch. */
  readonly since: number
  readonly tokens: readonly SpentToken[]
}

const SINCE = /^since (\d{1,12})$/
const TOKEN = /^(\d{1,12}) (\S+) ([\w-]+)$/

/** What is in it, or a sentence about what is wrong with it. */
function readSpent (text: string, file: string): Kept | string {
  // What stands behind the last line end was not on the disk when the machine stopped: nobody got anything for it.
  const [first = '', ...lines] = text.slice(0, text.lastIndexOf('\n') + 1).split('\n')
  const [, since] = SINCE.exec(first) ?? []
  const tokens = lines.slice(0, -1).map(line => {
    const [, end, provider, name] = TOKEN.exec(line) ?? []
    return { end: Number(end), provider: provider as string, name: name as string }
  })
  return since === undefined || tokens.some(({ end }) => Number.isNaN(end))
    ? `${file}: it has lines that no chartgate wrote, so nobody knows which tokens were exchanged: take it away, ` +
      'and of providers with exchangeOnce only tokens count that are issued from then on'
    : { since: Number(since), tokens }
}

function createSpent (file: string, kept: Kept, { clock, outages, least = LEAST }: SpentFileOptions): Spent {
  // What is ahead of the clock was written when that was wrong.
  const since = Math.min(kept.since, clock.wall() + 1)
  const memory = createSpentMemory(clock, clock.monotonic() - Math.max(0, clock.wall() - since))
  for (const token of kept.tokens) if (token.end >= clock.wall()) memory.add(token)
  /** Names of those that are on their way to the disk. */
  const pending = new Set<string>()
  const waiting: Waiting[] = []
  let isWriting = false
  /** Lines that were added to a file that this process has written as a whole; undefined: it has not yet. */
  let added: number | undefined

  async function store (tokens: readonly SpentToken[]): Promise<void> {
    const isSmall = added !== undefined && added < Math.max(least, memory.size())
    if (isSmall && await append(file, tokens.map(lineOf)).then(() => true, () => false)) {
      added = added as number + tokens.length
      return
    }
    added = undefined
    await replace(file, [`since ${since}\n`, ...[...memory.tokens(), ...tokens].map(lineOf)])
    added = 0
  }

  /** Those that come together share one write. */
  async function writeOut (): Promise<void> {
    isWriting = true
    while (waiting.length > 0) {
      const batch = waiting.splice(0)
      const hindrance = await store(batch.map(({ token }) => token)).then(() => undefined, codeOf)
      outages.report(hindrance === undefined ? undefined : `${file} cannot be written (${hindrance})`)
      for (const { token, settle } of batch) {
        pending.delete(token.name)
        if (hindrance === undefined) memory.add(token)
        settle(hindrance === undefined ? 'first' : 'unproved')
      }
    }
    isWriting = false
  }

  return {
    async spend (shown: Shown) {
      const { provider, name, seconds } = shown
      const use = pending.has(name) ? 'used' : memory.look(shown)
      if (use !== 'first') return use
      pending.add(name)
      const token = { provider, name, end: Math.ceil(clock.wall() + seconds) }
      return await new Promise(resolve => {
        waiting.push({ token, settle: resolve })
        if (!isWriting) void writeOut()
      })
    }
  }
}

function lineOf ({ end, provider, name }: SpentToken): string {
  return `${end} ${provider} ${name}\n`
}

/** On the disk when it resolves. @throws what the file system says, also when there is no such file */
async function append (file: string, lines: readonly string[]): Promise<void> {
  const handle = await open(file, constants.O_WRONLY | constants.O_APPEND)
  try {
    await handle.writeFile(lines.join(''))
    await handle.datasync()
  } finally {
    await handle.close()
  }
}

/** Whole, or as it was; on the disk when it resolves. @throws what the file system says */
async function replace (file: string, lines: readonly string[]): Promise<void> {
  const aside = `${file}.new`
  const handle = await open(aside, 'w', 0o600)
  try {
    await handle.writeFile(lines.join(''))
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(aside, file)
  const folder = await open(dirname(file), 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}

function codeOf (error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
