// Who holds a connection open without asking anything? When the listener closes, Node looks
// no more at how long a head or a body may take, and takes who has not sent a whole one for
// busy: one silent connection of anybody would hold up the end as long as running requests
// may. Each gets a short time more, in which a request that was on its way arrives.
import type { ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import fp from 'fastify-plugin'
import { answerOf, isDeaf } from '../src/http/last-words.ts'
import { every } from '../src/lib/timers.ts'
import { replyOf } from './meter.ts'
import { issuesToken } from './request-audit.ts'

export interface UnaskedOptions {
  /** Milliseconds that they get. */
  patience: number
}

export default fp<UnaskedOptions>(async (app, { patience }) => {
  const open = new Set<Socket>()
  const follow = (socket: Socket): void => {
    open.add(socket)
    socket.on('close', () => { open.delete(socket) })
  }
  app.server.prependListener('connection', follow)
  // Over TLS a request comes through a socket of its own around that one.
  app.server.prependListener('secureConnection', follow)
  app.addHook('preClose', done => {
    const end = every(patience, () => {
      const busy = new Set([...open].filter(isBusy).map(placeOf))
      for (const socket of open) if (!busy.has(placeOf(socket))) socket.destroy()
    })
    app.server.once('close', end)
    done()
  })
}, { name: 'unasked', fastify: '5.x' })

/** A request is answered, or the last words are on their way, which have an end of their own. */
function isBusy (socket: Socket): boolean {
  const answer = answerOf(socket)
  return answer === undefined ? isDeaf(socket) : !waitsForForm(answer)
}

/** For the body of a token request, that is: an upload has an end of its own (src/uploads). */
function waitsForForm (answer: ServerResponse): boolean {
  const reply = replyOf(answer)
  return reply !== undefined && !answer.headersSent && !answer.req.complete && issuesToken(reply.request)
}

/** The same for both sockets of a connection. */
function placeOf ({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`
}
