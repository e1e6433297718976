// Does a read that began after a 201 ever lack the chart? One client pushes version after
// version, and others read the index all the time. One process does both, so that "began
// after" is the order in which it did things, and not a comparison of clocks.
import { Agent, request } from 'node:http'
import { readFileSync } from 'node:fs'
import { buffer } from 'node:stream/consumers'
import { smallArchive } from '../lab/charts.ts'
import { readTask, report } from './task.ts'

interface FreshnessTask {
  readonly origin: string
  readonly tenant: string
  /** A file with the Authorization header; empty: none. */
  readonly authorizationFile: string
  readonly pushes: number
  readonly readers: number
}

const { origin, tenant, authorizationFile, pushes, readers } = readTask<FreshnessTask>()
const authorization = readFileSync(authorizationFile, 'utf8')
const agent = new Agent({ keepAlive: true })
const SHOWN = 5

/** The versions that a 201 was read for, in order, and when. */
const saved: { version: string, at: number }[] = []
const found = { pushes: 0, reads: 0, readsAfter: 0, lacking: 0, gaps: [] as string[] }

async function call (method: string, path: string, expected: number, body?: Buffer): Promise<string> {
  const headers = { ...(authorization === '' ? {} : { authorization }), ...(body === undefined ? {} : { 'content-length': body.length, 'content-type': 'application/octet-stream' }) }
  return await new Promise((resolve, reject) => {
    request(origin + path, { method, agent, headers }, response => {
      buffer(response).then(content => {
        if (response.statusCode === expected) resolve(content.toString())
        else reject(new Error(`${method} ${path} is answered with ${String(response.statusCode)}: ${content.subarray(0, 200).toString()}`))
      }, reject)
    }).on('error', reject).end(body)
  })
}

async function push (): Promise<void> {
  for (let i = 0; i < pushes; i++) {
    const version = `0.0.${i}`
    const body = await smallArchive('fresh', version)
    await call('POST', `/api/${tenant}/charts`, 201, body)
    saved.push({ version, at: performance.now() })
    found.pushes++
  }
}

async function read (stillPushed: () => boolean): Promise<void> {
  while (stillPushed()) {
    const [began, due] = [performance.now(), saved.length]
    const text = await call('GET', `/${tenant}/index.yaml`, 200)
    found.reads++
    if (due === 0) continue
    found.readsAfter++
    const listed = new Set(Array.from(text.matchAll(/^ {4}version: (\S+)$/gm), match => match[1] as string))
    const lacks = saved.slice(0, due).filter(({ version }) => !listed.has(version))
    if (lacks.length === 0) continue
    found.lacking++
    if (found.gaps.length < SHOWN) found.gaps.push(lacks.map(({ version, at }) => `${version}, saved ${((began - at) * 1000).toFixed(0)} µs before the read began`).join('; '))
  }
}

let pushing = true
const reading = Array.from({ length: readers }, async () => { await read(() => pushing) })
await Promise.all([push().finally(() => { pushing = false }), ...reading])
agent.destroy()
report(found)
