// Is there a replica that may do something and tells nobody? Known by what members say, and when.
import t from 'tap'
import { createOthers } from '../../src/replicas/others.ts'
import type { BeatReply } from '../../src/replicas/scripts.ts'

function lab (): { others: ReturnType<typeof createOthers>, heard: (ms: number, members: Record<string, string>) => unknown } {
  let now = 0
  const others = createOthers(() => now)
  return {
    others,
    heard (ms, members) {
      now += ms
      return others.heard(['e', '0', '0', [], Object.entries(members).flat(), []] satisfies BeatReply)
    }
  }
}

await t.test('who has just begun believes nobody before they say something else', async t => {
  const { others, heard } = lab()
  heard(0, { a: '7', b: '9' })
  t.ok(others.isSomebodyAlone(), 'it may have been said long ago')
  heard(400, { a: '8', b: '9' })
  t.ok(others.isSomebodyAlone())
  heard(400, { a: '9', b: '10' })
  t.notOk(others.isSomebodyAlone())
  heard(400, { a: '10', b: '11', c: '1' })
  t.notOk(others.isSomebodyAlone(), 'one that was not there just now has just begun')
})

await t.test('so does who was out of touch, also of one who said the same before', async t => {
  for (const b of ['1', '2']) {
    const { others, heard } = lab()
    heard(0, { a: '0', b: '0' })
    heard(400, { a: '1', b: '1' })
    t.notOk(others.isSomebodyAlone())
    heard(1_700, { a: '5', b })
    t.ok(others.isSomebodyAlone())
    heard(400, { a: '6', b })
    t.ok(others.isSomebodyAlone(), 'b may have lost Redis a moment later than this one')
    heard(400, { a: '7', b: '3' })
    t.notOk(others.isSomebodyAlone())
  }
})

await t.test('a replica may store without a lock when its beats stop, and as long as it says so, until it has gone or is dead', t => {
  const { others, heard } = lab()
  heard(0, { a: '0', b: '0' })
  heard(400, { a: '1', b: '1' })
  for (let i = 2; i < 6; i++) heard(400, { a: String(i), b: '1' })
  t.notOk(others.isSomebodyAlone())
  heard(400, { a: '6', b: '1' })
  t.ok(others.isSomebodyAlone())
  heard(400, { a: '7' })
  t.ok(others.isSomebodyAlone(), 'also when somebody took it from the list')
  heard(400, { a: '8', b: '4 keeps alone' })
  t.ok(others.isSomebodyAlone(), 'it is back, and not done with what it began')
  heard(400, { a: '9', b: '5 keeps' })
  t.notOk(others.isSomebodyAlone())
  for (let i = 10; i < 16; i++) heard(400, { a: String(i), b: '5 keeps' })
  t.ok(others.isSomebodyAlone())
  t.ok(others.left('b'), 'and nobody will hear of what it did')
  t.notOk(others.isSomebodyAlone())
  heard(400, { a: '16', c: '1' })
  t.strictSame(heard(700_000, { a: '17', c: '1' }), [['c', '1']], 'dead')
  heard(400, { a: '18' })
  t.notOk(others.isSomebodyAlone())
  t.end()
})

await t.test('who has said goodbye is not heard of again, by an answer that was on its way', t => {
  const { others, heard } = lab()
  heard(0, { a: '0', b: '0' })
  heard(400, { a: '1', b: '1' })
  t.notOk(others.left('b'), 'it was in touch, and told all')
  for (let i = 2; i < 8; i++) heard(400, { a: String(i), b: '1' })
  t.notOk(others.isSomebodyAlone())
  t.notOk(others.left('never heard of'))
  t.end()
})
