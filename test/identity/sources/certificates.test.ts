// Whose certificate is it, and until when? Certificates as openssl makes them; time and what
// is in force are the test's.
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { compileCertificates, type CertificateEntry } from '../../../src/identity/certificate-accounts.ts'
import { createCertificateSource, type CertificateSource, type ShownCertificate } from '../../../src/identity/sources/certificates.ts'
import { createLive, type Live } from '../../../src/lib/live.ts'
import { beginOf, endOf, readMaterial, type Material } from '../../../src/tls/material.ts'
import { ASKER } from '../../helpers/accounts.ts'
import { Authority, type Issued } from '../../helpers/certificates.ts'
import { testFolder } from '../../helpers/folder.ts'

const dir = testFolder(t)
const root = Authority.make(join(dir, 'root'))
const twin = Authority.make(join(dir, 'twin')) // of the same name, with another key
const middle = root.intermediate(join(dir, 'middle'))
const ci = root.issue({ subject: '/O=Lab/CN=ci', names: 'DNS:ci.example.com', usage: 'clientAuth' })
const x509 = ({ certText }: Pick<Issued, 'certText'>): X509Certificate => new X509Certificate(certText)
/** After those that are issued below begin. */
const NOW = Math.floor(Date.now() / 1000) + 600
const CI: CertificateEntry = { name: 'ci', subject: 'CN=ci,O=Lab', groups: ['team-a'] }

function trusting (...authorities: { readonly certText: string }[]): Material {
  const read = readMaterial({ files: {} }, { ca: authorities.map(({ certText }) => certText).join('') })
  if (!read.ok) throw new Error(read.mistakes.join())
  return read.material
}

function shown (own: Issued, more: Partial<ShownCertificate> = {}): ShownCertificate {
  return { own: x509(own), others: [], authorized: true, ...more }
}

interface Lab { readonly source: CertificateSource, readonly clients: Live<Material>, readonly time: { now: number }, accounts (...entries: CertificateEntry[]): void }

function lab (clients = trusting(root), ...entries: CertificateEntry[]): Lab {
  const current = createLive(clients)
  const time = { now: NOW }
  let accounts = compileCertificates(entries.length === 0 ? [CI] : entries)
  return {
    source: createCertificateSource({ clients: current, accounts: () => accounts, now: () => time.now }),
    clients: current,
    time,
    accounts (...others) { accounts = compileCertificates(others) }
  }
}

await t.test('a sound certificate is whom the configuration says', t => {
  const { source } = lab()
  t.match(source.of({}, () => shown(ci)), { ok: true, principal: { kind: 'cert', subject: 'cert:ci', subjects: ['cert:ci', 'group:team-a', 'authenticated', 'anonymous'] } })
  t.equal(source.of({}, () => undefined), undefined)
  t.equal(source.authenticate({ secret: 'x', username: undefined, header: undefined }, ASKER), undefined)
  t.strictSame([source.isActive('cert:ci'), source.isActive('cert:cd'), source.isActive('robot:ci')], [true, false, false])
  t.end()
})

await t.test('a certificate that OpenSSL did not accept, or that is for something else, is none', t => {
  const { source } = lab()
  const untrusted = { ok: false, code: 'certificate_untrusted' }
  t.match(source.of({}, () => shown(ci, { authorized: false })), untrusted)
  t.match(source.of({}, () => shown(root.issue({ subject: '/O=Lab/CN=ci', usage: 'serverAuth' }))), untrusted)
  t.match(source.of({}, () => shown(root.issue({ subject: '/O=Lab/CN=ci' }))), { ok: true }, 'one that says nothing of it may be used')
  t.match(source.of({}, () => shown(twin.issue({ subject: '/O=Lab/CN=ci' }))), untrusted, 'an authority is known by its key, not by its name')
  t.match(lab(trusting(twin, root)).source.of({}, () => shown(ci)), { ok: true }, 'also where another one has that name')
  t.match(source.of({}, () => shown(root.issue({ subject: '/O=Lab/CN=cd' }))), { ok: false, code: 'certificate_unknown' })
  t.end()
})

