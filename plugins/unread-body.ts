// Where a body counts for nothing nobody waits for one: neither an answer nor the end of a
// gateway, which one that never comes would hold up.
import type { FastifyInstance } from 'fastify'

/** Lets a request have a body, of whatever type, and reads nothing of it. */
export function leaveBodyUnread (app: FastifyInstance): void {
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => {
    payload.resume()
    done(null, undefined)
  })
}
