// Forwards the reads that have no door of their own: the API's and artifacthub-repo.yml.
// What goes to the upstream is built from the understood request, what comes back passes a
// list of allowed headers.
import fp from 'fastify-plugin'
import { alone } from '../src/upstream/asker.ts'
import type { Upstream } from '../src/upstream/client.ts'
import { readThrough, type ReadAnswer } from '../src/upstream/read-through.ts'
import { callerOf } from './client.ts'
import { sendRead } from './read-answer.ts'
import { chartRequestOf } from './request-target.ts'

export interface ForwardDoorOptions { upstream: Upstream }

export default fp<ForwardDoorOptions>(async (app, { upstream }) => {
  app.route({
    method: ['GET', 'HEAD'],
    url: '/forward',
    handler: (request, reply) => {
      readThrough(upstream, { method: request.method as 'GET' | 'HEAD', target: chartRequestOf(request), company: alone(callerOf(request)) })
        .then(answer => { sendRead(reply, answer as ReadAnswer) }) // only what is for several is left
        .catch((error: unknown) => { reply.send(error) })
    }
  })
}, { name: 'forward-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })
