// What did the client send to say who it is? The Authorization header, read: Basic
// (RFC 7617), Bearer (RFC 6750), a bare JWT (which cm-push can send, chartmuseum/helm-push
// v0.10.4, pkg/chartmuseum/upload.go, and ChartMuseum takes), or nothing.
import { isUtf8 } from 'node:buffer'
import type { LoginFacts } from '../observe/outcome.ts'

export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic', readonly username: string, readonly password: string }
  | { readonly kind: 'bearer', readonly token: string }
  | { readonly kind: 'malformed' }

const NONE: Credentials = { kind: 'none' }
const MALFORMED: Credentials = { kind: 'malformed' }
// A token's header is a JSON object, so its encoding begins like this; no master key can be taken for one.
const JWT = /^eyJ[A-Za-z0-9_-]*\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]*$/

/** Reads the value of an Authorization header; undefined is no header. */
export function readCredentials (header: string | undefined): Credentials {
  if (header === undefined) return NONE
  const space = header.indexOf(' ')
  if (space < 0) return JWT.test(header) ? { kind: 'bearer', token: header } : MALFORMED
  const scheme = header.slice(0, space).toLowerCase()
  const value = header.slice(space + 1).trim()
  if (value === '') return MALFORMED
  if (scheme === 'bearer') return /\s/.test(value) ? MALFORMED : { kind: 'bearer', token: value }
  return scheme === 'basic' ? readBasic(value) : MALFORMED
}

/** True for a header of the Basic scheme. */
export function isBasic (header: string | undefined): boolean {
  return header !== undefined && /^basic /i.test(header)
}

/** How credentials came, and under which name. @param header what they were read from, if it is one */
export function loginOf (credentials: Credentials, header = ''): LoginFacts {
  switch (credentials.kind) {
    case 'none': return { method: 'none' }
    case 'bearer': return { method: 'bearer' }
    case 'basic': return { method: 'basic', name: credentials.username }
    case 'malformed': return { method: isBasic(header) ? 'basic' : /^bearer\b/i.test(header) ? 'bearer' : 'none' }
  }
}

/** True for what has the form of a signed token. */
export function looksLikeToken (text: string): boolean {
  return JWT.test(text)
}

function readBasic (value: string): Credentials {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(value)) return MALFORMED
  const bytes = Buffer.from(value, 'base64')
  // Other bytes would be taken for U+FFFD, whichever they are (RFC 7617 section 2.1).
  if (!isUtf8(bytes)) return MALFORMED
  const text = bytes.toString('utf8')
  const colon = text.indexOf(':')
  if (colon < 0 || text.includes('\0')) return MALFORMED
  return { kind: 'basic', username: text.slice(0, colon), password: text.slice(colon + 1) }
}
