// What is revoked comes with a beat, and what Redis does not have is told to it.
import t from 'tap'
import { createRevoked } from '../../src/replicas/revoked.ts'
import { REVOKE, type BeatReply } from '../../src/replicas/scripts.ts'
import { createRevocations, revocationText } from '../../src/tokens/revocations.ts'
import { settled } from '../helpers/channels.ts'
import { testClock } from '../helpers/clock.ts'
import { NOW } from '../helpers/tokens.ts'

const beat = (...revoked: string[]): BeatReply => ['e', '0', '0', [], [], revoked]

await t.test('what is known here alone is said once, again when Redis has lost it, and not when it has ended', async t => {
  const clock = testClock(NOW)
  const revocations = createRevocations(clock)
  const said: string[][] = []
  let isAway = false
  const revoked = createRevoked({
    async run (script, args) {
      t.equal(script, REVOKE)
      if (isAway) throw new Error('away')
      said.push(args.slice(2))
    }
  }, revocations)
  const [own, others] = [revocationText({ token: 'own' }, NOW, 300), revocationText({ token: 'others' }, NOW, 300)]
  revoked.heard(beat(others, '4'), true)
  t.equal(revoked.upTo(), 4)
  t.ok(revocations.has(others))
  await settled()
  t.same(said, [])
  revocations.add([own])
  isAway = true
  revoked.heard(beat(), false)
  await settled()
  isAway = false
  revoked.heard(beat(), false)
  revoked.heard(beat(), false)
  await settled()
  t.same(said.splice(0), [[own]])
  revoked.heard(beat(own, '5'), false)
  await settled()
  t.same(said, [])
  revoked.heard(beat(), true)
  t.equal(revoked.upTo(), 0)
  await settled()
  t.same(said.splice(0), [[others, own]])
  revoked.heard(beat(own, '1', others, '2'), false)
  clock.pass(1_000)
  t.same(revocations.texts(), [])
  revoked.heard(beat(), false)
  await settled()
  t.same(said, [])
})
