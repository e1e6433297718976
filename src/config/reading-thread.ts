// The thread that understands large files for reading.ts.
import { parentPort, type MessagePort } from 'node:worker_threads'
import { piecesOf } from './pieces.ts'
import { understand, type Job } from './reading.ts'

const parent = parentPort as MessagePort

async function work ({ task, pieces }: Job): Promise<void> {
  for (const piece of piecesOf(await understand(task))) pieces.postMessage(piece)
  parent.postMessage('done')
}

parent.on('message', (job: Job | undefined) => {
  if (job === undefined) parent.close()
  else void work(job)
})
