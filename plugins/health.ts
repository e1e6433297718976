// Is this process alive, and can it serve? On the admin listener for probes, and in
// ChartMuseum's own form on the public one, where its users look for it.
import fp from 'fastify-plugin'
import type { Upstream } from '../src/upstream/client.ts'

export interface ProbesOptions {
  upstream: Upstream
  /** Why the process cannot serve now; undefined when nothing of its own hinders it. */
  hindrance: () => string | undefined
}

/** /healthz (the process) and /readyz (503 while something hinders it or the upstream is away). */
export const probes = fp<ProbesOptions>(async (app, { upstream, hindrance }) => {
  app.get('/healthz', async () => ({ healthy: true }))
  app.get('/readyz', async (_request, reply) => {
    const reason = hindrance()
    if (reason !== undefined) return await reply.code(503).send({ ready: false, reason })
    if (!await upstream.healthy()) return await reply.code(503).send({ ready: false, reason: 'the chart repository cannot be reached' })
    return { ready: true }
  })
}, { name: 'probes', fastify: '5.x' })

export interface HealthOptions { version: string }

/** GET /health and /info, in ChartMuseum's form (pkg/chartmuseum/server/multitenant/handlers.go, v0.16.5). */
export default fp<HealthOptions>(async (app, { version }) => {
  const routes = { '/health': { healthy: true }, '/info': { version } }
  for (const [url, body] of Object.entries(routes)) {
    app.get(url, { exposeHeadRoute: false }, async (_request, reply) => {
      return await reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(body))
    })
  }
}, { name: 'health', fastify: '5.x', encapsulate: true })
