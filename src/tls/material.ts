// Can these certificates and this key be used? What one part of the configuration names in
// PEM files: a certificate with its key, certificate authorities, or both. All that is wrong
// with them is said before any of it is used.
import { createPrivateKey, X509Certificate, type KeyObject } from 'node:crypto'
import { createSecureContext } from 'node:tls'

/** By what they hold; absolute names of files, or what is in them. */
export interface TlsTexts {
  /** A certificate, and behind it those that lead to an authority. */
  readonly cert?: string
  readonly key?: string
  /** Certificate authorities, one or more. */
  readonly ca?: string
}

export const MIN_VERSIONS = ['1.2', '1.3'] as const

/** What one part of the configuration says of TLS. */
export interface TlsNames {
  readonly files: TlsTexts
  /** The least version that a listener speaks; left out: 1.2. */
  readonly minVersion?: typeof MIN_VERSIONS[number]
  /** What the certificate of who is asked has to be for; left out: the host of its URL. */
  readonly serverName?: string
}

export interface Material extends TlsNames {
  /** What was read: another process can begin with it. */
  readonly texts: TlsTexts
  /** The certificate that is shown. */
  readonly own?: X509Certificate
  readonly authorities: readonly X509Certificate[]
}

export type MaterialResult =
  | { readonly ok: true, readonly material: Material }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

/** @param names where the texts come from, and what else is said of them */
export function readMaterial (names: TlsNames, texts: TlsTexts): MaterialResult {
  const { files } = names
  const own = texts.cert === undefined ? [] : certificatesIn(`${files.cert}`, texts.cert)
  const authorities = texts.ca === undefined ? [] : certificatesIn(`${files.ca}`, texts.ca)
  const key = texts.key === undefined ? undefined : keyIn(`${files.key}`, texts.key)
  const mistakes = [own, authorities, key].flatMap(read => typeof read === 'string' ? [read] : [])
  if (typeof own === 'string' || typeof authorities === 'string' || typeof key === 'string') {
    return { ok: false, mistakes }
  }
  const [leaf] = own
  if (leaf !== undefined && key !== undefined && !leaf.checkPrivateKey(key)) {
    return { ok: false, mistakes: [`${files.key} is not the key of the certificate in ${files.cert}: ` + TOGETHER] }
  }
  const material = { ...names, texts, authorities, ...(leaf === undefined ? {} : { own: leaf }) }
  const fault = faultOfTls(material)
  return fault === undefined ? { ok: true, material } : { ok: false, mistakes: [`${named(files)}: ${fault}`] }
}

const TOGETHER = 'give the two that were made together, in the file of the certificate the gateway\'s own before others'

/** Seconds since the epoch. */
export function beginOf ({ validFrom }: X509Certificate): number {
  return Date.parse(validFrom) / 1000
}

/** Seconds since the epoch. */
export function endOf ({ validTo }: X509Certificate): number {
  return Date.parse(validTo) / 1000
}

/** Why the certificate that is shown does not count now; of authorities nothing is said, of which others may do. */
export function timeFault ({ files, own }: Material, now: number): string | undefined {
  if (own === undefined) return undefined
  if (endOf(own) <= now) return `the certificate in ${files.cert} ended at ${timeText(endOf(own))}: give a new one`
  return beginOf(own) > now
    ? `the certificate in ${files.cert} does not count before ${timeText(beginOf(own))}: ` +
      'wait for that, or set the clock of this machine right'
    : undefined
}

/** Of all in it the first that ends; undefined: there is none. */
export function firstEnd ({ own, authorities }: Pick<Material, 'own' | 'authorities'>): number | undefined {
  const all = [...authorities, ...own === undefined ? [] : [own]]
  return all.length === 0 ? undefined : Math.min(...all.map(endOf))
}

export function timeText (time: number): string {
  return new Date(time * 1000).toISOString().replace(/\.\d+Z$/, 'Z')
}

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g

function certificatesIn (file: string, text: string): readonly X509Certificate[] | string {
  const found = text.match(CERTIFICATE) ?? []
  if (found.length === 0) return `${file} holds no certificate in PEM (-----BEGIN CERTIFICATE-----)`
  try {
    return found.map(pem => new X509Certificate(pem))
  } catch {
    return `${file} holds a certificate that cannot be read: see what openssl x509 -noout -text -in says of it`
  }
}

function keyIn (file: string, text: string): KeyObject | string {
  if (/-----BEGIN ENCRYPTED |\bENCRYPTED$/m.test(text)) {
    return `${file} is an encrypted key, and there is nobody to ask for its password: ` +
      'write it without one (openssl pkey -in OLD -out NEW), in a file that this user alone can read'
  }
  try {
    return createPrivateKey(text)
  } catch {
    return `${file} is not an unencrypted private key in PEM`
  }
}

/** What OpenSSL says of them, as when they are used. */
function faultOfTls ({ texts }: Pick<Material, 'texts'>): string | undefined {
  try {
    createSecureContext(texts)
    return undefined
  } catch (error) {
    return `OpenSSL does not take it (${(error as NodeJS.ErrnoException).code}): ` +
      'a key or a signature in it is too weak, or of an unknown kind'
  }
}

function named ({ cert, ca }: TlsTexts): string {
  return [cert, ca].filter(file => file !== undefined).join(' and ')
}
