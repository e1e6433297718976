// What a client reads when the process has no file descriptor left: to ask the repository
// with, or to keep an upload in.
import { readdir } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import t, { type Test } from 'tap'
import { startGateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { findProgram, run } from '../helpers/processes.ts'
import { askRaw, openRaw, type RawResponse } from '../helpers/raw.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { until } from '../helpers/until.ts'

/** An upstream that keeps no connection, so that each request needs a new one. */
async function startUpstream (t: Test): Promise<string> {
  const server = createServer((request, response) => { request.resume().on('end', () => { response.writeHead(404, { connection: 'close' }).end('{"error":"not found"}') }) })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

async function runOut (t: Test): Promise<void> {
  const key = newMasterKey()
  const gateway = await startGateway(t, { masterKey: key, upstream: { url: await startUpstream(t) } })
  const port = Number(new URL(gateway.url).port)
  const auth = `Host: x\r\nAuthorization: Bearer ${key}\r\n`
  const chart = await chartOf('a', '1.0.0')
  const push = Buffer.concat([Buffer.from(`POST /api/org1/repo1/charts HTTP/1.1\r\n${auth}Content-Length: ${chart.length}\r\n\r\n`), chart])
  const get = (path: string): Buffer => Buffer.from(`GET ${path} HTTP/1.1\r\n${auth}\r\n`)
  const requests = [get('/org1/repo1/index.yaml'), get('/org1/repo1/charts/a-1.0.0.tgz'), get('/api/org1/repo1/charts'), push]
  for (const request of requests) await askRaw(port, request) // whatever is opened once is open now
  // A new one gets the lowest number that is free (open(2)), and none that is as high as the limit (getrlimit(2)).
  const lowestFree = async (): Promise<number> => {
    const used = new Set((await readdir(`/proc/${gateway.pid}/fd`)).map(Number))
    let free = 0
    while (used.has(free)) free++
    return free
  }
  const limit = async (count: number): Promise<void> => {
    const { code, stderr } = await run('prlimit', ['--pid', String(gateway.pid), `--nofile=${count}:20000`])
    if (code !== 0) throw new Error(stderr)
  }
  for (const request of requests) {
    const { socket, text, received } = await openRaw(t, port)
    await askRaw(port, 'GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
    let last = NaN
    await limit(await until(async () => {
      const [before, now] = [last, await lowestFree()]
      last = now
      return before === now ? now : undefined
    }))
    socket.write(request)
    await received(/"error":"[^"]*"/)
    await limit(10_000)
    socket.destroy()
    t.match(text(), /^HTTP\/1\.1 503 [^]*\r\nretry-after: 5\r\n[^]*"error":"the gateway has no file descriptors left/i, String(/^.*/.exec(request.toString('latin1'))))
  }
  t.match(gateway.stdout(), /"reason":"no_descriptors"/)
  t.match(gateway.stdout(), /EMFILE/, 'and the log says what it was')
  const answers: RawResponse[] = []
  for (const request of requests) answers.push(await askRaw(port, request))
  t.same(answers.map(({ status }) => status), [404, 404, 404, 404], 'and when there are some again, everything goes on')
}

if (await findProgram('prlimit') === undefined) await notTried(t, 'a process without file descriptors', 'there is no prlimit')
else await t.test('a process without file descriptors says so, and when to come again', runOut)
