// Requests as bytes, over a real socket: for everything that a well-behaved client
// library would repair on the way.
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'

export interface RawResponse {
  readonly text: string
  /** The first status code; NaN when nothing came back. */
  readonly status: number
  readonly headers: Readonly<Record<string, string[]>>
  readonly body: string
}

/**
 * Sends the bytes, and reads until the server closes or nothing came for `quiet`
 * milliseconds after the first answer.
 */
export async function sendRaw (port: number, bytes: string | Buffer, { quiet = 60, host = '127.0.0.1' } = {}): Promise<RawResponse> {
  const chunks: Buffer[] = []
  await new Promise<void>(resolve => {
    const socket = connect(port, host, () => { socket.write(bytes) })
    let timer: NodeJS.Timeout | undefined
    const finish = (): void => { clearTimeout(timer); socket.destroy(); resolve() }
    socket.on('data', chunk => {
      chunks.push(chunk)
      clearTimeout(timer)
      timer = setTimeout(finish, quiet)
    })
    socket.on('close', finish)
    socket.on('error', finish)
    socket.setTimeout(5_000, finish)
  })
  return parse(Buffer.concat(chunks).toString('latin1'))
}

/** Sends the bytes, and reads until one whole answer is there (not to HEAD) or the server closes: quicker, where nothing more can come. */
export async function askRaw (port: number, bytes: string | Buffer): Promise<RawResponse> {
  const text = await new Promise<string>(resolve => {
    let text = ''
    const socket = connect(port, '127.0.0.1', () => { socket.write(bytes) })
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      text += chunk
      if (wholeLength(text) !== undefined) socket.destroy()
    })
    socket.on('error', () => {}).once('close', () => { resolve(text) })
  })
  return parse(text)
}

export interface RawConnection {
  readonly socket: Socket
  /** What came so far. */
  readonly text: () => string
  /** Resolves when the connection has gone, in whatever way. */
  readonly closed: Promise<void>
  /** Resolves when what came matches, or the connection has gone. */
  received (pattern: RegExp): Promise<void>
}

/** A connection that a test speaks on step by step; it goes with the test. */
export async function openRaw (t: { teardown (fn: () => unknown): unknown }, port: number, options: { readonly allowHalfOpen?: boolean, /** which of the client's addresses it comes from */ readonly localAddress?: string } = {}): Promise<RawConnection> {
  const socket = connect({ port, host: '127.0.0.1', ...options })
  t.teardown(() => { socket.destroy() })
  let text = ''
  socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk })
  socket.on('error', () => {}) // a reset is one way to go
  const closed = new Promise<void>(resolve => { socket.once('close', () => { resolve() }) })
  await Promise.race([once(socket, 'connect'), closed])
  return {
    socket,
    text: () => text,
    closed,
    async received (pattern) {
      while (!pattern.test(text) && !socket.destroyed) await Promise.race([once(socket, 'data').catch(() => {}), closed])
    }
  }
}

/** Every answer in what came over a connection, in order. @throws what is no whole answer */
export function answersIn (text: string): RawResponse[] {
  const answers: RawResponse[] = []
  for (let rest = text; rest !== '';) {
    const length = wholeLength(rest)
    if (length === undefined) throw new Error(`no whole answer: ${rest.slice(0, 200)}`)
    answers.push(parse(rest.slice(0, length)))
    rest = rest.slice(length)
  }
  return answers
}

/** The length of the first answer with its body; undefined when it is none or not all of it has come. */
function wholeLength (text: string): number | undefined {
  const end = text.indexOf('\r\n\r\n')
  if (end < 0 || !/^HTTP\/1\.1 \d{3} [A-Z]/.test(text)) return undefined
  const { status, headers } = parse(text.slice(0, end + 4))
  const start = end + 4
  if (status < 200) return start
  const length = headers['content-length']?.[0]
  if (length !== undefined) return start + Number(length) <= text.length ? start + Number(length) : undefined
  for (let at = start; ;) {
    const line = text.indexOf('\r\n', at)
    const size = parseInt(text.slice(at, line), 16)
    if (line < 0 || line + 2 + size + 2 > text.length) return undefined
    at = line + 2 + size + 2
    if (size === 0) return at
  }
}

