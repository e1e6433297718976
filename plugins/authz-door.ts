// Answers proxies that ask whether a request of theirs may pass: what it needs, who asks and
// whether they may was judged before, as for every door, and here the yes is given.
import type { IncomingMessage, ServerResponse } from 'node:http'
import fp from 'fastify-plugin'
import type { FastifyRequest } from 'fastify'
import type { ChartRequest } from '../src/chartmuseum/chart-request.ts'
import { yesHeaders } from '../src/doors/authz/authz-answer.ts'
import { isChange } from '../src/doors/authz/authz-target.ts'
import { AUTHZ_PATH } from '../src/doors/authz/sub-request.ts'
import type { Principal } from '../src/words/principal.ts'
import { tellChange } from './request-log.ts'

export interface AuthzDoorOptions {
  /** What the upstream wants to be asked with, where that may be handed out; undefined: nothing is. */
  authorization: (asked: ChartRequest) => Promise<string | undefined>
}

export default fp<AuthzDoorOptions>(async (app, { authorization }) => {
  // No body is asked for: an expectation of the client's, which proxies pass on, is met by the answer.
  const answer = (request: IncomingMessage, response: ServerResponse): void => {
    app.server.emit('request', request, response)
  }
  app.server.on('checkContinue', answer)
  app.server.on('checkExpectation', answer)
  app.get(AUTHZ_PATH, { exposeHeadRoute: false }, async (request, reply) => {
    const asked = askedIn(request)
    const headers = yesHeaders(request.principal as Principal, asked, await authorization(asked))
    if (isChange(asked)) await tellChange(reply)
    return await reply.headers(headers).header('cache-control', 'no-store').send()
  })
}, { name: 'authz-door', fastify: '5.x', dependencies: ['authorize', 'request-log'] })

function askedIn ({ target }: FastifyRequest): ChartRequest {
  /* c8 ignore next -- a door that was registered for another kind of target */
  if (target.kind !== 'authz') throw new Error(`questions of proxies come here, and no ${target.kind}`)
  return target.request
}
