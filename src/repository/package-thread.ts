// The thread that reads charts with long texts for package.ts.
import { parentPort, type MessagePort } from 'node:worker_threads'
import { readStreamed, type PackageResult, type ThreadTask } from './package.ts'
import type { Outcome } from './side-thread.ts'

const toParent = parentPort as MessagePort

async function outcomeOf ({ path, wanted }: ThreadTask): Promise<Outcome<PackageResult | undefined>> {
  try {
    return { value: await readStreamed(path, wanted, true) }
  } catch (error) { // the file is gone, or closed to us
    const { code, message } = error as NodeJS.ErrnoException
    return { error: { code, message } }
  }
}

toParent.on('message', (task: ThreadTask) => {
  void outcomeOf(task).then(outcome => { toParent.postMessage(outcome) })
})
