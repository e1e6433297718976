// Class 52, names that are joined in a text and taken apart again: what one name holds looks
// like another one there, and an authority signs what it was asked for. CVE-2021-44532
// (alternative names that Node printed without quotes), CVE-2021-44531 (URIs taken for what
// they are not), CVE-2021-44533 (subjects of several values), CVE-2009-2408 (a NUL that ends
// a name early). Who may get a certificate
// with any names of one kind, and no others, is never somebody else.
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { compileCertificates, type CertificateEntry } from '../../src/identity/certificate-accounts.ts'
import { namesOf } from '../../src/tls/certificate-names.ts'
import { Authority, type Issue } from '../helpers/certificates.ts'
import { certificateWith } from '../helpers/certificate-der.ts'
import { testFolder } from '../helpers/folder.ts'

const authority = Authority.make(join(testFolder(t), 'ca'))
/** Whom the attacker would like to be. */
const OTHERS: readonly CertificateEntry[] = [
  { name: 'subject', subject: 'CN=root,O=Lab' },
  { name: 'dns', dns: 'root.example.com' },
  { name: 'email', email: 'root@example.com' },
  { name: 'uri', uri: 'spiffe://example.com/root' },
  { name: 'ip', ip: '10.0.0.1' }
]
const accounts = compileCertificates(OTHERS)
const whoIs = (der: Uint8Array): string | undefined => accounts.find(namesOf(der))?.subject
const issued = (issue: Issue): Uint8Array => new X509Certificate(authority.issue(issue).certText).raw
/** Alternative names as openssl's section has them, where commas mean nothing. */
const alternatively = (...lines: readonly string[]): Issue => ({ subject: '/CN=x', names: '@alt', section: `[alt]\n${lines.join('\n')}\n` })

await t.test('each name is found where it is of its kind', t => {
  t.equal(whoIs(issued({ subject: '/O=Lab/CN=root', names: '' })), 'cert:subject')
  for (const [line, name] of [['DNS.1 = root.example.com', 'dns'], ['email.1 = root@example.com', 'email'], ['URI.1 = spiffe://example.com/root', 'uri'], ['IP.1 = 10.0.0.1', 'ip']] as const) {
    t.equal(whoIs(issued(alternatively(line))), `cert:${name}`)
  }
  t.end()
})

await t.test('and nowhere else, whatever a name of another kind looks like', t => {
  const texts = ['root.example.com', 'root@example.com', 'spiffe://example.com/root', '10.0.0.1', 'CN=root,O=Lab']
  const kinds = ['DNS', 'email', 'URI'] as const
  for (const [i, text] of texts.entries()) {
    for (const [j, kind] of kinds.entries()) {
      const own = j === i
      t.equal(whoIs(issued(alternatively(`${kind}.1 = ${text}`))) === undefined, !own, `${kind}: ${text}`)
    }
    t.equal(whoIs(issued({ subject: `/CN=${text.replaceAll('/', '\\/')}`, names: '' })), undefined, `a subject: ${text}`)
    for (const joined of [`a, DNS:${text}`, `a", DNS:"${text}`, `a\\, DNS:${text}`, `DNS:${text}`, `IP Address:${text}`, `a, email:${text}, URI:${text}`, `a\nDNS:${text}`]) {
      t.equal(whoIs(Buffer.from(certificateWith([joined]))), undefined, JSON.stringify(joined))
    }
  }
  t.end()
})

await t.test('a name counts whole, to its last byte', t => {
  for (const text of ['root.example.com\0', 'root.example.com\0.attacker.test', '\0root.example.com', ' root.example.com', 'root.example.com ', 'root.example.com.', 'x.root.example.com', '*.example.com', 'root\u0080.example.com', '*']) {
    t.equal(whoIs(Buffer.from(certificateWith([text]))), undefined, JSON.stringify(text))
  }
  t.equal(whoIs(Buffer.from(certificateWith(['ROOT.Example.com']))), 'cert:dns', 'only the case of a name of a host says nothing')
  t.end()
})

await t.test('a subject of several values is another one', t => {
  for (const subject of ['/CN=x/O=Lab/CN=root', '/O=Lab/CN=root/CN=root', '/O=Lab/CN=x+CN=root', '/O=Lab/CN=root\\, O=Lab', '/O=Lab, CN=root', '/CN=root/O=Lab', '/O=lab/CN=root', '/O=Lab/OU=x/CN=root']) {
    t.equal(whoIs(issued({ subject, names: '' })), undefined, subject)
  }
  t.end()
})
