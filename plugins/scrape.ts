// Answers /metrics, on the listener that clients do not reach: in Prometheus's text form, or
// in OpenMetrics where that is asked for.
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import Negotiator from 'negotiator'
import { RefusalError, headersOf, type Refusal } from '../src/http/errors.ts'
import { FORMS, type Form } from '../src/metrics/prom.ts'
import { refusePlainly } from './errors.ts'

export interface ScrapeOptions {
  /** All of it, in a form. */
  scrape: (form: Form) => Promise<string>
}

const URL = '/metrics'
const METHODS = ['GET', 'HEAD']
const ONLY_READ: Refusal = { code: 'method_not_allowed', allow: METHODS }

/**
 * What may be asked for, the form of those who ask for nothing first. Prometheus 3 names the
 * escaping of names that it would like beside the version; ours need none.
 */
const MEDIA_TYPES = new Map<string, Form>([
  ['text/plain; version=0.0.4', 'text'],
  ['application/openmetrics-text; version=1.0.0', 'openMetrics'],
  ['application/openmetrics-text; version=1.0.0; escaping=allow-utf-8', 'openMetrics']
])

export default fp<ScrapeOptions>(async (app, { scrape }) => {
  app.get(URL, { exposeHeadRoute: true }, async (request, reply) => {
    const form = formFor(request.headers.accept)
    return await reply
      .header('content-type', FORMS[form])
      .header('cache-control', 'no-store')
      .send(await scrape(form))
  })
  app.route({
    method: app.supportedMethods.filter(method => !METHODS.includes(method)),
    url: URL,
    handler: (request: FastifyRequest, reply: FastifyReply) => {
      reply.headers(headersOf(ONLY_READ))
      refusePlainly(new RefusalError(ONLY_READ), request, reply)
    }
  })
}, { name: 'scrape', fastify: '5.x' })

/** Who accepts neither gets text, which every reader of metrics reads. */
function formFor (accept: string | undefined): Form {
  const [best] = new Negotiator({ headers: { accept } }).mediaTypes([...MEDIA_TYPES.keys()])
  return MEDIA_TYPES.get(best ?? '') ?? 'text'
}
