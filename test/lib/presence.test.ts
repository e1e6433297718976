import t from 'tap'
import { ALWAYS_HERE, createPresence } from '../../src/lib/presence.ts'

void t.test('who waits for somebody to go is told once, when they go', async t => {
  const presence = createPresence()
  let told = 0
  const run = (): void => { told++ }
  presence.onGone(run)
  presence.onGone(run)
  t.equal(presence.gone, false)
  t.equal(told, 0)
  presence.leave()
  presence.leave()
  t.equal(presence.gone, true)
  t.equal(told, 2)
})

void t.test('who comes after they have gone is told at once', async t => {
  const presence = createPresence()
  presence.leave()
  let told = 0
  const takeBack = presence.onGone(() => { told++ })
  takeBack()
  t.equal(told, 1)
})

void t.test('who has taken it back is not told', async t => {
  const presence = createPresence()
  const takeBack = presence.onGone(() => { t.fail('told') })
  takeBack()
  presence.leave()
})

void t.test('the gateway itself does not go', async t => {
  ALWAYS_HERE.onGone(() => { t.fail('told') })()
  t.equal(ALWAYS_HERE.gone, false)
})
