// The thread that reads a chart with long texts for package.ts, and ends.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { readStreamed, type ThreadTask } from './package.ts'

const { path, wanted } = workerData as ThreadTask
const toParent = parentPort as MessagePort
toParent.postMessage(await readStreamed(path, wanted, true))
