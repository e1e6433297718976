// A thread beside the one that answers, for what takes long to understand: it does one task
// after another, because each may take much memory, and is kept, because its start costs
// more than most tasks. One that ends, or takes too long, takes down only what it was doing.
import { Worker } from 'node:worker_threads'

/** What a task came to: a value, or why there is none. */
export type Outcome<Value> =
  | { readonly value: Value }
  | { readonly error: { readonly code: string | undefined, readonly message: string } }

/** The thread ended during a task, for want of memory or time. */
export class ThreadEnded extends Error {}

/**
 * @param begin starts the thread, which answers each message with one Outcome
 * @param most milliseconds for one task
 * @returns gives it a task; rejects with ThreadEnded, or with what the task failed of
 */
export function createSideThread<Task, Value> (begin: () => Worker, most: number): (task: Task) => Promise<Value> {
  let thread: Worker | undefined
  let last: Promise<unknown> = Promise.resolve()

  async function run (task: Task): Promise<Value> {
    const tooLong = setTimeout(() => { void thread?.terminate() }, most)
    const outcome = await new Promise<Outcome<Value>>((resolve, reject) => {
      const ended = (cause: unknown): void => {
        thread = undefined
        reject(new ThreadEnded('the thread ended', { cause }))
      }
      thread ??= begin().on('error', () => {}) // it is heard of in `exit` too, and by whoever waits
      thread
        .removeAllListeners('message')
        .removeAllListeners('exit')
        .once('message', resolve)
        .once('exit', ended)
      thread.ref() // a command waits for its answer
      thread.postMessage(task)
    }).finally(() => { clearTimeout(tooLong) })
    thread?.unref()
    if ('value' in outcome) return outcome.value
    throw Object.assign(new Error(outcome.error.message), { code: outcome.error.code })
  }

  return async task => {
    const turn = last.then(async () => await run(task))
    last = turn.catch(() => {})
    return await turn
  }
}
