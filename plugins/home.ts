// What is at the root? Whoever opens the URL is told what this is, and nothing of who has
// charts here: a program as JSON, a browser as a sentence.
import fp from 'fastify-plugin'
import { wantsPage } from '../src/http/conditional.ts'

export interface HomeOptions {
  publicUrl: string
  /** The segments that name a tenant; undefined when their number is not fixed. */
  depth: number | undefined
}

export default fp<HomeOptions>(async (app, { publicUrl, depth }) => {
  const tenant = '/TENANT'.repeat(depth ?? 1)
  const command = `helm repo add NAME ${publicUrl}${tenant}`
  const json = JSON.stringify({ service: 'chartgate', what: 'a repository of Helm charts', use: command })
  const page = '<!doctype html><meta charset="utf-8"><title>chartgate</title>' +
    `<p>This is a repository of Helm charts, for programs. To use it: <code>${command}</code></p>\n`
  app.get('/', { exposeHeadRoute: true }, async (request, reply) => {
    const isBrowser = wantsPage(request.headers.accept)
    return await reply
      .header('content-type', isBrowser ? 'text/html; charset=utf-8' : 'application/json; charset=utf-8')
      .header('vary', 'accept')
      .send(isBrowser ? page : json)
  })
}, { name: 'home', fastify: '5.x', encapsulate: true })
