// How does @fastify/http-proxy ask the upstream? As everybody does, by `ask`: through a
// dispatcher that is told by the request's id what the request was understood to be. The
// library never sees the path: it takes a chart named `..x` for a way out of a folder.
import { Readable } from 'node:stream'
import { Dispatcher } from 'undici'
import type { Question, Upstream } from './client.ts'
import type { UpstreamAnswer } from './exchange.ts'

export interface Proxied {
  /** For the library's option `undici`. */
  readonly dispatcher: Dispatcher
  /** What the request of this id asks; the library's next request with it in `x-request-id` does. */
  expect (requestId: string, question: Question): void
}

export function createProxied (upstream: Pick<Upstream, 'ask'>): Proxied {
  const questions = new Map<string, Question>()
  const dispatcher = new Dispatcher().compose(() => ({ headers }, handler) => {
    const id = (headers as Readonly<Record<string, string>>)['x-request-id'] as string
    const question = questions.get(id) as Question
    questions.delete(id)
    upstream.ask(question).then(
      answer => { play(answer, handler) },
      (error: Error) => { handler.onResponseError?.(new BodyController(Readable.from([])), error) }
    )
    return true
  })
  return { dispatcher, expect (requestId, question) { questions.set(requestId, question) } }
}

/** Tells a handler of undici's what was answered, as fast as it takes it. */
function play (answer: UpstreamAnswer, handler: Dispatcher.DispatchHandler): void {
  const body = bodyOf(answer)
  const controller = new BodyController(body)
  handler.onRequestStart?.(controller, {})
  handler.onResponseStart?.(controller, answer.status, answer.headers, '')
  body.on('data', (chunk: Buffer) => { handler.onResponseData?.(controller, chunk) })
  body.once('end', () => { handler.onResponseEnd?.(controller, {}) })
  body.once('error', error => { handler.onResponseError?.(controller, error) })
}

function bodyOf (answer: UpstreamAnswer): Readable {
  switch (answer.kind) {
    case 'streamed': return answer.body
    case 'whole': return Readable.from(answer.body.length === 0 ? [] : [answer.body])
    case 'left': return Readable.from([])
  }
}

/** What undici gives a handler to hold up or end what it gets. */
class BodyController implements Dispatcher.DispatchController {
  private readonly body: Readable
  reason: Error | null = null
  rawHeaders = null
  rawTrailers = null

  constructor (body: Readable) { this.body = body }
  get aborted (): boolean { return this.reason !== null }
  get paused (): boolean { return this.body.isPaused() }
  pause (): void { this.body.pause() }
  resume (): void { this.body.resume() }
  abort (reason: Error): void {
    this.reason = reason
    this.body.destroy(reason)
  }
}
