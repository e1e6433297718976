// What does the upstream answer to a read that is passed on as it is? Little is read
// whole, so that what breaks off in the middle is a refusal; more streams.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { RefusalError, type Refusal } from '../http/errors.ts'
import { responseHeaders } from '../http/headers.ts'
import { causeOfAnswer, isPage, refusalOfAnswer, textOf } from './answers.ts'
import type { Question, Upstream } from './client.ts'

export type ReadAnswer =
  | { readonly kind: 'whole', readonly headers: IncomingHttpHeaders, readonly body: Buffer }
  | { readonly kind: 'streamed', readonly headers: IncomingHttpHeaders, readonly body: Readable }
  | ReadFailure

export interface ReadFailure {
  readonly kind: 'failed'
  readonly refusal: Refusal
  /** For the log. */
  readonly cause: unknown
}

/** Bytes up to which an answer is read whole. */
export const SMALL_BODY = 64 * 1024

type ReadQuestion = Pick<Question, 'target' | 'company' | 'large'>

/** @returns 'left' for what would stream, if it was not for several; @throws NobodyThere when all of them have gone */
export async function readThrough (
  upstream: Upstream,
  read: ReadQuestion
): Promise<ReadAnswer | { readonly kind: 'left' }> {
  try {
    const answer = await upstream.ask({ ...read, method: 'GET', named: true, most: SMALL_BODY, longer: 'streamed' })
    const { status, headers } = answer
    // Nothing is asked for in part or under a condition, and a redirect is not passed on.
    if (status === 200 && !isPage(headers)) {
      return answer.kind === 'left' ? answer : { ...answer, headers: responseHeaders(headers) }
    }
    if (answer.kind === 'streamed') answer.body.destroy()
    return { kind: 'failed', refusal: refusalOfAnswer(status, textOf(answer)), cause: causeOfAnswer(status) }
  } catch (error) {
    if (error instanceof RefusalError) return { kind: 'failed', refusal: error.refusal, cause: error.cause }
    throw error
  }
}
