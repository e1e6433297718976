// How many signatures can one core make? crypto.sign with the gateway's key, over as many
// bytes as a token has, and nothing else.
import { createPrivateKey, randomBytes, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readTask, report } from './task.ts'

const { keyFile, bytes, seconds } = readTask<{ keyFile: string, bytes: number, seconds: number }>()
const key = createPrivateKey(readFileSync(keyFile))
const input = randomBytes(bytes)
const from = performance.now()
let count = 0
while (performance.now() - from < seconds * 1000) {
  sign('sha256', input, key)
  count++
}
report({ rate: count / ((performance.now() - from) / 1000) })
