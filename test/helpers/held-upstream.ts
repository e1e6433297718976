// A chart repository that says what it holds: how many requests it is still answering, and
// for which paths. It answers when and what a test says.
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

type Answer = (request: IncomingMessage, response: ServerResponse) => void

export interface HeldUpstream {
  readonly origin: string
  readonly server: Server
  /** Method and path of each request that came, in order. */
  readonly asked: string[]
  /** The same of those that are not answered to their end, whose connection is there. */
  held (): string[]
  answer: Answer
}

/** Starts it on loopback, and stops it with the test; it answers nothing until it is told to. */
export async function startHeldUpstream (t: { teardown (fn: () => unknown): unknown }): Promise<HeldUpstream> {
  const open = new Map<ServerResponse, string>()
  const server = createServer((request, response) => {
    const line = `${request.method} ${request.url}`
    upstream.asked.push(line)
    open.set(response, line)
    response.once('close', () => { open.delete(response) })
    request.resume()
    upstream.answer(request, response)
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close(); server.closeAllConnections() })
  const upstream: HeldUpstream = {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    server,
    asked: [],
    held: () => [...open.values()],
    answer: () => {}
  }
  return upstream
}

/** Answers with so many bytes, as fast as somebody reads; with a length, or in chunks. */
export function bytes (length: number, { chunked = false } = {}): Answer {
  return (_request, response) => {
    response.writeHead(200, { 'content-type': 'application/x-tar', ...(chunked ? {} : { 'content-length': length }) })
    let left = length
    const more = (): void => {
      for (let room = true; room && left > 0 && !response.destroyed;) {
        const piece = PIECE.subarray(0, left)
        left -= piece.length
        room = response.write(piece)
      }
      if (left === 0) response.end()
    }
    response.on('drain', more)
    more()
  }
}

const PIECE = Buffer.alloc(64 * 1024, 'x')
