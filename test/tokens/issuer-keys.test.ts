import { generateKeyPairSync, type JsonWebKey, type KeyObject } from 'node:crypto'
import t from 'tap'
import { readJwks, readPem } from '../../src/tokens/issuer-keys.ts'
import { thumbprintOf } from '../../src/tokens/keys.ts'

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const ed = generateKeyPairSync('ed25519')
const spki = (key: KeyObject): string => key.export({ type: 'spki', format: 'pem' }) as string
const jwk = (key: KeyObject, more: object = {}): JsonWebKey => ({ ...key.export({ format: 'jwk' }), ...more })
const set = (...keys: unknown[]): string => JSON.stringify({ keys })
const RSA_ALL = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512']

await t.test('a PEM is one public key, for tokens of any kid', async t => {
  const cases: [KeyObject, string[]][] = [[rsa.publicKey, RSA_ALL], [ec.publicKey, ['ES256']], [ed.publicKey, ['EdDSA', 'Ed25519']]]
  for (const [key, algorithms] of cases) t.match(await readPem(`\n${spki(key)}`), [{ kid: undefined, algorithms, thumbprint: await thumbprintOf(key) }])
  const wrong: [string, RegExp][] = [
    ['', /not a public key or certificate/],
    ['ssh-rsa AAAA', /not a public key or certificate/],
    [spki(generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey), /RSA \(2048 to 8192 bits\)/],
    [rsa.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, /it holds a private key/],
    [rsa.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string, /it holds a private key/],
    [spki(rsa.publicKey) + spki(ec.publicKey), /it holds 2 keys/]
  ]
  for (const [pem, expected] of wrong) t.match(await readPem(pem), expected)
})

await t.test('a set is every key in it that verifies signatures', async t => {
  const found = await readJwks(set(jwk(rsa.publicKey, { kid: 'a', use: 'sig' }), jwk(ec.publicKey, { key_ops: ['verify'] }), jwk(ed.publicKey, { kid: 'c', alg: 'EdDSA' }), jwk(rsa.publicKey, { kid: 'd', alg: 'PS384' })))
  t.match(found, [{ kid: 'a', algorithms: RSA_ALL }, { kid: undefined, algorithms: ['ES256'] }, { kid: 'c', algorithms: ['EdDSA'] }, { kid: 'd', algorithms: ['PS384'] }])
  t.equal(found.length, 4)
})

await t.test('what verifies no signature is left out', async t => {
  const left: unknown[] = [
    null, 5, 'x', [], {}, { kty: 'oct', k: 'AAAA', alg: 'HS256' }, { kty: 'RSA', n: 'AQAB', e: 'AQAB' },
    jwk(rsa.publicKey, { use: 'enc' }), jwk(rsa.publicKey, { key_ops: ['encrypt'] }), jwk(rsa.publicKey, { alg: 'HS256' }), jwk(rsa.publicKey, { alg: 'none' }), jwk(rsa.publicKey, { alg: 'ES256' }),
    jwk(rsa.publicKey, { e: 'AQ' }), jwk(rsa.privateKey), jwk(ec.publicKey, { x: 'AAAA' }), jwk(generateKeyPairSync('x25519').publicKey)
  ]
  t.strictSame(await readJwks(set(...left)), [])
  t.match(await readJwks(set(...left, jwk(ec.publicKey))), [{ algorithms: ['ES256'] }])
})

await t.test('a key of RSA that makes its verifier work for milliseconds is left out', async t => {
  const modulus = (bits: number): string => Buffer.alloc(bits / 8, 255).toString('base64url')
  const kept = (bits: number, e: string): Promise<unknown> => readJwks(set({ kty: 'RSA', n: modulus(bits), e }))
  for (const [bits, e] of [[8200, 'AQAB'], [16_384, 'AQAB'], [3072, modulus(3000)], [2048, 'AgAAAAE']] as const) t.strictSame(await kept(bits, e), [], `${bits} ${e.slice(0, 10)}`)
  for (const [bits, e] of [[8192, 'AQAB'], [2048, 'Aw'], [2048, 'Af____8']] as const) t.match(await kept(bits, e), [{ algorithms: RSA_ALL }], `${bits} ${e}`)
})

await t.test('what is no set is a sentence', async t => {
  const cases: [string, RegExp][] = [['', /not JSON/], ['{', /not JSON/], ['null', /not a JSON Web Key Set/], ['[]', /not a JSON Web Key Set/], ['{"keys":{}}', /not a JSON Web Key Set/], [JSON.stringify(jwk(rsa.publicKey)), /not a JSON Web Key Set/], [set(...Array(33).fill({})), /33 keys, and 32 are looked at/]]
  for (const [text, expected] of cases) t.match(await readJwks(text), expected, text.slice(0, 20))
  t.strictSame(await readJwks(set()), [], 'an empty one is a set')
})
