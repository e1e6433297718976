// What does the upstream answer to a read that is passed on as it is? Little is read
// whole, so that what breaks off in the middle is a refusal; more streams.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { RefusalError, type Refusal } from '../http/errors.ts'
import { PART_HEADERS, RESPONSE_HEADERS, responseHeaders } from '../http/headers.ts'
import { causeOfAnswer, isPage, refusalOfAnswer, textOf } from './answers.ts'
import type { Question, Reads } from './client.ts'

export type ReadAnswer =
  | ReadHead & { readonly kind: 'whole', readonly body: Buffer }
  | ReadHead & { readonly kind: 'streamed', readonly body: Readable }
  | ReadFailure

interface ReadHead {
  readonly status: number
  readonly headers: IncomingHttpHeaders
}

export interface ReadFailure {
  readonly kind: 'failed'
  readonly refusal: Refusal
  /** For the log. */
  readonly cause: unknown
}

/** Bytes up to which an answer is read whole. */
export const SMALL_BODY = 64 * 1024

type ReadQuestion = Pick<Question, 'target' | 'company' | 'large' | 'conditions'>

/** A part, nothing that is new, and a part that there is not (RFC 9110 section 15). */
const OF_CONDITIONS = [206, 304, 416]

/** @returns 'left' for what would stream, if it was not for several; @throws NobodyThere when all of them have gone */
export async function readThrough (
  upstream: Reads,
  read: ReadQuestion
): Promise<ReadAnswer | { readonly kind: 'left' }> {
  const { conditions, ...question } = read
  const asked = upstream.takesConditions && conditions !== undefined ? { ...question, conditions } : question
  try {
    const answer = await upstream.ask({ ...asked, method: 'GET', named: true, most: SMALL_BODY, longer: 'streamed' })
    const { status, headers } = answer
    // A redirect is not passed on.
    const isWanted = status === 200 || ('conditions' in asked && OF_CONDITIONS.includes(status))
    if (isWanted && !isPage(headers)) {
      const passed = responseHeaders(headers, upstream.takesConditions ? PART_HEADERS : RESPONSE_HEADERS)
      return answer.kind === 'left' ? answer : { ...answer, headers: passed }
    }
    if (answer.kind === 'streamed') answer.body.destroy()
    return { kind: 'failed', refusal: refusalOfAnswer(status, textOf(answer)), cause: causeOfAnswer(status) }
  } catch (error) {
    if (error instanceof RefusalError) return { kind: 'failed', refusal: error.refusal, cause: error.cause }
    throw error
  }
}
