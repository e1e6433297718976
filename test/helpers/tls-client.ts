// A client that speaks HTTP over TLS, with or without a certificate of its own.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http'
import { request, Agent, type AgentOptions } from 'node:https'
import { text } from 'node:stream/consumers'
import type { TestLike } from './processes.ts'

export interface TlsAnswer {
  readonly status: number | undefined
  readonly headers: IncomingHttpHeaders
  readonly body: string
  /** The certificate that the other side showed: its common name. */
  readonly peer: string | undefined
  /** On a connection that was there already. */
  readonly reused: boolean
}

export interface TlsClient {
  ask (url: string, options?: { readonly method?: string, readonly headers?: Record<string, string>, readonly body?: string | Buffer }): Promise<TlsAnswer>
}

/** One connection, kept open; it goes with the test. */
export function tlsClient (t: TestLike, options: AgentOptions): TlsClient {
  const agent = new Agent({ keepAlive: true, maxSockets: 1, ...options })
  t.teardown(() => { agent.destroy() })
  return {
    async ask (url, { method = 'GET', headers = {}, body } = {}) {
      const asked = request(url, { method, headers, agent })
      const answered = new Promise<IncomingMessage>((resolve, reject) => {
        asked.once('response', resolve).on('error', reject)
      })
      let peer: string | undefined
      asked.once('socket', socket => {
        const look = (): void => { peer = (socket as import('node:tls').TLSSocket).getPeerCertificate().subject?.CN as string | undefined }
        if (asked.reusedSocket) look()
        else socket.once('secureConnect', look)
      })
      asked.end(body)
      const response = await answered
      return { status: response.statusCode, headers: response.headers, body: await text(response), peer, reused: asked.reusedSocket }
    }
  }
}
