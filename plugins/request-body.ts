// The body of something that is pushed, for who reads it as it comes.
import type { FastifyRequest } from 'fastify'
import type { Refusal } from '../src/http/errors.ts'
import type { Waits } from '../src/observe/outcome.ts'

/** A body, of which it is said how long it was waited for. */
export function bodyOf ({ raw, outcome }: FastifyRequest): AsyncGenerator<Buffer> {
  // a refusal still has to be written, and what then comes is thrown away
  return timed(raw.iterator({ destroyOnReturn: false }), outcome)
}

async function * timed (body: AsyncIterable<Buffer>, waits: Waits): AsyncGenerator<Buffer> {
  let since = performance.now()
  for await (const chunk of body) {
    waits.waited += performance.now() - since
    yield chunk
    since = performance.now()
  }
}

/** How Node says that the body's connection has gone. */
export function isAbort (error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'ERR_STREAM_PREMATURE_CLOSE'
}

/** @param most bytes */
export function tooLarge (most: number): Refusal {
  return { code: 'body_too_large', detail: `request too large: at most ${most} bytes` }
}
