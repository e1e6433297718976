// How does @fastify/http-proxy ask the upstream? As everybody does: through a dispatcher
// that has what is answered from us, by the request's id. The library sees neither the
// path (it takes a chart named `..x` for a way out of a folder) nor a failure (it would
// put one of its own in its place): to it a failure is an empty 502. And it is told nothing
// for whoever has gone: it would end an answer whose errors nobody hears.
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import { Dispatcher } from 'undici'
import type { ReadAnswer } from './read-through.ts'

type WholeOrStream = Exclude<ReadAnswer, { kind: 'failed' }>

/** What a request is answered; `nobody` is there any more to be told. */
export type Proxied = WholeOrStream | 'failed' | 'nobody'

/** A way to ask for the library's option `undici`. @param ask by the request's `x-request-id` */
export function createProxied (ask: (requestId: string) => Promise<Proxied>): Dispatcher {
  return new Dispatcher().compose(() => ({ headers }, handler) => {
    void ask((headers as Readonly<Record<'x-request-id', string>>)['x-request-id']).then(answer => {
      if (answer === 'nobody') return
      if (answer === 'failed') return play(502, {}, Readable.from([]), handler)
      const body = answer.kind === 'streamed' ? answer.body : Readable.from([answer.body])
      play(answer.status, answer.headers, body, handler)
    })
    return true
  })
}

/** What HEAD is answered: the headers of GET, and no more of the body is read. */
export function headOf (answer: WholeOrStream): WholeOrStream {
  if (answer.kind === 'streamed') answer.body.destroy()
  const length = answer.kind === 'streamed' ? {} : { 'content-length': String(answer.body.length) }
  return { ...answer, kind: 'whole', headers: { ...answer.headers, ...length }, body: Buffer.alloc(0) }
}

/** Tells a handler of undici's what was answered, as fast as it takes it. */
function play (
  status: number,
  headers: IncomingHttpHeaders,
  body: Readable,
  handler: Dispatcher.DispatchHandler
): void {
  const controller = new BodyController(body)
  handler.onRequestStart?.(controller, {})
  handler.onResponseStart?.(controller, status, headers, '')
  body.on('data', (chunk: Buffer) => { handler.onResponseData?.(controller, chunk) })
  body.once('end', () => { handler.onResponseEnd?.(controller, {}) })
  body.once('error', error => { handler.onResponseError?.(controller, error) })
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
