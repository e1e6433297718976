// How does a listener speak TLS? HTTP/1.1 over TLS 1.2 and 1.3, with what is in force when
// a connection begins; those that are open stay as they are. A client's certificate is asked
// for where authorities are named, and never demanded: what it proves is judged for each
// request (identity/client-certificates.ts).
import { constants, randomBytes } from 'node:crypto'
import type { RequestListener, ServerOptions } from 'node:http'
import { createServer, type Server } from 'node:https'
import type { SecureContextOptions, TlsOptions } from 'node:tls'
import type { Live } from '../lib/live.ts'
import type { Material } from './material.ts'

export interface ListenerTls {
  readonly pair: Live<Material>
  /** Whose certificates of clients count; undefined: none are asked for. */
  readonly clients?: Live<Material>
}

/** Milliseconds for the handshake; as for the head of a request. */
const HANDSHAKE = 15_000

/** Opens it, and keeps it at what is in force until it is closed. */
export function createTlsServer (tls: ListenerTls, options: ServerOptions, handler: RequestListener): Server {
  const asking: TlsOptions = { requestCert: tls.clients !== undefined, rejectUnauthorized: false }
  const protocol: TlsOptions = { ALPNProtocols: ['http/1.1'], handshakeTimeout: HANDSHAKE }
  const server = createServer({ ...options, ...asking, ...protocol, ...contextOf(tls) }, handler)
  const swap = (): void => { server.setSecureContext(contextOf(tls)) }
  const ends = [tls.pair, ...tls.clients === undefined ? [] : [tls.clients]].map(current => current.follow(swap))
  return server.once('close', () => { for (const end of ends) end() })
}

/**
 * New keys for tickets each time: no session of before is resumed. With certificates of
 * clients none is at all, because a resumed one does not show what led to an authority.
 */
function contextOf ({ pair, clients }: ListenerTls): SecureContextOptions & Pick<TlsOptions, 'ticketKeys'> {
  const { texts: { cert, key }, minVersion = '1.2' } = pair.current
  return {
    cert,
    key,
    ca: clients?.current.texts.ca,
    minVersion: `TLSv${minVersion}`,
    ticketKeys: randomBytes(48),
    ...(clients === undefined ? {} : { secureOptions: constants.SSL_OP_NO_TICKET })
  }
}
