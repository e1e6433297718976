// How is a worker process made (node:cluster), and how does a worker speak to its primary?
// Everything else of the workers is told what a process is, and can be tried without one.
import type { ChildProcess } from 'node:child_process'
import cluster from 'node:cluster'
import { passLines } from './lines.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'
import type { WorkerProcess } from './pool.ts'

/** One listener for each worker, and one for each room that hears them: no leak, however many that are. */
const ANY_NUMBER = 0

/* c8 ignore start -- a worker runs the program that this one was started as, which is no test */
/** Starts the program that this process runs once more, with the same arguments, as a worker. */
export function forkWorker (write: (lines: string) => void): WorkerProcess {
  // Workers take connections from the one listening socket themselves. When the primary hands
  // them out (Node's other way), it does one to a worker in a turn of its own and one of the
  // worker's, so that somebody's five hundred keep everybody else waiting for seconds, and a
  // worker that hangs or dies keeps those that were handed to it.
  cluster.schedulingPolicy = cluster.SCHED_NONE
  cluster.setupPrimary({ stdio: ['ignore', 'pipe', 'inherit', 'ipc'] })
  const worker = cluster.fork()
  worker.on('error', () => {}) // its end follows
  return workerProcess(worker.process, write)
}

/** True in a worker. */
export const IS_WORKER = cluster.isWorker

/** The worker's own end of the line. When the primary is gone, Node ends the worker. */
export const PRIMARY: Channel<ToWorker, ToPrimary> = {
  // Without somebody who hears of a line that breaks, its error is nobody's, and ends with a stack.
  send (message) { process.send?.(message, undefined, undefined, () => {}) },
  receive (handler) { process.setMaxListeners(ANY_NUMBER).on('message', handler) }
}
/* c8 ignore stop */

/** A child process with a line to it. @param write gets what it logs, in whole lines */
export function workerProcess (child: ChildProcess, write: (lines: string) => void): WorkerProcess {
  // Not even a worker that hangs outlives this process, unless that is killed itself.
  const kill = (): void => { child.kill('SIGKILL') }
  process.setMaxListeners(ANY_NUMBER).once('exit', kill)
  child.setMaxListeners(ANY_NUMBER)
  if (child.stdout !== null) passLines(child.stdout, write)
  let waiting = 0
  let whenTaken: (() => void)[] = []
  // Also of what cannot be sent: who cannot be reached has ended, or will.
  const sent = (): void => {
    if (--waiting > 0) return
    for (const run of whenTaken) run()
    whenTaken = []
  }
  return {
    pid: child.pid,
    kill,
    send (message) {
      waiting++
      child.send(message, sent)
    },
    async taken () { if (waiting > 0) await new Promise<void>(resolve => { whenTaken.push(resolve) }) },
    receive (handler) { child.on('message', handler) },
    onEnd (handler) {
      child.once('close', (code, signal) => {
        process.removeListener('exit', kill)
        handler(code, signal)
      })
    }
  }
}
