// How is a version deleted in the upstream? Asked by the delete door.
import type { IncomingHttpHeaders } from 'node:http'
import type { ChartRequest } from '../charts/request-target.ts'
import { RefusalError } from '../http/errors.ts'
import { responseHeaders } from '../http/headers.ts'
import { causeOfAnswer, isPage, refusalOfAnswer } from './answers.ts'
import type { Asker } from './asker.ts'
import type { Upstream } from './client.ts'
import { sendOwn } from './own-request.ts'

/** What the upstream says of it. */
export interface Removed {
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

/** Deletes what the request names. @throws RefusalError when the upstream refuses or cannot be reached */
export async function removeVersion (upstream: Upstream, request: ChartRequest, caller: Asker): Promise<Removed> {
  const { statusCode, headers, text } = await sendOwn(upstream, request, { method: 'DELETE', caller })
  if (statusCode === 200 && !isPage(headers)) return { headers: responseHeaders(headers), body: text }
  throw new RefusalError(refusalOfAnswer(statusCode, text), { cause: causeOfAnswer(statusCode) })
}
