// Whose is an address, as far as limits go? An IPv4 address is one client's or one
// network's behind it; of IPv6 a client has as many as it likes, in one /64 (RFC 4291
// section 2.5.4, RFC 6177).
import { isIPv6 } from 'node:net'

/** Of who has gone before anybody asked for an address. */
const NO_ADDRESS = ''

/**
 * @param address a client's, as `src/http/client.ts` reads it; the result is a text of its
 * own, and keeps no header in memory that it was cut out of
 */
export function originOf (address: string | undefined): string {
  if (address === undefined) return NO_ADDRESS
  if (isIPv6(address)) return networkOf(address)
  return address.split('.').map(Number).join('.')
}

/**
 * The first six groups of IPv6 addresses whose last two are an IPv4 address, of which all
 * clients would be one /64: as a system writes one that comes to an IPv6 socket (RFC 4291
 * section 2.5.5.2), and as a translator does in front of a network without IPv4 (RFC 6052
 * section 2.1).
 */
const IPV4_WITHIN: ReadonlySet<string> = new Set(['0:0:0:0:0:ffff', '64:ff9b:0:0:0:0'])

/** The first half of an IPv6 address, or the IPv4 address that it stands for. */
function networkOf (address: string): string {
  const groups = groupsOf(address)
  if (IPV4_WITHIN.has(groups.slice(0, 6).map(group => group.toString(16)).join(':'))) {
    return groups.slice(6).flatMap(group => [group >> 8, group & 0xff]).join('.')
  }
  return `${groups.slice(0, 4).join(':')}/64`
}

/** All eight; `::` stands for those that are missing, and the last two may be written as IPv4. */
function groupsOf (address: string): number[] {
  const [head, tail] = address
    .replace(/(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})$/, (_all, a: string, b: string, c: string, d: string) =>
      [[a, b], [c, d]].map(([high, low]) => (Number(high) * 256 + Number(low)).toString(16)).join(':'))
    .split('::')
    .map(part => part === '' ? [] : part.split(':')) as [string[], string[] | undefined]
  const missing = tail === undefined ? 0 : 8 - head.length - tail.length
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail ?? []]
  return groups.map(group => Number.parseInt(group, 16))
}
