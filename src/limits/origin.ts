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

/** The first half of an IPv6 address; `::` stands for the groups that are missing. */
function networkOf (address: string): string {
  const [head, tail] = address
    .split('::')
    .map(part => part === '' ? [] : part.split(':')) as [string[], string[] | undefined]
  const missing = tail === undefined ? 0 : 8 - head.length - tail.length
  const groups = [...head, ...Array<string>(missing).fill('0'), ...tail ?? []]
  return `${groups.slice(0, 4).map(group => Number.parseInt(group, 16)).join(':')}/64`
}
