// Where can nobody on the way change what is read? Behind https, or on this machine.
import { isIP } from 'node:net'

/** True for an https URL, or an http one on loopback; with no user in it, no fragment. */
export function isSafeUrl (text: string): boolean {
  if (!URL.canParse(text) || /[\s#@\\]/.test(text)) return false
  const url = new URL(text)
  return url.protocol === 'https:' || (url.protocol === 'http:' && isLoopbackUrl(url))
}

/** True for a URL whose host only this machine reaches. */
export function isLoopbackUrl ({ hostname }: URL): boolean {
  return isLoopback(hostname.replace(/^\[|\]$/g, ''))
}

/** True for an address or name that only this machine reaches. */
export function isLoopback (host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'))
}
