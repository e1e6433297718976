// The thread that understands large files for reading.ts, after everything that answers
// somebody: with as many workers as cores each of them has one.
import { constants, setPriority } from 'node:os'
import { parentPort, type MessagePort } from 'node:worker_threads'
import { piecesOf } from '../lib/pieces.ts'
import { understand, type Job } from './reading.ts'

const parent = parentPort as MessagePort

// On Linux a thread has a priority of its own (setpriority(2), C library/kernel
// differences), elsewhere the whole process.
/* c8 ignore next -- the other half is another system's */
if (process.platform === 'linux') setPriority(0, constants.priority.PRIORITY_BELOW_NORMAL)

async function work ({ task, pieces }: Job): Promise<void> {
  for (const piece of piecesOf({ ...await understand(task) })) pieces.postMessage(piece)
  parent.postMessage('done')
}

parent.on('message', (job: Job | undefined) => {
  if (job === undefined) parent.close()
  else void work(job)
})
