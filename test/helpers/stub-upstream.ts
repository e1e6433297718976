// A chart repository that answers what a test says and remembers what it was asked:
// the oracle for "the upstream saw nothing" and "the upstream saw exactly this".
import { createServer, type IncomingMessage, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

export interface SeenRequest {
  readonly method: string
  readonly target: string
  readonly headers: IncomingMessage['headers']
  readonly rawHeaders: readonly string[]
  readonly body: Buffer
}

export interface StubAnswer {
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Buffer
}

export interface StubUpstream {
  readonly origin: string
  readonly server: Server
  readonly seen: SeenRequest[]
  /** What is answered; by default ChartMuseum's 404. */
  answer: (request: SeenRequest) => StubAnswer | Promise<StubAnswer>
}

/** What ChartMuseum has for a tenant without charts. */
export const EMPTY_INDEX = 'apiVersion: v1\nentries: {}\ngenerated: "2026-11-23T23:27:29Z"\nserverInfo: {}\n'

interface Teardown { teardown (fn: () => unknown): unknown }

/** Starts it on loopback, and stops it with the test. */
export async function startStubUpstream (t: Teardown): Promise<StubUpstream> {
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = []
      for await (const chunk of request) chunks.push(chunk as Buffer)
      const seen = { method: request.method as string, target: request.url as string, headers: request.headers, rawHeaders: request.rawHeaders, body: Buffer.concat(chunks) }
      stub.seen.push(seen)
      const { status = 200, headers = {}, body = '' } = await stub.answer(seen)
      response.writeHead(status, headers).end(body)
    })().catch(() => { response.destroy() })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  const stub: StubUpstream = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    seen: [],
    answer: () => ({ status: 404, headers: { 'content-type': 'application/json; charset=utf-8' }, body: '{"error":"not found"}' })
  }
  return stub
}
