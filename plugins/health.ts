// Is this process alive, and can it serve? On the admin listener for probes, and in
// ChartMuseum's own form on the public one, where its users look for it.
import fp from 'fastify-plugin'
import type { FastifyReply } from 'fastify'
import { lookAtAll, type Check } from '../src/observe/checks.ts'
import type { Upstream } from '../src/upstream/client.ts'

export interface ProbesOptions {
  upstream: Pick<Upstream, 'ailment'>
  /** Why the process has to be replaced, because nothing of its own brings it back; undefined: it has not. */
  stuck: () => string | undefined
  /** Why the process cannot serve now; undefined when nothing of its own hinders it. */
  hindrance: () => string | undefined
  /** What else is looked at for /readyz?verbose, and hinders nothing. */
  checks?: readonly Check[]
}

/**
 * /healthz (the process; 503 when it has to be replaced), /readyz (503 while something
 * hinders it or the upstream is away) and /readyz?verbose (the same, with all that was
 * looked at).
 */
export const probes = fp<ProbesOptions>(async (app, { upstream, stuck, hindrance, checks = [] }) => {
  const looks: readonly Check[] = [
    { name: 'queues and threads', hinders: true, look: async () => listOf(stuck()) },
    { name: 'listeners and workers', hinders: true, look: async () => listOf(hindrance()) },
    { name: 'chart repository', hinders: true, look: async () => listOf(await upstream.ailment()) },
    ...checks
  ]
  const sayAll = async (reply: FastifyReply): Promise<FastifyReply> => {
    const { ready, text } = await lookAtAll(looks)
    return await reply.code(ready ? 200 : 503).header('content-type', 'text/plain; charset=utf-8').send(text)
  }
  app.get('/healthz', async (_request, reply) => {
    const reason = stuck()
    return reason === undefined ? { healthy: true } : await reply.code(503).send({ healthy: false, reason })
  })
  app.get<{ Querystring: { verbose?: unknown } }>('/readyz', async ({ query: { verbose } }, reply) => {
    if (verbose !== undefined) return await sayAll(reply)
    const reason = hindrance() ?? await upstream.ailment()
    return reason === undefined ? { ready: true } : await reply.code(503).send({ ready: false, reason })
  })
}, { name: 'probes', fastify: '5.x' })

function listOf (sentence: string | undefined): readonly string[] {
  return sentence === undefined ? [] : [sentence]
}

export interface HealthOptions { version: string }

/** /health and /info, in ChartMuseum's form (pkg/chartmuseum/server/multitenant/handlers.go, v0.16.5). */
export default fp<HealthOptions>(async (app, { version }) => {
  const routes = { '/health': { healthy: true }, '/info': { version } }
  for (const [url, body] of Object.entries(routes)) {
    app.get(url, { exposeHeadRoute: true }, async (_request, reply) => {
      return await reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body))
    })
  }
}, { name: 'health', fastify: '5.x', encapsulate: true })
