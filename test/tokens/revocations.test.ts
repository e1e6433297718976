// What counts no more of the tokens that were issued, and for how long that is kept.
import t from 'tap'
import { LEEWAY } from '../../src/tokens/claims.ts'
import { createRevocations, isTokenId, revocationsIn, revocationText, type RevocableToken } from '../../src/tokens/revocations.ts'
import { testClock } from '../helpers/clock.ts'
import { NOW } from '../helpers/tokens.ts'

const TTL = 300
const KEPT = TTL + 2 * LEEWAY
const token = (of: Partial<RevocableToken> = {}): RevocableToken => ({ id: 'a-1', subject: 'user:alice', issuedAt: NOW, ...of })

await t.test('a token is revoked by its id, and all of a subject that were issued until then', t => {
  const revocations = createRevocations(testClock(NOW))
  t.notOk(revocations.isRevoked(token()))
  t.strictSame(revocations.add([revocationText({ token: 'a-1' }, NOW, TTL)]), [])
  t.ok(revocations.isRevoked(token()))
  t.ok(revocations.isRevoked(token({ subject: 'robot:ci', issuedAt: NOW + 60 })), 'whoever it is of')
  t.notOk(revocations.isRevoked(token({ id: 'a-2' })))
  revocations.add([revocationText({ subject: 'user:alice' }, NOW, TTL), `subject user:alice ${NOW - 60} ${NOW + 99}`])
  t.ok(revocations.isRevoked(token({ id: 'a-2' })), 'the later one counts')
  t.notOk(revocations.isRevoked(token({ id: 'a-3', issuedAt: NOW + 1 })))
  t.notOk(revocations.isRevoked(token({ id: 'a-2', subject: 'user:alic' })))
  t.end()
})

await t.test('it is kept until no token that it is of can count, by both clocks, and then given up', t => {
  const clock = testClock(NOW)
  const texts = [revocationText({ token: 'a-1' }, NOW, TTL), revocationText({ subject: 'user:bob' }, NOW, TTL)]
  const revocations = createRevocations(clock, texts)
  t.strictSame(revocations.texts(), texts)
  t.equal(revocations.now(), NOW)
  clock.set(10 * KEPT)
  t.strictSame(revocations.texts(), texts, 'a clock that is set forward gives nothing up')
  clock.set(-10 * KEPT)
  clock.pass(KEPT)
  revocations.add([revocationText({ subject: 'user:alice' }, NOW + KEPT, TTL)])
  t.ok(revocations.isRevoked(token({ id: 'x', subject: 'user:bob' })))
  clock.pass(1)
  t.equal(revocations.texts().length, 1)
  t.notOk(revocations.has(texts[0] as string))
  t.notOk(revocations.isRevoked(token({ subject: 'robot:ci' })))
  t.ok(revocations.isRevoked(token()), 'the one that came later counts still')
  t.end()
})

await t.test('what is no revocation is said, and takes nothing from its neighbours', t => {
  const revocations = createRevocations(testClock(NOW))
  const bad = ['', 'token', 'token a b', `token ${'a'.repeat(65)} 1`, 'subject user:alice 1', 'group a 1 2', 'token a 999999999999999']
  t.strictSame(revocations.add([...bad, `token a-1 ${NOW + 1}`]), bad)
  t.ok(revocations.isRevoked(token()))
  t.strictSame(revocationsIn(`token a ${NOW}\n\ntoken b ${NOW - 1}\nodd\n`, NOW), [`token a ${NOW}`, 'odd'])
  t.ok(isTokenId('0b9b2a5e-6f6c-4a39-9d3c-2f6a1f4f7f0e'))
  for (const id of ['', 'a b', 'a.b', 'ä']) t.notOk(isTokenId(id), id)
  t.end()
})
