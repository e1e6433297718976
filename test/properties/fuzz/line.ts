// Sends cases over a real socket, one after the other, and waits for what comes back.
// The connection is used again wherever the last case left it usable.
import { connect, type Socket } from 'node:net'
import type { Case } from './cases.ts'

export interface Answer { readonly status: number, /** lower case */ readonly head: string, readonly body: Buffer }

export interface Exchange {
  readonly received: Buffer
  /** Complete answers, the 100s left out. */
  readonly answers: readonly Answer[]
  /** `gone`: nobody listens there any more. */
  readonly end: 'answered' | 'closed' | 'hung' | 'gone'
}

export interface Line {
  send (sent: Case): Promise<Exchange>
  close (): void
}

/** Milliseconds in which something must come, or the connection must be closed. */
const PATIENCE = 10_000
/** After this long without a byte we say that nothing more will come from us. */
const PAUSE = 60

/** @param farewell a request that closes the connection, sent after a case of which nobody knows where it ends */
export function openLine (port: number, farewell: Buffer): Line {
  let socket: Socket | undefined
  let listener: Listener | undefined

  /** The connection; what an old one still has to say is nobody's business. */
  function connected (): Socket {
    if (socket !== undefined) return socket
    const opened = connect({ port, host: '127.0.0.1', noDelay: true })
    const end = (how: Exchange['end']): void => {
      if (socket !== opened) return
      socket = undefined
      listener?.end(how)
    }
    opened.on('data', (chunk: Buffer) => { if (socket === opened) listener?.data(chunk) })
    opened.on('error', (error: NodeJS.ErrnoException) => { end(error.code === 'ECONNREFUSED' ? 'gone' : 'closed') })
    opened.on('close', () => { end('closed') })
    socket = opened
    return opened
  }

  function close (): void {
    socket?.destroy()
    socket = undefined
  }

  return {
    close,
    async send (sent) {
      const opened = connected()
      const exchange = await new Promise<Exchange>(resolve => {
        listener = new Listener(sent, opened, resolve)
        opened.write(sent.framed ? sent.bytes : Buffer.concat([sent.bytes, farewell]))
      })
      listener = undefined
      if (exchange.end !== 'answered' || exchange.answers.some(({ head }) => head.includes('\r\nconnection: close'))) close()
      return exchange
    }
  }
}

/** Collects what comes for one case. */
class Listener {
  private readonly sent: Case
  private readonly resolve: (exchange: Exchange) => void
  private received: Buffer = Buffer.alloc(0)
  private readonly timer: NodeJS.Timeout
  private readonly pause: NodeJS.Timeout | undefined
  private finished = false

  constructor (sent: Case, socket: Socket, resolve: (exchange: Exchange) => void) {
    this.sent = sent
    this.resolve = resolve
    this.timer = setTimeout(() => { this.end('hung') }, PATIENCE)
    if (!sent.framed) this.pause = setTimeout(() => { socket.end() }, PAUSE)
  }

  data (chunk: Buffer): void {
    this.received = this.received.length === 0 ? chunk : Buffer.concat([this.received, chunk])
    if (this.sent.framed && readAnswers(this.received, this.sent.head).length > 0) this.end('answered')
    else this.pause?.refresh()
  }

  end (end: Exchange['end']): void {
    if (this.finished) return
    this.finished = true
    clearTimeout(this.timer)
    clearTimeout(this.pause)
    this.resolve({ received: this.received, answers: readAnswers(this.received, this.sent.head), end })
  }
}

/**
 * The complete answers in some bytes.
 * @param head the first answers a HEAD request, and has no body
 */
export function readAnswers (bytes: Buffer, head: boolean): Answer[] {
  const answers: Answer[] = []
  let start = 0
  for (;;) {
    const headEnd = bytes.indexOf('\r\n\r\n', start)
    if (headEnd < 0) return answers
    const text = bytes.toString('latin1', start, headEnd).toLowerCase()
    const status = Number(text.slice(9, 12))
    start = headEnd + 4
    if (status < 200) continue
    const bodiless = status === 204 || status === 304 || (head && answers.length === 0) || bytes.toString('latin1', start, start + 9) === 'HTTP/1.1 '
    const end = bodiless ? start : bodyEnd(bytes, start, text)
    if (end === undefined) return answers
    answers.push({ status, head: text, body: bytes.subarray(start, end) })
    start = end
  }
}

function bodyEnd (bytes: Buffer, start: number, head: string): number | undefined {
  if (head.includes('\r\ntransfer-encoding: chunked')) {
    let at = start
    for (;;) {
      const lineEnd = bytes.indexOf('\r\n', at)
      if (lineEnd < 0) return undefined
      const size = parseInt(bytes.toString('latin1', at, lineEnd), 16)
      at = lineEnd + 2 + size + 2
      if (at > bytes.length) return undefined
      if (size === 0) return at
    }
  }
  const end = start + Number(/\r\ncontent-length: (\d+)/.exec(head)?.[1] ?? 0)
  return end > bytes.length ? undefined : end
}
