// What does the upstream's index.yaml say? Read into memory, bounded, for the index door.
import type { Dispatcher } from 'undici'
import type { ChartRequest } from '../charts/request-target.ts'
import type { Refusal } from '../http/errors.ts'
import { requestHeaders } from '../http/headers.ts'
import { LONGEST_ERROR, causeOfAnswer, refusalOfAnswer, refusalOfFailure } from './answers.ts'
import type { Upstream } from './client.ts'
import { upstreamTarget } from './target.ts'

export type IndexAnswer =
  | { readonly ok: true, readonly body: Buffer }
  | IndexFailure

export interface IndexFailure {
  readonly ok: false
  readonly refusal: Refusal
  /** For the log. */
  readonly cause?: unknown
}

export interface IndexReader {
  read (request: ChartRequest): Promise<IndexAnswer>
}

/** ChartMuseum's content type of an index (pkg/chartmuseum/server/multitenant/index.go). */
export const INDEX_CONTENT_TYPE = 'application/x-yaml'

/** @param maxBytes the longest index that is read */
export function createIndexReader (upstream: Upstream, maxBytes: number): IndexReader {
  return {
    async read (request) {
      const { path } = upstreamTarget(request, upstream.contextPath)
      const authorization = await upstream.authorization(request)
      try {
        const { status, body } = await readWhole(upstream.dispatcher, {
          origin: upstream.origin,
          method: 'GET',
          path,
          headers: requestHeaders(undefined, authorization) // what is read here may answer several clients at once
        }, maxBytes)
        if (status !== 200) return { ok: false, refusal: refusalOfAnswer(status, body?.toString('utf8') ?? ''), cause: causeOfAnswer(status) }
        if (body === undefined) return { ok: false, refusal: { code: 'upstream_bad_answer' }, cause: `the index is longer than charts.index.maxBytes (${maxBytes})` }
        return { ok: true, body }
      } catch (error) {
        return { ok: false, refusal: refusalOfFailure(error), cause: error }
      }
    }
  }
}

interface WholeAnswer {
  readonly status: number
  /** Undefined when it is too long; the rest was not read then. */
  readonly body: Buffer | undefined
}

/** Asks, and reads an answer to its end; without the streams of undici's `request`, which cost more than a small index. */
async function readWhole (dispatcher: Dispatcher, options: Dispatcher.DispatchOptions, maxBytes: number): Promise<WholeAnswer> {
  return await new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let [status, length] = [0, 0]
    dispatcher.dispatch(options, {
      onRequestStart () {},
      onResponseStart (_controller, statusCode) { status = statusCode },
      onResponseData (controller, chunk) {
        length += chunk.length
        if (length <= (status === 200 ? maxBytes : LONGEST_ERROR)) chunks.push(chunk)
        else {
          resolve({ status, body: undefined })
          controller.abort(new Error('too long'))
        }
      },
      onResponseEnd () { resolve({ status, body: Buffer.concat(chunks, length) }) },
      onResponseError (_controller, error) { reject(error) }
    })
  })
}
