// Do the threads of this process still work (libuv's pool: files, passwords, look-ups of
// names)? When all of them wait for something that does not come, as a disk or a pipe,
// nothing says so: the event loop goes on, and even an exit waits for them.
import { randomFill } from 'node:crypto'
import type { Watched } from './watched.ts'
import type { Every } from './timers.ts'

export interface Threads extends Watched {
  /** Asks them now; resolves when one has answered. */
  ask (): Promise<void>
  /** True when the last question has waited for longer than any work of theirs should take: an exit would wait too. */
  hang (): boolean
  close (): void
}

/** What is asked of a thread: a byte, which needs neither a disk nor a network. */
export type ThreadQuestion = (answered: () => void) => void

const ASK_EVERY = 1000
/** Milliseconds. */
export const HANG_AFTER = 1000
/** Seconds: above what the most expensive password hash takes that a file may have. */
const BOUND = 20

const ask: ThreadQuestion = answered => { randomFill(Buffer.alloc(1), answered) }

/** @param clock milliseconds of a clock that only goes on */
export function createThreads (
  every: Every,
  clock: () => number = () => performance.now(),
  question: ThreadQuestion = ask
): Threads {
  let asked: { readonly at: number, readonly answer: Promise<void> } | undefined
  let answers = 0

  async function askThem (): Promise<void> {
    asked ??= {
      at: clock(),
      answer: new Promise<void>(question).then(() => {
        asked = undefined
        answers++
      })
    }
    await asked.answer
  }

  return {
    name: 'the threads for files and passwords',
    bound: BOUND,
    waiting: () => asked === undefined ? 0 : 1,
    moves: () => answers,
    ask: askThem,
    hang: () => asked !== undefined && clock() - asked.at > HANG_AFTER,
    close: every(ASK_EVERY, () => { void askThem() })
  }
}
