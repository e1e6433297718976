// A thread beside the one that answers, for what takes long to understand: it does one task
// after another, because each may take much memory, and stays for what comes soon, because
// its start costs more than most tasks. Who has many tasks waits for one of everybody else's
// between two of them. A thread that ends, or takes too long, takes down only what it was
// doing.
import { Worker } from 'node:worker_threads'

/** What a task came to: a value, or why there is none. */
export type Outcome<Value> =
  | { readonly value: Value }
  | { readonly error: { readonly code: string | undefined, readonly message: string } }

/** The thread ended during a task, for want of memory or time. */
export class ThreadEnded extends Error {}

/** Milliseconds that it stays without a task; it holds memory and descriptors. */
const IDLE = 500

/**
 * @param begin starts the thread, which answers each message with one Outcome
 * @param most milliseconds for one task
 * @returns gives it a task of somebody's; rejects with ThreadEnded, or with what the task failed of
 */
export function createSideThread<Task, Value> (
  begin: () => Worker,
  most: number
): (of: string, task: Task) => Promise<Value> {
  let thread: Worker | undefined
  let idle: NodeJS.Timeout | undefined
  let isBusy = false
  /** What waits, by whose it is, in the order of their turns. */
  const waiting = new Map<string, (() => void)[]>()

  function letGo (): void {
    const gone = thread
    thread = undefined
    void gone?.terminate()
  }

  async function run (task: Task): Promise<Value> {
    clearTimeout(idle)
    const used = thread ??= begin().on('error', () => {}) // `exit` says it too
    const tooLong = setTimeout(letGo, most)
    const outcome = await ask<Task, Value>(used, task)
      .catch((error: unknown) => {
        thread = undefined
        throw error
      })
      .finally(() => {
        clearTimeout(tooLong)
        idle = setTimeout(letGo, IDLE).unref()
      })
    if ('value' in outcome) return outcome.value
    throw Object.assign(new Error(outcome.error.message), { code: outcome.error.code })
  }

  async function turnOf (of: string): Promise<void> {
    if (!isBusy) {
      isBusy = true
      return
    }
    await new Promise<void>(resolve => {
      const theirs = waiting.get(of)
      if (theirs === undefined) waiting.set(of, [resolve])
      else theirs.push(resolve)
    })
  }

  function next (): void {
    const [first] = waiting
    isBusy = first !== undefined
    if (first === undefined) return
    const [of, [begin, ...more]] = first as [string, [() => void, ...(() => void)[]]]
    waiting.delete(of)
    if (more.length > 0) waiting.set(of, more)
    begin()
  }

  return async (of, task) => {
    await turnOf(of)
    return await run(task).finally(next)
  }
}

/** @throws ThreadEnded */
async function ask<Task, Value> (thread: Worker, task: Task): Promise<Outcome<Value>> {
  thread.ref() // a command waits for its answer
  try {
    return await new Promise((resolve, reject) => {
      thread.once('message', resolve).once('exit', () => { reject(new ThreadEnded('the thread ended')) })
      thread.postMessage(task)
    })
  } finally {
    thread.removeAllListeners('message').removeAllListeners('exit').unref()
  }
}
