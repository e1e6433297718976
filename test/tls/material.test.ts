// What can be wrong with a certificate and its key is said before they are used.
import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { beginOf, endOf, firstEnd, readMaterial, timeFault, type MaterialResult, type TlsTexts } from '../../src/tls/material.ts'
import { Authority } from '../helpers/certificates.ts'
import { testFolder } from '../helpers/folder.ts'

const dir = testFolder(t)
const authority = Authority.make(join(dir, 'ca'))
const one = authority.issue()
const other = authority.issue()
const FILES = { cert: '/tls.crt', key: '/tls.key', ca: '/ca.crt' }

const read = (texts: TlsTexts): MaterialResult => readMaterial({ files: FILES }, texts)
const mistakesOf = (texts: TlsTexts, files: TlsTexts = FILES): readonly string[] => {
  const result = readMaterial({ files }, texts)
  return result.ok ? [] : result.mistakes
}

await t.test('a certificate and its key are what was written, also with others behind it', async t => {
  const result = read({ cert: one.certText + authority.certText, key: one.keyText, ca: authority.certText })
  if (!result.ok) throw new Error(result.mistakes.join())
  t.match(result.material.own?.subject, 'CN=localhost')
  t.equal(result.material.authorities.length, 1)
  t.equal(firstEnd(result.material), Math.min(...[...result.material.authorities, result.material.own].map(each => each === undefined ? Infinity : endOf(each))))
  t.match(readMaterial({ files: {}, serverName: 'museum.internal' }, {}), { ok: true, material: { serverName: 'museum.internal', own: undefined, authorities: [] } }, 'a name alone is none')
  t.equal(firstEnd({ authorities: [] }), undefined)
  t.match(read({ ca: authority.certText }), { ok: true, material: { texts: { ca: authority.certText } } })
})

await t.test('what is wrong is a sentence with what to do, and never holds the key', async t => {
  const key = join(dir, 'encrypted.key')
  execFileSync('openssl', ['pkey', '-in', one.key, '-aes256', '-passout', 'pass:x', '-out', key])
  const traditional = '-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-256-CBC,00\n\nAAAA\n-----END EC PRIVATE KEY-----\n'
  for (const [texts, mistake] of [
    [{ cert: one.certText, key: other.keyText }, /^\/tls\.key is not the key of the certificate in \/tls\.crt: give the two that were made together/],
    [{ cert: authority.certText + one.certText, key: one.keyText }, /is not the key of the certificate.*its own before others|is not the key of the certificate.*gateway's own before others/],
    [{ cert: '', key: one.keyText }, /^\/tls\.crt holds no certificate in PEM/],
    [{ cert: one.certText.replace(/\n.{10}/, '\nAAAAAAAAAA'), key: one.keyText }, /^\/tls\.crt holds a certificate that cannot be read/],
    [{ cert: one.certText, key: readFileSync(key, 'utf8') }, /^\/tls\.key is an encrypted key, and there is nobody to ask for its password: write it without one \(openssl pkey/],
    [{ cert: one.certText, key: traditional }, /^\/tls\.key is an encrypted key/],
    [{ cert: one.certText, key: one.certText }, /^\/tls\.key is not an unencrypted private key in PEM$/],
    [{ ca: 'x' }, /^\/ca\.crt holds no certificate in PEM/]
  ] as const) {
    const mistakes = mistakesOf(texts)
    t.match(mistakes, [mistake])
    t.equal(mistakes.length, 1)
    for (const line of [...one.keyText.split('\n'), ...other.keyText.split('\n')].filter(({ length }) => length > 20)) t.notMatch(mistakes.join(), line)
  }
  t.equal(mistakesOf({ cert: 'x', key: 'y', ca: 'z' }).length, 3, 'all of it at once')
})

await t.test('what OpenSSL does not take is not taken', async t => {
  const weak = { key: join(dir, 'weak.key'), cert: join(dir, 'weak.pem') }
  execFileSync('openssl', ['req', '-x509', '-newkey', 'rsa:512', '-nodes', '-keyout', weak.key, '-out', weak.cert, '-subj', '/CN=weak'], { stdio: 'ignore' })
  const texts = { cert: readFileSync(weak.cert, 'utf8'), key: readFileSync(weak.key, 'utf8') }
  t.match(mistakesOf(texts, { cert: '/tls.crt', key: '/tls.key' }), [/^\/tls\.crt: OpenSSL does not take it \(ERR_SSL_EE_KEY_TOO_SMALL\): a key or a signature in it is too weak/])
  t.match(readMaterial({ files: { ca: '/ca.crt' } }, { ca: texts.cert }), { ok: true }, 'an authority is judged where a chain leads to it')
})

await t.test('a certificate counts from its beginning to its end', async t => {
  const { own, ...rest } = (read({ cert: one.certText, key: one.keyText }) as Extract<MaterialResult, { ok: true }>).material
  if (own === undefined) throw new Error('it is there')
  const fault = (now: number): string | undefined => timeFault({ ...rest, own }, now)
  t.match([fault(beginOf(own) - 1), fault(beginOf(own)), fault(endOf(own) - 1), fault(endOf(own))], [
    /^the certificate in \/tls\.crt does not count before \d{4}-.*Z: wait for that, or set the clock/, undefined, undefined, /^the certificate in \/tls\.crt ended at \d{4}-.*Z: give a new one$/
  ])
  t.equal(timeFault(rest, 0), undefined)
})
