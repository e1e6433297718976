// Who reads a changed file, while everybody is being answered? A small one is understood
// here, in a few milliseconds; a large one in a thread, which is made for it and let go:
// 5,000 accounts take two seconds, in which nobody else would be answered.
import { extname } from 'node:path'
import { MessageChannel, receiveMessageOnPort, Worker, type MessagePort } from 'node:worker_threads'
import { createCollector, type Piece } from '../lib/pieces.ts'
import { nextTurn } from '../lib/steps.ts'
import { accountsOf, type FileAccounts } from '../identity/sources/accounts-file.ts'
import { readAtRest, type FileText, type Stamps } from '../files/files.ts'
import type { Environment } from './environment.ts'
import { configOf, type ConfigResult } from './load.ts'
import type { Written } from './reloads.ts'

type Result = ConfigResult | FileAccounts

export interface ConfigReader {
  /** Of every file that was read, as it was then. */
  readonly stamps: Stamps
  /** What a file holds that somebody may be writing. */
  text (file: string): Promise<FileText>
  config (file: string, text: string, env: Environment, held?: Written): Promise<ConfigResult>
  accounts (file: string, text: string): Promise<FileAccounts>
  /** Lets the thread go, if there is one; nothing is asked any more. */
  close (): void
}

export type Task =
  | {
    readonly kind: 'config'
    readonly file: string
    readonly text: string
    readonly env: Environment
    readonly held: Written | undefined
  }
  | { readonly kind: 'accounts', readonly file: string, readonly text: string }

/** What the thread is sent; it says that it is done when every piece is on the port. */
export interface Job { readonly task: Task, readonly pieces: MessagePort }

/** Letters of a text that is understood here: a thread takes longer to begin than to understand so many. */
const SMALL_TEXT = 4_096
/** Beside this file, in the language that this one is in. */
const THREAD = new URL(`./reading-thread${extname(import.meta.url)}`, import.meta.url)

/** Understands a text, in whichever thread. */
export async function understand (task: Task): Promise<Result> {
  return task.kind === 'config'
    ? await configOf(task.file, task.text, task.env, task.held)
    : await accountsOf(task.file, task.text)
}

/** @param begin makes the thread, which need not be there for small files */
export function openReader (begin = (): Worker => new Worker(THREAD)): ConfigReader {
  const stamps = new Map<string, string>()
  let thread: Worker | undefined

  async function understood (task: Task): Promise<Result> {
    if (task.text.length <= SMALL_TEXT) return await understand(task)
    try {
      thread ??= begin()
      return await understoodBy(thread, task)
    } catch (error) { // no descriptors, no memory
      thread = undefined
      const { code, message } = error as NodeJS.ErrnoException
      const mistakes = [`${task.file}: the file cannot be read now (${code ?? message})`]
      return task.kind === 'config'
        ? { ok: false, mistakes, again: true }
        : { users: [], robots: [], mistakes, again: true }
    }
  }

  return {
    stamps,
    async text (file) {
      const read = await readAtRest(file)
      stamps.set(file, read.stamp)
      return read
    },
    async config (file, text, env, held) {
      return await understood({ kind: 'config', file, text, env, held }) as ConfigResult
    },
    accounts: async (file, text) => await understood({ kind: 'accounts', file, text }) as FileAccounts,
    close () { thread?.postMessage(undefined) }
  }
}

/** @throws what ended the thread */
async function understoodBy (thread: Worker, task: Task): Promise<Result> {
  const { port1, port2 } = new MessageChannel()
  try {
    thread.unref()
    await new Promise<void>((resolve, reject) => {
      thread
        .once('message', () => { resolve() })
        .once('error', reject)
        .once('exit', () => { reject(new Error('the thread that read it ended')) })
      thread.postMessage({ task, pieces: port2 } satisfies Job, [port2])
    })
    const { add } = createCollector<Result>()
    for (;;) {
      const result = add(receive(port1))
      if (result !== undefined) return result
      await nextTurn()
    }
  } finally {
    for (const event of ['message', 'error', 'exit']) thread.removeAllListeners(event)
    thread.on('error', () => {}) // of a thread that nobody waits for any more
    port1.close()
  }
}

/** The next one, which is there. */
function receive (port: MessagePort): Piece {
  return (receiveMessageOnPort(port) as { readonly message: Piece }).message
}
