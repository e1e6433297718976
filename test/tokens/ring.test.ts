import fc from 'fast-check'
import t from 'tap'
import { createRing, tokensEnd } from '../../src/tokens/ring.ts'
import { keyNamed } from '../helpers/keys.ts'

const LIFETIME = 300
const [a, b, c, other] = await Promise.all(['a', 'b', 'c', 'other'].map(async name => await keyNamed(name, 'EdDSA'))) as [Key, Key, Key, Key]
type Key = Awaited<ReturnType<typeof keyNamed>>
const signers = [{ key: a, since: 0 }, { key: b, since: 1_000 }, { key: c, since: 2_000 }] as const

await t.test('a key is published before it signs, verified until its last token ended, and nothing afterwards', t => {
  const ring = createRing(signers, [], LIFETIME)
  const ends = tokensEnd(1_000, LIFETIME)
  t.equal(ends, 1_360)
  const cases: [now: number, states: [Key, string][]][] = [
    [999, [[a, 'active'], [b, 'verify'], [c, 'verify']]],
    [1_000, [[b, 'active'], [a, 'verify'], [c, 'verify']]],
    [ends - 1, [[b, 'active'], [a, 'verify'], [c, 'verify']]],
    [ends, [[b, 'active'], [a, 'retired'], [c, 'verify']]],
    [2_000, [[c, 'active'], [a, 'retired'], [b, 'verify']]],
    [1e9, [[c, 'active'], [a, 'retired'], [b, 'retired']]]
  ]
  for (const [now, states] of cases) {
    t.strictSame(ring.states(now).map(({ key, state }) => [key.kid, state]), states.map(([key, state]) => [key.kid, state]), String(now))
    t.equal(ring.signing(now), states[0]?.[0])
    for (const [key, state] of states) t.equal(ring.verifying(key.kid, now), state === 'retired' ? undefined : key)
  }
  t.equal(ring.verifying(other.kid, 0), undefined)
  for (const kid of ['', '__proto__', 'constructor']) t.equal(ring.verifying(kid, 0), undefined)
  t.end()
})

await t.test('a key that only verifies does so without an end, and never signs', t => {
  const ring = createRing([{ key: a, since: 0 }], [b], LIFETIME)
  for (const now of [0, 1e9]) t.strictSame(ring.states(now), [{ key: a, state: 'active', since: 0 }, { key: b, state: 'verify' }])
  t.equal(ring.verifying(b.kid, 1e9), b)
  t.end()
})

await t.test('a clock that stands before every key still has one that signs', t => {
  const ring = createRing([{ key: b, since: 2_000 }, { key: a, since: 1_000 }], [], LIFETIME)
  t.equal(ring.signing(0), a)
  t.end()
})

await t.test('whenever a token was signed, its key counts for as long as it lives', t => {
  fc.assert(fc.property(fc.array(fc.nat(5_000), { minLength: 3, maxLength: 3 }), fc.nat(8_000), fc.nat(LIFETIME), (sinces, signedAt, age) => {
    const [first, second, third] = sinces as [number, number, number]
    const ring = createRing([{ key: a, since: first }, { key: b, since: second }, { key: c, since: third }], [], LIFETIME)
    const key = ring.signing(signedAt)
    return ring.verifying(key.kid, signedAt + age) === key && ring.states(signedAt).filter(({ state }) => state === 'active').length === 1
  }))
  t.end()
})
