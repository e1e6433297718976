// How is the upstream asked for what changes something? In a request of our own, which
// goes on when the client has gone: only its answer says what was done.
import type { IncomingHttpHeaders } from 'node:http'
import { LONGEST_ERROR, textOf } from './answers.ts'
import { alone, type Asker } from './asker.ts'
import type { Question, Upstream } from './client.ts'

export interface OwnRequest extends Pick<Question, 'body'> {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly caller: Asker
}

export interface OwnAnswer {
  readonly statusCode: number
  readonly headers: IncomingHttpHeaders
  /** As far as it is a sentence; the rest is not read. */
  readonly text: string
}

/**
 * Asks, and reads what a sentence may be of the answer.
 * @throws RefusalError when there is none, NobodyThere when the client went before it was asked
 */
export async function sendOwn (
  upstream: Upstream,
  target: Question['target'],
  { method, caller, body }: OwnRequest
): Promise<OwnAnswer> {
  const answer = await upstream.ask({
    method,
    target,
    company: alone(caller),
    named: true,
    most: LONGEST_ERROR,
    longer: 'left',
    ...(body === undefined ? {} : { body })
  })
  caller.answered(answer.status)
  return { statusCode: answer.status, headers: answer.headers, text: textOf(answer) }
}
