// One request over a connection of its own, as who comes for the first time; from any
// address of loopback.
import { request, type IncomingHttpHeaders } from 'node:http'

export interface Ask {
  readonly port: number
  readonly path: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Buffer
  /** Its own address; default: 127.0.0.1. */
  readonly from?: string
  /** Milliseconds after which it is given up; default: 20,000. */
  readonly limit?: number
}

export interface Answer {
  /** 0: there was none. */
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Of what went wrong, where there is no answer. */
  readonly body: string
  /** From before the connection to the end of the answer. */
  readonly ms: number
}

const LIMIT = 20_000

/** Never rejects. */
export async function ask (asked: Ask): Promise<Answer> {
  const { port, path, method = 'GET', headers = {}, body, from, limit = LIMIT } = asked
  const length = body === undefined ? {} : { 'content-length': body.length }
  const address = from === undefined ? {} : { localAddress: from }
  const began = performance.now()
  const answer = await new Promise<Omit<Answer, 'ms'>>(resolve => {
    const failed = (text: string): void => { resolve({ status: 0, headers: {}, body: text }) }
    const host = { host: '127.0.0.1', port, agent: false, ...address } as const
    const sent = request({ ...host, path, method, headers: { ...headers, ...length } })
    const timer = setTimeout(() => { sent.destroy(new Error(`no answer within ${limit} ms`)) }, limit)
    sent.on('close', () => { clearTimeout(timer) })
    sent.on('error', error => { failed(error.message) })
    sent.on('response', response => {
      const { statusCode: status = 0, headers } = response
      let text = ''
      response.setEncoding('latin1').on('data', (chunk: string) => { text += chunk })
      response.on('end', () => { resolve({ status, headers, body: text }) })
      response.on('error', error => { failed(`the answer broke off: ${error.message}`) })
    })
    sent.end(body)
  })
  return { ...answer, ms: performance.now() - began }
}

export function basic ({ name, password }: { readonly name: string, readonly password: string }): string {
  return `Basic ${Buffer.from(`${name}:${password}`).toString('base64')}`
}
