// What does the upstream's index.yaml say? Read into memory, bounded, for the index door.
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import { RefusalError, type Refusal } from '../http/errors.ts'
import type { Company } from '../lib/company.ts'
import { causeOfAnswer, refusalOfAnswer, textOf } from './answers.ts'
import type { Asking } from './asker.ts'
import type { Upstreams } from './upstreams.ts'

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
  /** The index as it is after this moment. @throws NobodyThere when all who asked went before */
  read (request: ChartRequest, company: Company<Asking>): Promise<IndexAnswer>
}

/** ChartMuseum's content type of an index (pkg/chartmuseum/server/multitenant/index.go). */
export const INDEX_CONTENT_TYPE = 'application/x-yaml'

/** @param maxBytes the longest index that is read now */
export function createIndexReader (upstreams: Upstreams, maxBytes: () => number): IndexReader {
  return {
    async read (target, company) {
      try {
        // What is read here may answer several clients at once.
        const answer = await upstreams.forReads(target.tenant).ask({
          method: 'GET',
          target,
          company,
          named: false,
          most: maxBytes(),
          longer: 'left'
        })
        const { status } = answer
        if (status !== 200) {
          return { ok: false, refusal: refusalOfAnswer(status, textOf(answer)), cause: causeOfAnswer(status) }
        }
        if (answer.kind !== 'whole') {
          const cause = `the index is longer than charts.index.maxBytes (${maxBytes()})`
          return { ok: false, refusal: { code: 'upstream_bad_answer' }, cause }
        }
        return { ok: true, body: answer.body }
      } catch (error) {
        if (error instanceof RefusalError) return { ok: false, refusal: error.refusal, cause: error.cause }
        throw error
      }
    }
  }
}
