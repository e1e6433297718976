// Uploads charts for some seconds, on as many connections as there are charts, each one
// again and again: pushed, which is timed, and deleted, which is not.
import { Agent, request } from 'node:http'
import { readFileSync } from 'node:fs'
import { readTask, report } from './task.ts'

interface UploadTask {
  readonly origin: string
  readonly tenant: string
  /** A file with the Authorization header; empty: none. */
  readonly authorizationFile: string
  readonly charts: ReadonlyArray<{ readonly file: string, readonly name: string, readonly version: string }>
  readonly seconds: number
}

const { origin, tenant, authorizationFile, charts, seconds } = readTask<UploadTask>()
const authorization = readFileSync(authorizationFile, 'utf8')
const agent = new Agent({ keepAlive: true })

async function call (method: string, path: string, expected: number, body?: Buffer): Promise<void> {
  const headers = { ...(authorization === '' ? {} : { authorization }), ...(body === undefined ? {} : { 'content-length': body.length, 'content-type': 'application/octet-stream' }) }
  await new Promise<void>((resolve, reject) => {
    request(origin + path, { method, agent, headers }, response => {
      let text = ''
      response.setEncoding('utf8').on('data', (chunk: string) => { text += chunk }).on('error', reject).on('end', () => {
        if (response.statusCode === expected) resolve()
        else reject(new Error(`${method} ${path} is answered with ${String(response.statusCode)}: ${text.slice(0, 200)}`))
      })
    }).on('error', reject).end(body)
  })
}

/** The mean milliseconds of its pushes, and how many there were. */
async function repeat ({ file, name, version }: UploadTask['charts'][number]): Promise<{ mean: number, count: number }> {
  const body = readFileSync(file)
  const end = performance.now() + seconds * 1000
  let [spent, count] = [0, 0]
  while (count === 0 || performance.now() < end) {
    const from = performance.now()
    await call('POST', `/api/${tenant}/charts`, 201, body)
    spent += performance.now() - from
    count++
    await call('DELETE', `/api/${tenant}/charts/${name}/${version}`, 200)
  }
  return { mean: spent / count, count }
}

const all = await Promise.all(charts.map(repeat))
agent.destroy()
report({
  count: all.reduce((sum, { count }) => sum + count, 0),
  // With so many under way, one is done every mean / number milliseconds.
  rate: all.reduce((sum, { mean }) => sum + 1000 / mean, 0)
})
