import t from 'tap'
import { ownText } from '../../src/lib/own-text.ts'
import { heapInUse } from '../helpers/heap.ts'

await t.test('a text of its own is the same text, and holds nothing of what it was cut from', t => {
  for (const text of ['', 'org1/repo1', 'gr\u00f6\u00dfe \u{1f600}']) t.equal(ownText(text), text)
  const heldBy = (keep: (text: string) => string): number => {
    const before = heapInUse()
    const kept = Array.from({ length: 50 }, (_, i) => keep(`1.0.0-${i}+${'x'.repeat(1_000_000)}`.slice(0, 20)))
    const held = heapInUse() - before
    t.match(kept[7], '1.0.0-7+xxxx')
    return held
  }
  t.ok(heldBy(text => text) > 40_000_000)
  t.ok(heldBy(ownText) < 10_000_000)
  t.end()
})
