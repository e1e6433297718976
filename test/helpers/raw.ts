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
export async function openRaw (t: { teardown (fn: () => unknown): unknown }, port: number, options: { readonly allowHalfOpen?: boolean } = {}): Promise<RawConnection> {
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
  let rest = text
  while (rest !== '') {
    const answer = parse(rest)
    if (!/^HTTP\/1\.1 \d{3} [A-Z]/.test(rest) || !rest.includes('\r\n\r\n')) throw new Error(`no answer: ${rest.slice(0, 100)}`)
    const length = Number(answer.headers['content-length'] ?? (answer.status < 200 ? 0 : NaN))
    const end = Number.isNaN(length) ? answer.body.indexOf('0\r\n\r\n') + 5 : length
    if (answer.body.length < end) throw new Error(`half an answer: ${rest.slice(0, 100)}`)
    answers.push({ ...answer, body: answer.body.slice(0, end) })
    rest = answer.body.slice(end)
  }
  return answers
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
