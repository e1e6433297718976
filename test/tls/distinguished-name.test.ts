// A distinguished name in text, and the one in a certificate.
import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { LARGEST, namesOf } from '../../src/tls/certificate-names.ts'
import { keyOfName, readDistinguishedName } from '../../src/tls/distinguished-name.ts'
import { keyOfIp, keyOfSubject } from '../../src/tls/name-keys.ts'
import { Authority, type Issue } from '../helpers/certificates.ts'
import { certificateWith } from '../helpers/certificate-der.ts'
import { testFolder } from '../helpers/folder.ts'

const authority = Authority.make(join(testFolder(t), 'ca'))

/** The certificate's names, and its subject as openssl writes it. */
function issued (issue: Issue): { names: readonly string[], subject: string } {
  const { cert, certText } = authority.issue(issue)
  const subject = execFileSync('openssl', ['x509', '-in', cert, '-noout', '-subject', '-nameopt', 'RFC2253'], { encoding: 'utf8' }).replace(/^subject=/, '').trimEnd()
  return { names: namesOf(new X509Certificate(certText).raw), subject }
}

const keyOf = (text: string): string => {
  const name = readDistinguishedName(text)
  return name === undefined ? '' : keyOfSubject(keyOfName(name))
}

await t.test('what openssl writes of a certificate is its name', async t => {
  for (const subject of ['/CN=ci', '/C=DE/O=Lab/OU=Build/CN=ci', '/O=A, B/CN=x\\+y', '/O=Lab/OU=a+CN=b', '/O=Lab/CN=Jürgen "J" Groß\\\\', '/CN=#hash', '/DC=com/DC=example/UID=ci', '/O=Lab/emailAddress=a@b/serialNumber=7']) {
    const { names, subject: text } = issued({ subject, names: '' })
    t.strictSame(names, [keyOf(text)], text)
  }
})

await t.test('the same name is written in several ways', async t => {
  t.equal(keyOf('cn=ci, o=Lab'), keyOf('CN=ci,O=Lab'))
  t.equal(keyOf('2.5.4.3=ci,O=Lab  '), keyOf('CN=ci,O=Lab'))
  t.equal(keyOf('CN=J\\C3\\BCrgen'), keyOf('CN=Jürgen'))
  t.equal(keyOf('OU=a+CN=b'), keyOf('CN=b+OU=a'))
  t.equal(keyOf('CN=a\\ '), keyOfSubject(keyOfName([[['2.5.4.3', 'a ']]])))
})

await t.test('and others are others', async t => {
  const all = ['CN=ci,O=Lab', 'O=Lab,CN=ci', 'CN=CI,O=Lab', 'CN=ci', 'CN=ci+O=Lab', 'CN=ci\\,O\\=Lab', 'CN=ci,O=Lab,C=DE'].map(keyOf)
  t.equal(new Set(all).size, all.length)
  for (const text of ['', 'ci', 'CN', 'CN=', 'CN=ci,', 'CN=ci;O=Lab', 'CN="ci"', 'XY=ci', 'CN=#0401', 'CN=ci\\', ',CN=ci']) t.equal(readDistinguishedName(text), undefined, text)
})

await t.test('alternative names are read by their type, whatever is in them', async t => {
  const { names } = issued({ subject: '/CN=x', names: 'DNS:CI.example.com,email:ci@example.com,URI:spiffe://a/b,IP:10.0.0.1,IP:2001:db8::7' })
  t.strictSame(names, [keyOf('CN=x'), 'dns:ci.example.com', 'email:ci@example.com', 'uri:spiffe://a/b', 'ip:10.0.0.1', 'ip:[2001:db8::7]'])
  t.strictSame(['2001:DB8:0::7', '2001:db8::0.0.0.7', '10.0.0.1'].map(keyOfIp), ['ip:[2001:db8::7]', 'ip:[2001:db8::7]', 'ip:10.0.0.1'], 'in whatever spelling')
  // CVE-2021-44532: what is joined in a text looks like two names.
  t.strictSame(issued({ subject: '/CN=a\\/O=Lab, CN\\=root', names: '@alt', section: '[alt]\nURI.1 = http://a\\, DNS:root.example.com\n' }).names.slice(1), ['uri:http://a, DNS:root.example.com'])
  t.strictSame(issued({ subject: '/CN=dns:ci.example.com', names: '' }).names, [keyOf('CN=dns:ci.example.com')])
  t.strictSame(issued({ subject: '/', names: 'DNS:a' }).names, ['dns:a'], 'an empty subject is no name')
})

await t.test('a certificate of more than 8 KiB has no name', t => {
  const withNames = (count: number): Buffer => Buffer.from(certificateWith(Array<string>(count).fill('a')))
  t.equal(namesOf(withNames(2_000)).length, 2_000)
  t.ok(withNames(2_800).length > LARGEST)
  t.strictSame(namesOf(withNames(2_800)), [])
  t.end()
})

await t.test('what has not the length of an address is none', t => {
  const der = new X509Certificate(authority.issue({ subject: '/CN=x', names: 'IP:10.0.0.1,DNS:abcd' }).certText).raw
  const at = der.lastIndexOf(Buffer.from([0x82, 4, ...Buffer.from('abcd')]))
  der[at - 6] = 0x82 // a name of a host of four bytes
  der[at] = 0x87
  t.strictSame(namesOf(der).slice(1), ['dns:\n\0\0\u0001', 'ip:97.98.99.100'], 'the type decides, not what it looks like')
  const short = new X509Certificate(authority.issue({ subject: '/CN=x', names: 'DNS:abc' }).certText).raw
  short[short.lastIndexOf(Buffer.from([0x82, 3, ...Buffer.from('abc')]))] = 0x87
  t.strictSame(namesOf(short), [keyOf('CN=x')])
  t.end()
})

await t.test('a subject in a kind of text that is read in several ways is no name', t => {
  const der = new X509Certificate(authority.issue({ subject: '/CN=latin', names: 'DNS:a' }).certText).raw
  const at = der.lastIndexOf(Buffer.from('\x0c\x05latin', 'latin1'))
  der[at] = 0x14 // TeletexString in place of UTF8String
  t.strictSame(namesOf(der), ['dns:a'])
  t.end()
})
