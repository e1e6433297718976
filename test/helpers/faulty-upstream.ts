// A repository whose answers fail when a test says so: everything is passed on to a real
// one, but for what is refused, cut before it arrives, or done and answered in a way in
// which nobody should.
import { once } from 'node:events'
import { createServer, request as ask, type IncomingMessage } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { buffer } from 'node:stream/consumers'

type AfterIt = (socket: Socket, head: string, body: Buffer) => void

/** What becomes of an answer, when the request has been done. */
const AFTER = {
  lost: socket => { socket.destroy() },
  hang: () => {},
  reset_in_head: (socket, head) => { socket.write(head.slice(0, 20), () => { socket.resetAndDestroy() }) },
  reset_in_body: (socket, head, body) => { socket.write(head); socket.write(half(body), () => { socket.resetAndDestroy() }) },
  slow_head: (socket, head) => { drip(socket, Buffer.from(head)) },
  slow_body: (socket, head, body) => { socket.write(head); drip(socket, half(body)) },
  garbage: socket => { socket.end(Buffer.from('\x16\x03\x01\0\xff\r\n\r\n'.repeat(100), 'latin1')) },
  /** More is announced than comes. */
  too_short: (socket, head, body) => { socket.write(head); socket.end(half(body)) },
  /** More comes than is announced. */
  too_long: (socket, head, body) => { socket.write(head); socket.write(body); socket.end('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother') },
  long_head: (socket, head, body) => { socket.write(head.replace('\r\n', `\r\nX-Long: ${'x'.repeat(100 * 1024)}\r\n`)); socket.end(body) }
} satisfies Record<string, AfterIt>

/** `500` is answered and not passed on, `cut` closes before it is; `dead` closes, and whatever comes after it too. */
export type Fault = '500' | 'cut' | 'dead' | keyof typeof AFTER

export interface FaultyUpstream {
  readonly origin: string
  /** Each request that came, `METHOD target`; a test may empty it. */
  readonly seen: string[]
  /** What becomes of a request; undefined passes it on. */
  fault: (request: string) => Fault | undefined | Promise<Fault | undefined>
  /** Connections that are open. */
  connections (): number
  /** Refuses all connections from now on, and resets those that there are. */
  leave (): Promise<void>
  comeBack (): Promise<void>
}

export async function startFaultyUpstream (t: { teardown (fn: () => unknown): unknown }, origin: string): Promise<FaultyUpstream> {
  let dead = false
  const sockets = new Set<Socket>()
  const server = createServer((request, response) => {
    void (async () => {
      const name = `${request.method as string} ${request.url as string}`
      faulty.seen.push(name)
      const body = await buffer(request)
      const fault = dead ? 'dead' : await faulty.fault(name)
      dead = fault === 'dead'
      if (fault === '500') return response.writeHead(500, { 'content-type': 'application/json' }).end('{"error":"no"}')
      if (fault === 'cut' || fault === 'dead') return response.destroy()
      const answer = await pass(origin, request, body)
      if (fault === undefined) return response.writeHead(answer.status, answer.headers).end(answer.bytes)
      const head = [`HTTP/1.1 ${answer.status} -`, ...Object.entries(answer.headers).map(([header, value]) => `${header}: ${value}`)].join('\r\n')
      return AFTER[fault](request.socket, `${head}\r\n\r\n`, answer.bytes)
    })().catch(() => { response.destroy() })
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {}).once('close', () => { sockets.delete(socket) })
  })
  const listen = async (port: number): Promise<void> => { await once(server.listen(port, '127.0.0.1'), 'listening') }
  await listen(0)
  const { port } = server.address() as AddressInfo
  t.teardown(() => { server.close(); server.closeAllConnections(); for (const socket of sockets) socket.destroy() })
  const faulty: FaultyUpstream = {
    origin: `http://127.0.0.1:${port}`,
    seen: [],
    fault: () => undefined,
    connections: () => sockets.size,
    async leave () {
      const closed = new Promise(resolve => { server.close(resolve) })
      for (const socket of sockets) socket.resetAndDestroy()
      await closed
    },
    comeBack: async () => { await listen(port) }
  }
  return faulty
}

interface Passed { readonly status: number, readonly headers: Readonly<Record<string, string | number>>, readonly bytes: Buffer }

/** Asks the real one. */
async function pass (origin: string, { method, url, headers }: IncomingMessage, body: Buffer): Promise<Passed> {
  const { 'transfer-encoding': _, ...rest } = headers
  const sent = ask(origin + (url as string), { method, headers: { ...rest, connection: 'close', ...(body.length > 0 ? { 'content-length': body.length } : {}) } }).end(body)
  const [answer] = await once(sent, 'response') as [IncomingMessage]
  const bytes = await buffer(answer)
  return { status: answer.statusCode as number, headers: { 'content-type': answer.headers['content-type'] ?? 'text/plain', 'content-length': bytes.length }, bytes }
}

function half (body: Buffer): Buffer {
  return body.subarray(0, body.length / 2)
}

/** A byte now, and the next one when nobody waits any more. */
function drip (socket: Socket, bytes: Buffer): void {
  const [all, timer] = [bytes.values(), setInterval(() => { socket.write(Buffer.of(all.next().value ?? 0)) }, 10_000).unref()]
  socket.write(Buffer.of(all.next().value ?? 0))
  socket.once('close', () => { clearInterval(timer) })
}
