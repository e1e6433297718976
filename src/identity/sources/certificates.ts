// Whose certificate is it? What a connection has shown is verified by OpenSSL once, in its
// handshake, and judged here for each request by what is in force then: its time, an
// authority that is still trusted, a name that still stands for somebody. One that counts
// for nothing is no credential.
import type { X509Certificate } from 'node:crypto'
import type { Live } from '../../lib/live.ts'
import { namesOf } from '../../tls/certificate-names.ts'
import { beginOf, endOf, type Material } from '../../tls/material.ts'
import type { CertificateAccounts } from '../certificate-accounts.ts'
import type { Authentication, IdentitySource } from './source.ts'

/** What a client has shown. */
export interface ShownCertificate {
  readonly own: X509Certificate
  /** What it sent behind its own. */
  readonly others: readonly X509Certificate[]
  /** OpenSSL has found a way to an authority, for a client, at that time. */
  readonly authorized: boolean
}

export interface CertificateSourceOptions {
  /** The authorities in force. */
  readonly clients: Live<Material>
  /** As they are now. */
  readonly accounts: () => CertificateAccounts
  /** Seconds since the epoch. */
  readonly now: () => number
}

export interface CertificateSource extends IdentitySource {
  /** Who it is; undefined when nothing was shown. @param connection what it is kept for */
  of (connection: object, show: () => ShownCertificate | undefined): Authentication | undefined
}

/** What was found out of a connection's certificate, while this is in force. */
interface Known {
  readonly clients: Material
  readonly accounts: CertificateAccounts
  /** Seconds since the epoch. */
  readonly from: number
  readonly until: number
  readonly result: Authentication
}

/** A connection, and the names that were read once: they do not change. */
interface Connection {
  readonly shown: ShownCertificate | undefined
  known?: Known
}

const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'
const UNTRUSTED: Authentication = { ok: false, code: 'certificate_untrusted' }
const UNKNOWN: Authentication = { ok: false, code: 'certificate_unknown' }
/** Certificates from the client's own to an authority, and of those that it sends along. */
const LONGEST_CHAIN = 10

export function createCertificateSource (
  { clients, accounts, now }: CertificateSourceOptions
): CertificateSource {
  const connections = new WeakMap<object, Connection>()

  function judge (shown: ShownCertificate): Known {
    const [inForce, there, time] = [clients.current, accounts(), now()]
    // Of a stranger nothing is verified: that costs what they like it to.
    const chain = shown.authorized && isForClients(shown.own) ? chainOf(shown, inForce.authorities) : undefined
    if (chain === undefined) {
      return { clients: inForce, accounts: there, from: -Infinity, until: Infinity, result: UNTRUSTED }
    }
    const [from, until] = [Math.max(...chain.map(beginOf)), Math.min(...chain.map(endOf))]
    const base = { clients: inForce, accounts: there }
    if (time < from) return { ...base, from: -Infinity, until: from, result: UNTRUSTED }
    if (time >= until) return { ...base, from: until, until: Infinity, result: UNTRUSTED }
    const principal = there.find(namesIn(shown.own))
    return { ...base, from, until, result: principal === undefined ? UNKNOWN : { ok: true, principal } }
  }

  return {
    authenticate: () => undefined, // it is no secret that is sent
    isActive: subject => accounts().isActive(subject),
    of (connection, show) {
      let kept = connections.get(connection)
      if (kept === undefined) connections.set(connection, kept = { shown: show() })
      const { shown, known } = kept
      if (shown === undefined) return undefined
      const time = now()
      if (
        known !== undefined && known.clients === clients.current && known.accounts === accounts() &&
        known.from <= time && time < known.until
      ) {
        return known.result
      }
      kept.known = judge(shown)
      return kept.known.result
    }
  }
}

/** What cannot be read has no name. */
function namesIn ({ raw }: X509Certificate): readonly string[] {
  try {
    return namesOf(raw)
  } catch {
    return []
  }
}

/** Where it says what it is for, that has to be in it (RFC 5280 section 4.2.1.12). */
function isForClients ({ keyUsage }: X509Certificate): boolean {
  return (keyUsage as readonly string[] | undefined)?.includes(CLIENT_AUTH) !== false
}

/**
 * From the certificate to an authority that is in force: OpenSSL has judged the way at the
 * handshake, by those that were in force then, and this sees that there still is one.
 */
function chainOf (
  { own, others }: ShownCertificate,
  authorities: readonly X509Certificate[]
): readonly X509Certificate[] | undefined {
  const chain = [own]
  const alongside = others.slice(0, LONGEST_CHAIN)
  for (let last = own; chain.length < LONGEST_CHAIN;) {
    const issuer = authorities.find(each => hasIssued(each, last)) ?? alongside.find(each => hasIssued(each, last))
    if (issuer === undefined) return undefined
    chain.push(issuer)
    if (authorities.includes(issuer) && hasIssued(issuer, issuer)) return chain // where OpenSSL ends
    last = issuer
  }
  return undefined
}

function hasIssued (authority: X509Certificate, certificate: X509Certificate): boolean {
  return authority.ca && certificate.checkIssued(authority) && certificate.verify(authority.publicKey)
}
