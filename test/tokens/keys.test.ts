import { generateKeyPairSync, X509Certificate, type KeyObject } from 'node:crypto'
import { execFileSync } from 'node:child_process'
import { chmod, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import t from 'tap'
import { makeKey, OWN_ALGORITHMS, parsePublic, publicJwk, readSigningKey, readVerifyingKey } from '../../src/tokens/keys.ts'
import { testFolder } from '../helpers/folder.ts'

const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string
const pkcs8 = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

await t.test('a key is made for each algorithm, and says itself what it is for', async t => {
  const dir = testFolder(t)
  const expected = {
    RS256: { kty: 'RSA', e: 'AQAB', n: /^\S{342}$/ },
    ES256: { kty: 'EC', crv: 'P-256', x: /^\S{43}$/, y: /^\S{43}$/ },
    EdDSA: { kty: 'OKP', crv: 'Ed25519', x: /^\S{43}$/ }
  }
  for (const alg of OWN_ALGORITHMS) {
    const file = join(dir, `${alg}.pem`)
    t.equal(await makeKey(file, alg), true)
    t.equal((await stat(file)).mode & 0o777, 0o600)
    const pem = await readFile(file, 'utf8')
    t.equal(await makeKey(file, alg), false, 'what is there stays')
    t.equal(await readFile(file, 'utf8'), pem)
    const key = await readSigningKey(file)
    t.equal(key.alg, alg)
    t.equal(key.kid, await calculateJwkThumbprint(await exportJWK(key.publicKey), 'sha256'))
    const jwk = publicJwk(key)
    t.match(jwk, { ...expected[alg], kid: key.kid, alg, use: 'sig' })
    t.equal('d' in jwk, false)
    for (const other of OWN_ALGORITHMS.filter(each => each !== alg)) await t.rejects(readSigningKey(file, other), { message: new RegExp(`${alg}\\.pem is not an? `) }, `not as ${other}`)
  }
})

await t.test('a key of another kind is none of ours', async t => {
  const file = join(testFolder(t, { 'key.pem': pkcs8(generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey) }), 'key.pem')
  await chmod(file, 0o600)
  await t.rejects(readSigningKey(file), { message: `${file} is not an RSA key of at least 2048 bits, or an EC key on the curve P-256, or an Ed25519 key` })
})

await t.test('a key that only verifies may be the public half, and need not be hidden', async t => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const dir = testFolder(t, { 'public.pem': spki(publicKey), 'private.pem': pkcs8(privateKey), 'none.pem': 'x' })
  await chmod(join(dir, 'private.pem'), 0o644)
  const [ofPublic, ofPrivate] = await Promise.all(['public.pem', 'private.pem'].map(async name => await readVerifyingKey(join(dir, name), 'ES256')))
  t.equal(ofPublic?.kid, ofPrivate?.kid)
  t.equal(ofPrivate?.publicKey.type, 'public')
  t.notOk('privateKey' in (ofPrivate ?? {}))
  await t.rejects(readSigningKey(join(dir, 'public.pem'), 'ES256'), { message: /not an unencrypted private key/ })
  await t.rejects(readVerifyingKey(join(dir, 'none.pem'), 'ES256'), { message: /not an unencrypted private key/ })
  await t.rejects(readVerifyingKey(join(dir, 'public.pem'), 'RS256'), { message: /not an RSA key/ })
})

await t.test('a public key is taken from what ChartMuseum takes too, and never from a private one', async t => {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const same = (found: KeyObject | undefined): boolean => found?.equals(publicKey) === true
  t.ok(same(parsePublic(spki(publicKey))))
  t.ok(same(parsePublic(publicKey.export({ type: 'pkcs1', format: 'pem' }) as string)))
  t.ok(same(parsePublic(`\n\n${spki(publicKey)}\n`)), 'with line ends around it')
  for (const type of ['pkcs1', 'pkcs8'] as const) t.equal(parsePublic(privateKey.export({ type, format: 'pem' }) as string), undefined, type)
  for (const text of ['', 'x', '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n']) t.equal(parsePublic(text), undefined)
  if (!hasOpenssl()) return
  const dir = testFolder(t)
  await writeFile(join(dir, 'key.pem'), pkcs8(privateKey))
  const certificate = execFileSync('openssl', ['req', '-x509', '-key', join(dir, 'key.pem'), '-subj', '/CN=x', '-days', '1'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] })
  t.ok(new X509Certificate(certificate).publicKey.equals(publicKey) && same(parsePublic(certificate)), 'a certificate')
})

function hasOpenssl (): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
