// When are two names of certificates the same? When their keys are. A kind stands before
// each, so that a name of one kind is never one of another.
import { isIP, isIPv6 } from 'node:net'

/** @param name as distinguished-name.ts has it */
export function keyOfSubject (name: string): string {
  return `subject:${name}`
}

/** Names of hosts have no case (RFC 4343); a wildcard is a name like any other. */
export function keyOfDns (name: string): string {
  return `dns:${name.toLowerCase()}`
}

export function keyOfEmail (address: string): string {
  return `email:${address}`
}

export function keyOfUri (uri: string): string {
  return `uri:${uri}`
}

/** An address is its bytes: of IPv6 there are several spellings of one. @param address without a zone */
export function keyOfIp (address: string): string {
  return `ip:${isIPv6(address) ? new URL(`http://[${address}]`).hostname : address}`
}

/** An address of which there is a key: a zone is in no certificate. */
export function isIpName (text: string): boolean {
  return isIP(text) !== 0 && !text.includes('%')
}
