// Asks whether they may: one judgement of every right that the request needs, before a
// body is read and before the upstream hears of it.
import fp from 'fastify-plugin'
import { needsOf } from '../src/doors/needs.ts'
import { isBasic } from '../src/identity/credentials.ts'
import type { Principal } from '../src/words/principal.ts'
import { judge, judgeIdentity } from '../src/judge.ts'
import type { LiveAuthority } from '../src/live/reload.ts'

export interface AuthorizeOptions { live: LiveAuthority }

export default fp<AuthorizeOptions>(async (app, { live }) => {
  app.addHook('onRequest', (request, reply, done) => {
    const needs = needsOf(request.target)
    if (needs === 'nothing') return done()
    const principal = request.principal as Principal // set by authenticate, which stands before
    const judgement = needs === 'credentials'
      ? judgeIdentity(principal)
      : judge(principal, needs, live.current.rules, isBasic(request.headers.authorization))
    if (judgement.allowed) {
      request.outcome.allowedBy = judgement.by
      done()
      return
    }
    const { certificateFault: fault } = request
    const { refusal } = judgement
    reply.refuse(refusal.code === 'missing_credentials' && fault !== undefined ? { code: fault } : refusal)
  })
}, { name: 'authorize', fastify: '5.x', dependencies: ['authenticate'] })