await t.test('a way leads to an authority over what the client sends or the gateway has', t => {
  const below = middle.issue({ subject: '/O=Lab/CN=ci' })
  t.match(lab().source.of({}, () => shown(below, { others: [x509(middle)] })), { ok: true })
  t.match(lab(trusting(middle, root)).source.of({}, () => shown(below)), { ok: true })
  t.match(lab().source.of({}, () => shown(below)), { ok: false })
  t.match(lab(trusting(middle)).source.of({}, () => shown(below, { others: [x509(root)] })), { ok: false }, 'and ends at none that the client brings along')
  const foreign = twin.issue({ subject: '/O=Lab/CN=ci' })
  t.match(lab().source.of({}, () => shown(foreign, { others: [x509(twin)] })), { ok: false })
  const notAnAuthority = root.issue({ subject: '/O=Lab/CN=Lab Intermediate' })
  t.match(lab().source.of({}, () => shown(below, { others: [x509(notAnAuthority)] })), { ok: false })
  t.end()
})

await t.test('it counts from its beginning to its end, as every one on the way does', t => {
  const { source, time } = lab()
  const connection = {}
  const at = (now: number): boolean | undefined => {
    time.now = now
    return source.of(connection, () => shown(ci))?.ok
  }
  const [begin, end] = [Math.max(beginOf(x509(ci)), beginOf(x509(root))), Math.min(endOf(x509(ci)), endOf(x509(root)))]
  t.strictSame([at(begin - 1), at(begin), at(end - 1), at(end), at(end + 9), at(begin)], [false, true, true, false, false, true])
  t.end()
})

await t.test('what is taken away counts for connections that are open', t => {
  const { source, clients, accounts } = lab()
  const connection = {}
  let asked = 0
  const judged = (): unknown => {
    const result = source.of(connection, () => { asked++; return shown(ci) })
    return result?.ok === false ? result.code : result?.principal.subject
  }
  t.equal(judged(), 'cert:ci')
  const before = source.of(connection, () => undefined)
  t.equal(source.of(connection, () => undefined), before, 'nothing is read twice while nothing changes')
  accounts({ name: 'cd', dns: 'ci.example.com' })
  t.strictSame([judged(), source.isActive('cert:ci')], ['cert:cd', false])
  accounts({ name: 'cd', dns: 'other.example.com' })
  t.equal(judged(), 'certificate_unknown')
  accounts(CI)
  t.equal(judged(), 'cert:ci')
  clients.current = trusting(twin)
  t.equal(judged(), 'certificate_untrusted')
  clients.current = trusting(twin, root)
  t.equal(judged(), 'cert:ci')
  t.equal(asked, 1)
  t.end()
})

await t.test('of several names the first in the configuration counts', t => {
  const entries: CertificateEntry[] = [{ name: 'by-dns', dns: 'CI.example.com' }, CI]
  for (const [order, expected] of [[entries, 'cert:by-dns'], [[...entries].reverse(), 'cert:ci']] as const) {
    t.match(lab(trusting(root), ...order).source.of({}, () => shown(ci)), { principal: { subject: expected } })
  }
  t.end()
})

await t.test('what cannot be read is nobody, and a way without an end is none', t => {
  const [own, authority] = [x509(ci), x509(root)]
  const like = (more: object): X509Certificate => ({ ...plain(own), checkIssued: () => true, verify: () => true, ...more }) as unknown as X509Certificate
  const anchor = { ...plain(authority), checkIssued: () => true, verify: () => true } as unknown as X509Certificate
  const { source } = lab({ files: {}, texts: {}, authorities: [anchor] })
  t.match(source.of({}, () => ({ own: like({ raw: Buffer.from('x') }), others: [], authorized: true })), { ok: false, code: 'certificate_unknown' })
  const [one, two] = [like({ ca: true, checkIssued: (each: unknown) => each === two }), like({ ca: true, checkIssued: (each: unknown) => each === one })] as [X509Certificate, X509Certificate]
  t.match(source.of({}, () => ({ own: like({ checkIssued: (each: unknown) => each === one }), others: [one, two], authorized: true })), { ok: false, code: 'certificate_untrusted' })
  t.end()
})

function plain ({ ca, publicKey, validFrom, validTo, raw, keyUsage }: X509Certificate): object {
  return { ca, publicKey, validFrom, validTo, raw, keyUsage }
}
