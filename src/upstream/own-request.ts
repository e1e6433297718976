// How is the upstream asked for what changes something? In a request of our own, which
// goes on when the client has gone: only its answer says what was done. Asked by uploads
// and deletes.
import type { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import type { ChartRequest } from '../charts/request-target.ts'
import { RefusalError } from '../http/errors.ts'
import { requestHeaders, type Caller } from '../http/headers.ts'
import { errorText, refusalOfFailure } from './answers.ts'
import type { Upstream } from './client.ts'
import { upstreamTarget } from './target.ts'

type Parts = Parameters<typeof upstreamTarget>[0] & Pick<ChartRequest, 'tenant'>

export interface OwnRequest {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly caller: Caller
  readonly body?: OwnBody
}

export interface OwnBody {
  readonly contentType: string
  /** Bytes. */
  readonly length: number
  readonly stream: () => Readable
}

/** Asks; the head of the answer. @throws RefusalError when the upstream cannot be reached */
export async function sendOwn (upstream: Upstream, parts: Parts, { method, caller, body }: OwnRequest): Promise<Dispatcher.ResponseData> {
  const { path, query } = upstreamTarget(parts, upstream.contextPath)
  const authorization = await upstream.authorization(parts)
  try {
    return await upstream.dispatcher.request({
      origin: upstream.origin,
      method,
      path: query === '' ? path : `${path}?${query}`,
      headers: {
        ...requestHeaders(caller, authorization),
        ...(body === undefined ? {} : { 'content-type': body.contentType, 'content-length': String(body.length) })
      },
      ...(body === undefined ? {} : { body: body.stream() })
    })
  } catch (error) {
    throw new RefusalError(refusalOfFailure(error), { cause: error })
  }
}

/** What an answer says; nothing of one that is no sentence. @throws RefusalError when it breaks off */
export async function textOf (body: AsyncIterable<Uint8Array>): Promise<string> {
  try {
    return await errorText(body)
  } catch (error) {
    throw new RefusalError(refusalOfFailure(error), { cause: error })
  }
}
