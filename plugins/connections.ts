// Closes connections that are more than there may be, as soon as they come: nothing of them
// is read and nothing is said, because whoever floods would have that for free.
import type { DropArgument, Socket } from 'node:net'
import fp from 'fastify-plugin'
import type { ReadClient } from '../src/http/client.ts'
import { atMostEvery } from '../src/lib/at-most-every.ts'
import type { ConnectionBounds, ConnectionCounts } from '../src/limits/connections.ts'
import type { Settings } from '../src/live/settings.ts'
import { originOf } from '../src/limits/origin.ts'

export interface ConnectionsOptions {
  counts: ConnectionCounts
  /** Others of them may change its bounds; left out: they stay. */
  settings?: Settings
  /** Whether a peer is a trusted proxy. */
  read: ReadClient
}

/** Milliseconds between two lines that say so. */
const QUIET = 10_000

export default fp<ConnectionsOptions>(async (app, { counts, read, settings }) => {
  const sayer = (key: string, boundOf: (bounds: ConnectionBounds) => number): (ip: string | undefined) => void => {
    let last: string | undefined
    const say = atMostEvery(QUIET, () => {
      const { open, refused, ...bounds } = counts.standing()
      app.log.warn(
        { ip: last, open, bound: boundOf(bounds), refused },
        `connections are closed as they come: there are as many as ${key} allows`
      )
    }, () => performance.now())
    return ip => {
      last = ip
      say()
    }
  }
  const sayAll = sayer('listen.maxConnections', ({ all }) => all)
  const sayAddress = sayer('listen.maxConnectionsPerAddress', ({ ofOrigin }) => ofOrigin)
  const bound = (): void => { app.server.maxConnections = counts.standing().all }

  bound()
  const unfollow = settings?.follow(bound)
  app.addHook('onClose', async () => { unfollow?.() })
  app.server.on('drop', (dropped?: DropArgument) => {
    counts.refusedOfAll()
    sayAll(dropped?.remoteAddress)
  })
  // Before Node makes a parser for it.
  app.server.prependListener('connection', (socket: Socket) => {
    const { address, isProxy } = read(socket.remoteAddress, {})
    const origin = isProxy ? undefined : originOf(address)
    if (counts.take(origin) === 'taken') {
      socket.on('close', () => { counts.giveBack(origin) })
      return
    }
    sayAddress(address)
    socket.destroy()
  })
}, { name: 'connections', fastify: '5.x' })
