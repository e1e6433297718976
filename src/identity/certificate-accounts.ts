// Whom do certificates of clients stand for? What the configuration says of them, ready to
// be asked; swapped whole at a reload.
import { keyOfName, readDistinguishedName } from '../tls/distinguished-name.ts'
import { isIpName, keyOfDns, keyOfEmail, keyOfIp, keyOfSubject, keyOfUri } from '../tls/name-keys.ts'
import { accountPrincipal, type Principal } from '../words/principal.ts'
import { readSubject } from '../words/subject.ts'

/** As the configuration has it: a name here, and one name that certificates have. */
export interface CertificateEntry {
  readonly name: string
  readonly subject?: string
  readonly dns?: string
  readonly email?: string
  readonly uri?: string
  readonly ip?: string
  readonly groups?: readonly string[]
}

export interface CertificateAccounts {
  /** Who has one of these names; of several the first in the configuration. */
  find (names: readonly string[]): Principal | undefined
  /** Everybody who is there, by name. */
  readonly principals: ReadonlyMap<string, Principal>
  /** True for the subject of somebody who is there. */
  isActive (subject: string): boolean
}

export function compileCertificates (entries: readonly CertificateEntry[]): CertificateAccounts {
  const byKey = new Map<string, { readonly place: number, readonly principal: Principal }>()
  const principals = new Map<string, Principal>()
  for (const [place, entry] of entries.entries()) {
    const principal = accountPrincipal('cert', entry.name, entry.groups ?? [])
    principals.set(entry.name, principal)
    for (const key of keysOf(entry)) byKey.set(key, { place, principal })
  }
  return {
    principals,
    find (names) {
      const found = names.flatMap(name => byKey.get(name) ?? [])
      return found.reduce<typeof found[number] | undefined>((first, each) => {
        return first === undefined || each.place < first.place ? each : first
      }, undefined)?.principal
    },
    isActive (subject) {
      const { kind, name } = readSubject(subject)
      return kind === 'cert' && principals.has(name)
    }
  }
}

/** What certificates have to be called; the configuration's rules see to it that it is one thing, and sound. */
export function keysOf ({ subject, dns, email, uri, ip }: CertificateEntry): string[] {
  const name = subject === undefined ? undefined : readDistinguishedName(subject)
  return [
    ...(name === undefined ? [] : [keyOfSubject(keyOfName(name))]),
    ...(dns === undefined ? [] : [keyOfDns(dns)]),
    ...(email === undefined ? [] : [keyOfEmail(email)]),
    ...(uri === undefined ? [] : [keyOfUri(uri)]),
    ...(ip === undefined || !isIpName(ip) ? [] : [keyOfIp(ip)])
  ]
}
