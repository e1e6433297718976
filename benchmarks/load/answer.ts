// One request and its answer, as it came.
import { request, type IncomingHttpHeaders } from 'node:http'
import { buffer } from 'node:stream/consumers'

export interface Answer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** As it came, not decoded. */
  readonly body: Buffer
}

/** One GET. */
export async function get (url: string, headers: Readonly<Record<string, string>>): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    request(url, { headers, agent: false }, response => {
      buffer(response).then(body => { resolve({ status: response.statusCode as number, headers: response.headers, body }) }, reject)
    }).on('error', reject).end()
  })
}
