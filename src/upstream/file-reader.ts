// What does the upstream have under the name of a chart or provenance file? A small file
// is read whole, and everybody who asked before the upstream was asked gets the same
// bytes; a large one streams, to each client from a request of its own. Nothing is kept
// from one request to the next, so an overwritten or deleted file is never answered.
// Asked by the file door, behind authorization.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import type { ChartRequest } from '../charts/request-target.ts'
import type { Refusal } from '../http/errors.ts'
import { requestHeaders, responseHeaders, type Caller } from '../http/headers.ts'
import { causeOfAnswer, collect, errorText, isPage, refusalOfAnswer, refusalOfFailure } from './answers.ts'
import type { Upstream } from './client.ts'
import { createFlights } from './flights.ts'
import { upstreamTarget } from './target.ts'

export type FileAnswer =
  | { readonly kind: 'whole', readonly headers: IncomingHttpHeaders, readonly body: Buffer }
  | { readonly kind: 'streamed', readonly headers: IncomingHttpHeaders, readonly body: Readable }
  | { readonly kind: 'failed', readonly refusal: Refusal, /** for the log */ readonly cause: unknown }

export interface FileReader {
  /** The file as it is after this moment. */
  read (request: ChartRequest, caller: Caller): Promise<FileAnswer>
}

/** Bytes up to which a file is read whole. */
const SMALL = 64 * 1024
const MOST_LARGE = 10_000

/** @param most how many names of large files are remembered, so that nobody waits for another one's stream */
export function createFileReader (upstream: Upstream, most = MOST_LARGE): FileReader {
  const flights = createFlights<FileAnswer>()
  const large = new Set<string>()

  /** @param caller undefined: several, of whom the upstream is told nothing */
  async function ask (request: ChartRequest, key: string, caller: Caller | undefined): Promise<FileAnswer> {
    const { path } = upstreamTarget(request, upstream.contextPath)
    const authorization = await upstream.authorization(request)
    try {
      const { statusCode, headers, body } = await upstream.dispatcher.request({
        origin: upstream.origin,
        method: 'GET',
        path,
        headers: requestHeaders(caller, authorization)
      })
      // Nothing is asked for in part or under a condition, and a redirect is not passed on.
      if (statusCode !== 200 || isPage(headers)) return await refused(statusCode, body)
      const passed = responseHeaders(headers)
      if (isSmall(headers)) {
        large.delete(key)
        return { kind: 'whole', headers: passed, body: await collect(body, SMALL) as Buffer }
      }
      if (large.size >= most) large.clear()
      large.add(key)
      return { kind: 'streamed', headers: passed, body }
    } catch (error) {
      return { kind: 'failed', refusal: refusalOfFailure(error), cause: error }
    }
  }

  return {
    async read (request, caller) {
      const key = `${request.tenantPath}/${request.file as string}`
      if (large.has(key)) return await ask(request, key, caller)
      const answer = await flights.join(key, async alone => await ask(request, key, alone ? caller : undefined))
      // One stream has one reader: the first who comes here with it; the others ask for their own.
      return answer.kind === 'streamed' && !claim(answer.body) ? await ask(request, key, caller) : answer
    }
  }
}

const claimed = new WeakSet<Readable>()

/** True for the first who asks. */
function claim (body: Readable): boolean {
  if (claimed.has(body)) return false
  claimed.add(body)
  return true
}

function isSmall (headers: IncomingHttpHeaders): boolean {
  const length = headers['content-length']
  return length !== undefined && Number(length) <= SMALL
}

async function refused (status: number, body: AsyncIterable<Uint8Array>): Promise<FileAnswer> {
  return { kind: 'failed', refusal: refusalOfAnswer(status, await errorText(body)), cause: causeOfAnswer(status) }
}
