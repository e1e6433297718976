// Requests as bytes, over a real socket: for everything that a well-behaved client
// library would repair on the way.
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

export interface RawConnection {
  /** Sends one request, and reads its answer to the end; the status, NaN when there was none. */
  send (bytes: Buffer, options: { readonly head: boolean }): Promise<number>
  close (): void
}

/** A connection for many requests, one after the other; opened again when the server has closed it. */
export function openRaw (port: number, host = '127.0.0.1'): RawConnection {
  let socket: Socket | undefined
  return {
    close: () => { socket?.destroy() },
    async send (bytes, { head }) {
      if (socket === undefined || socket.destroyed) socket = connect({ port, host, noDelay: true })
      const connection = socket
      let text = ''
      return await new Promise(resolve => {
        const finish = (closes: boolean): void => {
          connection.removeAllListeners()
          if (closes) connection.destroy()
          resolve(parse(text).status)
        }
        connection.on('data', chunk => {
          text += chunk.toString('latin1')
          const { headers, body } = parse(text)
          if (!text.includes('\r\n\r\n')) return
          const complete = head || (headers['transfer-encoding'] === undefined ? body.length >= Number(headers['content-length']?.[0] ?? 0) : body.endsWith('0\r\n\r\n'))
          if (complete) finish(headers['connection']?.[0] === 'close')
        })
        connection.on('error', () => { finish(true) })
        connection.on('close', () => { finish(true) })
        connection.setTimeout(10_000, () => { finish(true) })
        connection.write(bytes)
      })
    }
  }
}
