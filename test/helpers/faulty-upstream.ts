// A repository whose answers fail when a test says so: everything is passed on to a real
// one, but for what is refused, cut before it arrives or cut when it has been done.
import { createServer, request as ask, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { buffer } from 'node:stream/consumers'

/** `500` is answered and not passed on, `cut` closes before it is, `lost` when it is done; `dead` closes, and whatever comes after it too. */
export type Fault = '500' | 'cut' | 'lost' | 'dead'

export interface FaultyUpstream {
  readonly origin: string
  /** Each request that came, `METHOD target`; a test may empty it. */
  readonly seen: string[]
  /** What becomes of a request; undefined passes it on. */
  fault: (request: string) => Fault | undefined | Promise<Fault | undefined>
}

export async function startFaultyUpstream (t: { teardown (fn: () => unknown): unknown }, origin: string): Promise<FaultyUpstream> {
  let dead = false
  const server = createServer((request, response) => {
    void (async () => {
      const name = `${request.method as string} ${request.url as string}`
      faulty.seen.push(name)
      const body = await buffer(request)
      const fault = dead ? 'dead' : await faulty.fault(name)
      dead = fault === 'dead'
      if (fault === '500') response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"no"}')
      else if (fault === undefined || fault === 'lost') await pass(origin, request, body, fault === 'lost' ? undefined : response)
      if (fault !== undefined && fault !== '500') response.destroy()
    })().catch(() => { response.destroy() })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  const faulty: FaultyUpstream = { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, seen: [], fault: () => undefined }
  return faulty
}

/** Asks the real one, and answers with what it says. */
async function pass (origin: string, { method, url, headers }: IncomingMessage, body: Buffer, response: ServerResponse | undefined): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const { 'transfer-encoding': _, ...rest } = headers
    ask(origin + (url as string), { method, headers: { ...rest, connection: 'close', ...(body.length > 0 ? { 'content-length': body.length } : {}) } }, answer => {
      buffer(answer).then(bytes => {
        response?.writeHead(answer.statusCode as number, { 'content-type': answer.headers['content-type'] ?? 'text/plain', 'content-length': bytes.length }).end(bytes)
        resolve()
      }, reject)
    }).on('error', reject).end(body)
  })
}
