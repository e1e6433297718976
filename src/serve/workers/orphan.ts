// What becomes of a worker whose primary is gone? Its event loop hears of it, and Node ends
// it; one whose event loop stands still, or that waits in its own exit, would live on with
// its clients. So a thread looks, which has nothing else to do and which nothing of that
// holds up.
import { Worker } from 'node:worker_threads'

/**
 * Twice a second: less than two seconds after its primary, none is left. A process whose
 * parent has gone has another.
 */
const WATCH = `
const { workerData: parent } = require('node:worker_threads')
setInterval(() => { if (process.ppid !== parent) process.kill(process.pid, 'SIGKILL') }, 500)
`

/** Kills this process when its parent has gone, whatever it is doing then. */
export function endWithParent (): void {
  new Worker(WATCH, { eval: true, workerData: process.ppid, env: {}, execArgv: [] }).unref()
}
