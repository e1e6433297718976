import { generateKeyPairSync, sign, type KeyObject } from 'node:crypto'
import fc from 'fast-check'
import { jwtVerify, SignJWT } from 'jose'
import t from 'tap'
import { OWN_ALGORITHMS } from '../../src/tokens/keys.ts'
import { algorithmsOf, isSignedBy, readToken, signToken, type Algorithm, type SignedToken } from '../../src/tokens/signature.ts'
import { encode } from '../helpers/jwt-lab.ts'
import { keyNamed } from '../helpers/keys.ts'

interface Pair { readonly publicKey: KeyObject, readonly privateKey: KeyObject }
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PAIRS: [algorithms: readonly Algorithm[], pair: Pair][] = [
  [['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'], RSA],
  [['ES256'], generateKeyPairSync('ec', { namedCurve: 'P-256' })],
  [['ES384'], generateKeyPairSync('ec', { namedCurve: 'P-384' })],
  [['ES512'], generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  [['EdDSA', 'Ed25519'], generateKeyPairSync('ed25519')]
]
const ALL = PAIRS.flatMap(([algorithms]) => algorithms)

function read (token: string): SignedToken {
  const found = readToken(token)
  if (found === undefined) throw new Error(token)
  return found
}

await t.test('a key is for the algorithms of its kind, and a weak or strange one for none', t => {
  for (const [algorithms, { publicKey }] of PAIRS) t.strictSame(algorithmsOf(publicKey), algorithms)
  const none: Pair[] = [
    generateKeyPairSync('rsa', { modulusLength: 1024 }), generateKeyPairSync('rsa-pss', { modulusLength: 2048 }), generateKeyPairSync('ec', { namedCurve: 'secp256k1' }),
    generateKeyPairSync('ed448'), generateKeyPairSync('x25519')
  ]
  for (const { publicKey } of none) t.strictSame(algorithmsOf(publicKey), [], String(publicKey.asymmetricKeyType))
  t.end()
})

await t.test('what another library signs is verified, with its own algorithm and key alone', async t => {
  for (const [algorithms, { privateKey, publicKey }] of PAIRS) {
    for (const alg of algorithms) {
      const token = await new SignJWT({ a: 'ä' }).setProtectedHeader({ alg, typ: 'JWT' }).sign(privateKey)
      const found = read(token)
      t.strictSame(found.payload, { a: 'ä' })
      t.strictSame(ALL.filter(each => algorithmsOf(publicKey).includes(each) && isSignedBy(found, publicKey, each)), [alg], alg)
      for (const [others, other] of PAIRS.filter(([others]) => others !== algorithms)) {
        for (const each of others) t.equal(isSignedBy({ ...found, header: { ...found.header, alg: each } }, other.publicKey, each), false, `${alg} as ${each}`)
      }
    }
  }
})

await t.test('what we sign is verified by another library', async t => {
  for (const alg of OWN_ALGORITHMS) {
    const { privateKey, publicKey } = await keyNamed('signs', alg)
    const token = await signToken(privateKey, { alg, typ: 'JWT', kid: 'x' }, { sub: 'ä' })
    t.match(await jwtVerify(token, publicKey, { algorithms: [alg] }), { payload: { sub: 'ä' }, protectedHeader: { alg, typ: 'JWT', kid: 'x' } })
  }
})

await t.test('no signature of any length or content is more than wrong', t => {
  const input = `${encode({})}.${encode({})}`
  fc.assert(fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...PAIRS), (bytes, [algorithms, { publicKey }]) =>
    algorithms.every(alg => !isSignedBy({ header: { alg }, payload: {}, input, signature: Buffer.from(bytes) }, publicKey, alg))))
  for (const [algorithms, { publicKey }] of PAIRS) {
    for (const length of [0, 1, 63, 64, 65, 96, 132, 255, 256, 257]) {
      for (const fill of [0, 1, 255]) t.notOk(algorithms.some(alg => isSignedBy({ header: { alg }, payload: {}, input, signature: Buffer.alloc(length, fill) }, publicKey, alg)))
    }
  }
  t.end()
})

await t.test('an ECDSA signature has the form of JOSE, not that of other protocols', t => {
  const [, [, { privateKey, publicKey }]] = PAIRS as [unknown, [unknown, Pair]]
  const input = `${encode({ alg: 'ES256' })}.${encode({})}`
  const signed = (dsaEncoding: 'der' | 'ieee-p1363'): SignedToken => read(`${input}.${sign('sha256', Buffer.from(input), { key: privateKey, dsaEncoding }).toString('base64url')}`)
  t.equal(isSignedBy(signed('ieee-p1363'), publicKey, 'ES256'), true)
  t.equal(isSignedBy(signed('der'), publicKey, 'ES256'), false)
  t.end()
})

await t.test('a token has one spelling, and is two objects and a signature', t => {
  const [head, body, tail] = [encode({ alg: 'RS256' }), encode({ a: 1 }), 'AQID']
  t.match(readToken(`${head}.${body}.${tail}`), { header: { alg: 'RS256' }, payload: { a: 1 }, input: `${head}.${body}`, signature: Buffer.from([1, 2, 3]) })
  const parts = (a: string, b = body, c = tail): string => [a, b, c].join('.')
  const wrong: [name: string, token: string][] = [
    ['padding', parts(`${encode('{"a":1} ')}=`)],
    ['stray bits in the signature', parts(head, body, 'AQF')],
    ['stray bits in the header', parts(`${encode('{"a":11}').slice(0, -1)}1`)],
    ['a length that no encoder makes', parts(head, body, 'AQIDA')],
    ['base64 of another alphabet', parts(head, body, '+/+/')],
    ['a space', parts(head, `${body} `)],
    ['a line end', `${parts(head)}\n`],
    ['no signature', parts(head, body, '')],
    ['no payload', parts(head, '')],
    ['a payload that is a list', parts(head, encode('[]'))],
    ['a payload that is null', parts(head, encode('null'))],
    ['a payload that is a number', parts(head, encode('1'))],
    ['a header that is a text', parts(encode('"a"'))],
    ['a header that is no JSON', parts(encode('{'))],
    ['bytes that are not UTF-8', parts(head, Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url'))],
    ['an overlong zero', parts(head, Buffer.from('{"a":"\xc0\x80"}', 'latin1').toString('base64url'))],
    ['a byte order mark', parts(encode('\ufeff{}'))],
    ['crit', parts(encode({ crit: ['exp'] }))],
    ['crit null', parts(encode({ crit: null }))],
    ['b64', parts(encode({ b64: true }))]
  ]
  for (const [name, token] of wrong) t.equal(readToken(token), undefined, name)
  t.end()
})

await t.test('a header has no member that is not in it', t => {
  const token = read(`${encode('{"__proto__":{"alg":"RS256"}}')}.${encode({})}.AQID`)
  t.equal(token.header['alg'], undefined)
  t.equal(isSignedBy(token, RSA.publicKey, 'RS256'), false)
  t.end()
})
