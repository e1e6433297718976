// Keys on their way from one process to another: the same ones, for the same things.
import t from 'tap'
import type { Issuer } from '../../src/tokens/issuers.ts'
import type { IssuerKey } from '../../src/tokens/issuer-keys.ts'
import { keysData, keysOfData } from '../../src/tokens/keys-data.ts'
import { thumbprintOf } from '../../src/tokens/keys.ts'
import { createRemoteKeys } from '../../src/tokens/remote-keys.ts'
import { createRing } from '../../src/tokens/ring.ts'
import { algorithmsOf } from '../../src/tokens/signature.ts'
import { createVerifier } from '../../src/tokens/verify.ts'
import { clockOf } from '../helpers/clock.ts'
import { keyNamed } from '../helpers/keys.ts'
import { mintForeign, mintToken, NOW, SOURCE } from '../helpers/tokens.ts'

const [old, active, next, published, upstream, theirs] = await Promise.all([keyNamed('old'), keyNamed('active', 'ES256'), keyNamed('next', 'EdDSA'), keyNamed('published'), keyNamed('upstream'), keyNamed('theirs')])

const issuerKey = async (kid: string | undefined): Promise<IssuerKey> => ({ kid, thumbprint: await thumbprintOf(theirs.publicKey), algorithms: algorithmsOf(theirs.publicKey), publicKey: theirs.publicKey })

await t.test('what arrives is in the same state, and verifies the same', async t => {
  const keys = [await issuerKey(undefined), await issuerKey('k1')]
  const url = 'https://login.example.test/keys'
  const issuers: Issuer[] = [{ config: { name: 'cm', publicKey: '/server.pem', clockSkew: 60 }, keys: () => keys }, { config: { name: 'far', jwksUrl: url }, keys: () => keys, remote: createRemoteKeys({ jwksUrl: url }) }]
  const { privateKey, ...onlyPublic } = published
  const ring = createRing([{ key: old, since: 0 }, { key: active, since: NOW - 100 }, { key: next, since: NOW + 100 }], [onlyPublic], 300)
  const data = keysData({ ring, issuers, ours: new Set() }, upstream, NOW)
  const arrived = await keysOfData(JSON.parse(JSON.stringify(data)), 300)
  for (const time of [NOW, NOW + 100, NOW + 500, NOW + 1_000]) {
    const states = (each: typeof ring): unknown => each.states(time).map(({ key: { kid, alg, file }, state, since }) => ({ kid, alg, file, state, since }))
    t.strictSame(states(arrived.trusted.ring), states(ring))
    t.equal(arrived.trusted.ring.signing(time).kid, ring.signing(time).kid)
  }
  t.notMatch(JSON.stringify(data.own.find(({ file }) => file === 'published.pem')), 'PRIVATE')
  t.match(arrived.upstream, { kid: upstream.kid, alg: 'RS256', file: 'upstream.pem' })
  t.equal(arrived.upstream.privateKey.equals(upstream.privateKey), true)
  t.strictSame([...arrived.trusted.ours].sort(), [old, active, next, published, upstream].map(({ kid }) => kid).sort())
  t.strictSame(arrived.trusted.issuers.map(({ config, keys, remote }) => [config, keys().map(({ kid, thumbprint, algorithms }) => ({ kid, thumbprint, algorithms })), remote !== undefined]), [
    [issuers[0]?.config, keys.map(({ kid, thumbprint, algorithms }) => ({ kid, thumbprint, algorithms })), false],
    [issuers[1]?.config, [], true]
  ], 'what is had from a URL is fetched anew')
  const verifier = createVerifier({ keys: () => arrived.trusted, source: SOURCE, knowsSubject: () => true, clock: clockOf(() => NOW) })
  for (const key of [old, active, published]) t.match(await verifier.verify(await mintToken({ key })), { ok: true }, key.file)
  t.match(await verifier.verify(await mintForeign(theirs)), { ok: true, principal: { subject: 'issuer:cm' } })
  t.match(await verifier.verify(await mintToken({ key: upstream })), { ok: false })
})
