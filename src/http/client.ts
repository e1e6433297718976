// Who is at the other end? The address that the log and the upstream are told, and the
// scheme and host that the client used. X-Forwarded-* is believed from the configured
// proxies alone, and only where it has the form of what it is for; nothing here decides
// about a request or is part of an answer. `Forwarded` (RFC 7239) is not read.
import type { IncomingHttpHeaders } from 'node:http'
import { BlockList, isIP } from 'node:net'
import { putBounded } from '../lib/put-bounded.ts'

export interface Client {
  /** Its IP address; undefined when the connection was gone before anybody asked. */
  readonly address: string | undefined
  /** The address is that of a trusted proxy, which said of nobody: many clients, maybe. */
  readonly isProxy: boolean
  readonly proto: string
  /** Host and, where it is not the usual one, port. */
  readonly host: string
  /** The trusted proxy that said so, when the address is not its own. */
  readonly proxy?: string
  /** The traceparent that a trusted proxy sent (W3C Trace Context, version 00). */
  readonly trace?: string
}

export interface ClientSource {
  /** IP addresses and CIDRs. */
  readonly trustedProxies: readonly string[]
  /** Scheme and host for everybody who does not come through one of them. */
  readonly publicUrl: string
}

/** @param peer the address of the connection */
export type ReadClient = (peer: string | undefined, headers: IncomingHttpHeaders) => Client

/** Who a connection comes from, whatever its headers say. */
interface Peer {
  readonly isTrusted: boolean
  readonly client: Client
}

const MOST_PEERS = 10_000
const HOST = /^(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/
const TRACE = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/

export function createClientReader ({ trustedProxies, publicUrl }: ClientSource): ReadClient {
  const isTrusted = trust(trustedProxies)
  const { protocol, host } = new URL(publicUrl)
  const own = { proto: protocol.slice(0, -1), host }
  /** Of peers that came before: the same few proxies and runners send most requests. */
  const peers = new Map<string, Peer>()

  function readPeer (peer: string): Peer {
    const address = readAddress(peer)
    const isProxy = address !== undefined && isTrusted(address)
    const read = { isTrusted: isProxy, client: { address, isProxy, ...own } }
    putBounded(peers, peer, read, MOST_PEERS)
    return read
  }

  return (peer = '', headers) => {
    const known = peers.get(peer) ?? readPeer(peer)
    const { address } = known.client
    if (!known.isTrusted || address === undefined) return known.client
    const proto = listOf(headers['x-forwarded-proto']).at(-1)?.toLowerCase()
    const forwardedHost = listOf(headers['x-forwarded-host']).at(-1)
    const trace = traceOf(headers['traceparent'])
    const nearest = behind(address, listOf(headers['x-forwarded-for']), isTrusted)
    return {
      address: nearest,
      isProxy: nearest === address,
      proto: proto === 'http' || proto === 'https' ? proto : own.proto,
      host: forwardedHost !== undefined && HOST.test(forwardedHost) ? forwardedHost : own.host,
      ...(nearest === address ? {} : { proxy: address }),
      ...(trace === undefined ? {} : { trace })
    }
  }
}

export interface LiveClientSource {
  readonly publicUrl: string
  /** As they are now. */
  readonly proxies: () => readonly string[]
  /** Those that are trusted besides them, as they are now. */
  readonly besides?: () => readonly string[]
}

/** The same for proxies that may change: it is made anew when they have. */
export function createLiveClientReader ({ publicUrl, proxies, besides = nobody }: LiveClientSource): ReadClient {
  const make = (): ReadClient => createClientReader({ trustedProxies: [...others, ...known], publicUrl })
  let known = proxies()
  let others = besides()
  let read = make()
  return (peer, headers) => {
    const now = proxies()
    const nowBesides = besides()
    if (now !== known || nowBesides !== others) {
      known = now
      others = nowBesides
      read = make()
    }
    return read(peer, headers)
  }
}

const NOBODY: readonly string[] = []
const nobody = (): readonly string[] => NOBODY

/**
 * A traceparent of the one version that there is, as it came; neither id is all zeros (W3C
 * Trace Context, section 3.2). Of several headers Node makes one text, which has not this form.
 */
function traceOf (header: string | string[] | undefined): string | undefined {
  return typeof header === 'string' && TRACE.test(header) ? header : undefined
}

/**
 * The nearest address that is no trusted proxy's, from right to left; what is no address
 * ends the list, and so its writer is the client.
 */
function behind (proxy: string, list: readonly string[], isTrusted: (address: string) => boolean): string {
  let nearest = proxy
  for (let i = list.length - 1; i >= 0 && isTrusted(nearest); i--) {
    const address = readAddress(list[i] as string)
    if (address === undefined) break
    nearest = address
  }
  return nearest
}

function trust (networks: readonly string[]): (address: string) => boolean {
  const list = new BlockList()
  for (const network of networks) {
    const [address, bits] = network.split('/') as [string, string | undefined]
    const family = isIP(address) === 4 ? 'ipv4' : 'ipv6'
    list.addSubnet(address, bits === undefined ? (family === 'ipv4' ? 32 : 128) : Number(bits), family)
  }
  return networks.length === 0 ? () => false : address => list.check(address, isIP(address) === 4 ? 'ipv4' : 'ipv6')
}

/**
 * An IP address in one form: without a port (some proxies write one), zone, or the IPv6
 * notation of an IPv4 address.
 */
function readAddress (text: string): string | undefined {
  const [bare] = text
    .replace(/^\[([^\]]*)\](?::\d{1,5})?$/, '$1')
    .replace(/^([\d.]+):\d{1,5}$/, '$1')
    .split('%', 1) as [string]
  const address = bare.replace(/^::ffff:(?=[\d.]+$)/i, '')
  return isIP(address) === 0 ? undefined : address
}

/** The members of a list (RFC 9110 section 5.6.1); Node has put several headers of the name together. */
function listOf (header: string | string[] | undefined): string[] {
  return String(header ?? '').split(',').map(each => each.trim()).filter(each => each !== '')
}
