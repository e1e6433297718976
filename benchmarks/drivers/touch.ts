// Asks for the index of so many tenants, once each, over some connections.
import { Agent, request } from 'node:http'
import { readFileSync } from 'node:fs'
import { readTask, report } from './task.ts'

interface TouchTask {
  readonly origin: string
  /** A file with the Authorization header. */
  readonly authorizationFile: string
  readonly tenants: number
  readonly connections: number
}

const { origin, authorizationFile, tenants, connections } = readTask<TouchTask>()
const authorization = readFileSync(authorizationFile, 'utf8')
const agent = new Agent({ keepAlive: true, maxSockets: connections })

async function ask (tenant: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    request(`${origin}/org1/t${tenant}/index.yaml`, { agent, headers: { authorization } }, response => {
      response.resume().on('end', () => { response.statusCode === 200 ? resolve() : reject(new Error(`it is answered ${String(response.statusCode)}`)) })
    }).on('error', reject).end()
  })
}

let next = 0
const from = performance.now()
await Promise.all(Array.from({ length: connections }, async () => {
  while (next < tenants) await ask(next++)
}))
agent.destroy()
report({ seconds: (performance.now() - from) / 1000 })
