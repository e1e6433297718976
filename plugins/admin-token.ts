// Who may look at the gateway? With admin.token only who sends it, but for the two questions
// of a kubelet, which has no secret: whether it lives, and whether it is ready.
import fp from 'fastify-plugin'
import { RefusalError } from '../src/http/errors.ts'
import { readCredentials } from '../src/identity/credentials.ts'
import { liveSecretComparer } from '../src/lib/same-secret.ts'
import { refusePlainly } from './errors.ts'

export interface AdminTokenOptions {
  /** As it is now; undefined: nothing has to be sent. */
  token: () => string | undefined
}

const OPEN: ReadonlySet<string | undefined> = new Set(['/healthz', '/readyz'])

export default fp<AdminTokenOptions>(async (app, { token }) => {
  const isToken = liveSecretComparer(() => token() ?? '')
  app.addHook('onRequest', (request, reply, done) => {
    if (token() === undefined || OPEN.has(request.raw.url)) return done()
    const credentials = readCredentials(request.headers.authorization)
    if (credentials.kind === 'bearer' && isToken(credentials.token)) return done()
    reply.header('www-authenticate', 'Bearer realm="admin"')
    const code = credentials.kind === 'none' ? 'missing_credentials' : 'bad_credentials'
    refusePlainly(new RefusalError({ code }), request, reply)
  })
}, { name: 'admin-token', fastify: '5.x' })
