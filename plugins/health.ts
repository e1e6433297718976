// Is this process alive, and can it serve? On the admin listener for probes, and in
// ChartMuseum's own form on the public one, where its users look for it.
import fp from 'fastify-plugin'
import { withoutValues } from '../src/files/mistakes.ts'
import type { ReloadStanding } from '../src/live/part.ts'
import type { Upstream } from '../src/upstream/client.ts'

export interface ProbesOptions {
  upstream: Upstream
  /** Why the process has to be replaced, because nothing of its own brings it back; undefined: it has not. */
  stuck: () => string | undefined
  /** Why the process cannot serve now; undefined when nothing of its own hinders it. */
  hindrance: () => string | undefined
  /** What of the files is in force, and what cannot be used. */
  standing: () => ReloadStanding
}

/**
 * /healthz (the process; 503 when it has to be replaced) and /readyz (503 while something
 * hinders it or the upstream is away; with ?verbose also what of the files cannot be used).
 */
export const probes = fp<ProbesOptions>(async (app, { upstream, stuck, hindrance, standing }) => {
  app.get('/healthz', async (_request, reply) => {
    const reason = stuck()
    return reason === undefined ? { healthy: true } : await reply.code(503).send({ healthy: false, reason })
  })
  app.get('/readyz', async (request, reply) => {
    const reason = hindrance() ?? await upstream.ailment()
    const isVerbose = Object.hasOwn(request.query as object, 'verbose')
    const more = isVerbose ? { configuration: shown(standing()) } : {}
    return reason === undefined
      ? { ready: true, ...more }
      : await reply.code(503).send({ ready: false, reason, ...more })
  })
}, { name: 'probes', fastify: '5.x' })

/** Nothing that somebody wrote: whoever asks need not be who may read the files. */
function shown ({ mistakes, later, last }: ReloadStanding): object {
  const changed = last === undefined ? {} : { changed: last.changed, at: new Date(last.time * 1000).toISOString() }
  return { sound: mistakes.length === 0, mistakes: mistakes.map(withoutValues), restartToApply: later, ...changed }
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
