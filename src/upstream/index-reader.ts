// What does the upstream's index.yaml say? Read into memory, bounded, for the index door.
import type { ChartRequest } from '../charts/request-target.ts'
import type { Refusal } from '../http/errors.ts'
import { LONGEST_ERROR, collect, refusalOfAnswer, refusalOfFailure } from './answers.ts'
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
      try {
        const authorization = await upstream.authorization(request)
        const answer = await upstream.dispatcher.request({
          origin: upstream.origin,
          method: 'GET',
          path,
          // No request id and no X-Forwarded-*: what is read here may answer several clients at once.
          headers: authorization === undefined ? {} : { authorization }
        })
        const wanted = answer.statusCode === 200
        const body = await collect(answer.body, wanted ? maxBytes : LONGEST_ERROR)
        if (!wanted) return { ok: false, refusal: refusalOfAnswer(answer.statusCode, body?.toString('utf8') ?? ''), cause: `the upstream answered ${answer.statusCode}` }
        if (body === undefined) return { ok: false, refusal: { code: 'upstream_bad_answer' }, cause: `the index is longer than charts.index.maxBytes (${maxBytes})` }
        return { ok: true, body }
      } catch (error) {
        return { ok: false, refusal: refusalOfFailure(error), cause: error }
      }
    }
  }
}
