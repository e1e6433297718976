// The thread that reads a chart with long texts for package.ts, and ends.
import { parentPort, workerData, type MessagePort } from 'node:worker_threads'
import { readStreamed, type ThreadTask } from './package.ts'

const { path, wanted } = workerData as ThreadTask
const port = parentPort as MessagePort
port.postMessage(await readStreamed(path, wanted, true))