function parse (text: string): RawResponse {
  const end = text.indexOf('\r\n\r\n')
  const [statusLine = '', ...lines] = text.slice(0, end < 0 ? undefined : end).split('\r\n')
  const headers: Record<string, string[]> = {}
  for (const line of lines) {
    const colon = line.indexOf(':')
    const name = line.slice(0, colon).toLowerCase()
    headers[name] = [...headers[name] ?? [], line.slice(colon + 1).trim()]
  }
  return { text, status: Number(statusLine.split(' ')[1]), headers, body: end < 0 ? '' : text.slice(end + 4) }
}

export interface RawRequest {
  /** Request line and headers, with the empty line at their end. */
  readonly head: string
  readonly body?: Buffer
}

export interface RawClient {
  /** Sends one request, and reads its answer to the end; the status, NaN when there was none. */
  send (bytes: Buffer, options: { readonly head: boolean }): Promise<number>
  /** The same, with the whole answer, its chunks put together; with `Expect: 100-continue` the body is sent when the server asks for it. */
  ask (request: RawRequest): Promise<RawResponse>
  close (): void
}

/** A connection for many requests, one after the other; opened again when the server has closed it. */
export function rawClient (port: number, host = '127.0.0.1'): RawClient {
  let socket: Socket | undefined

  async function exchange (first: Buffer, isHead: boolean, awaited?: Buffer): Promise<RawResponse> {
    if (socket === undefined || socket.destroyed) socket = connect({ port, host, noDelay: true })
    const connection = socket
    let text = ''
    return await new Promise(resolve => {
      const finish = (closes: boolean): void => {
        connection.removeAllListeners()
        if (closes) connection.destroy()
        resolve(withWholeBody(parse(text)))
      }
      connection.on('data', chunk => {
        text += chunk.toString('latin1')
        if (!text.includes('\r\n\r\n')) return
        if (/^HTTP\/1.1 100 /.test(text)) {
          text = text.slice(text.indexOf('\r\n\r\n') + 4)
          if (awaited !== undefined) connection.write(awaited)
          return
        }
        const { headers, body, status } = parse(text)
        const complete = isHead || status === 204 || status === 304 || (headers['transfer-encoding'] === undefined ? body.length >= Number(headers['content-length']?.[0] ?? 0) : body.endsWith('0\r\n\r\n'))
        if (complete) finish(headers['connection']?.[0] === 'close')
      })
      connection.on('error', () => { finish(true) })
      connection.on('close', () => { finish(true) })
      connection.setTimeout(10_000, () => { finish(true) })
      connection.write(first)
    })
  }

  return {
    close: () => { socket?.destroy() },
    async send (bytes, { head }) { return (await exchange(bytes, head)).status },
    async ask ({ head, body = Buffer.alloc(0) }) {
      const isHead = head.startsWith('HEAD ')
      const first = Buffer.from(head, 'latin1')
      return /^expect: 100-continue/im.test(head) ? await exchange(first, isHead, body) : await exchange(Buffer.concat([first, body]), isHead)
    }
  }
}

/** The body without the lengths of its chunks (RFC 9112 section 7.1). */
function withWholeBody (response: RawResponse): RawResponse {
  if (response.headers['transfer-encoding']?.[0] !== 'chunked') return response
  let [rest, body] = [response.body, '']
  for (;;) {
    const end = rest.indexOf('\r\n')
    const length = parseInt(rest.slice(0, end), 16)
    if (end < 0 || !(length > 0)) return { ...response, body }
    body += rest.slice(end + 2, end + 2 + length)
    rest = rest.slice(end + 4 + length)
  }
}
