// When does a process that serves end? On SIGTERM or SIGINT, after what runs has ended
// or its time is up; on no other signal that is sent to it.
import { setTimeout as sleep } from 'node:timers/promises'
import closeWithGrace from 'close-with-grace'
import { DRAIN_LIMIT } from '../app.ts'
import { HANG_AFTER, type Threads } from '../lib/threads.ts'
import { closeDebugger } from './signals.ts'

export interface Stoppable {
  /** Lets what runs end, and closes everything; false when something of it did not end well. */
  readonly stop: () => Promise<boolean>
  /** Milliseconds for which that serves as before, until whoever sends clients has noticed; asked when it begins. */
  readonly delay?: () => number
  /** Says what is still running, because the process ends now. */
  readonly logCutOff: () => void
  /** Reads again what can be read again, changed or not, and says so in the log. */
  readonly reread: () => void
  /** Those of the process, for which an exit waits. */
  readonly threads: Threads
}

export interface Until {
  /** Milliseconds behind the delay. */
  readonly limit?: number
  /** Somebody else who may say that it is time. */
  readonly asked?: Promise<unknown>
  /** False in a worker, whose primary says it: a signal to all of them is one wish. */
  readonly rereads?: boolean
}

/**
 * What close-with-grace would end for, too; what a processor or a debugger sends is to end
 * the process as it would any other.
 */
const NO_END = ['SIGHUP', 'SIGQUIT', 'SIGUSR2', 'SIGILL', 'SIGTRAP', 'SIGABRT', 'SIGBUS', 'SIGFPE', 'SIGSEGV'] as const

/* c8 ignore start -- its end is the process's own: tests start and stop one */
/** Resolves when a signal came and `stop` is done; a second signal ends the process at once. */
export async function untilSignal (
  { stop, delay = () => 0, logCutOff, reread, threads }: Stoppable,
  { limit = DRAIN_LIMIT, asked, rereads = true }: Until = {}
): Promise<void> {
  void closeDebugger()
  if (rereads) process.on('SIGHUP', reread)
  await new Promise<void>(resolve => {
    let closing = false
    // Its own limit is fixed before anybody knows the delay.
    const { close } = closeWithGrace({ delay: false, skip: [...NO_END] }, async ({ err }) => {
      closing = true
      setTimeout(() => {
        logCutOff()
        process.exit(1)
      }, delay() + limit).unref()
      endWithoutThreads(threads)
      if (err !== undefined) say('an error that nobody expected, and so it ends', err)
      const endedWell = await stop().catch((error: unknown) => {
        say('it could not end well', error)
        return false
      })
      await Promise.race([threads.ask(), sleep(2 * HANG_AFTER)])
      if (!endedWell) process.exit(1)
      resolve()
    })
    void asked?.then(() => { if (!closing) close() })
  })
}

/**
 * An exit waits for every thread, also for one that waits for a disk or a pipe without
 * end. Last of all that is done at the exit.
 */
function endWithoutThreads (threads: Threads): void {
  process.once('exit', () => {
    if (!threads.hang()) return
    process.kill(process.pid, 'SIGKILL')
    process.abort() // the first process of a container, which no signal ends
  })
}

/** One sentence and where it happened, without what libraries hang on errors (see http/log-error.ts). */
function say (what: string, error: unknown): void {
  process.stderr.write(`chartgate: ${what}: ${error instanceof Error ? error.stack ?? error.message : String(error)}\n`)
}
/* c8 ignore stop */
