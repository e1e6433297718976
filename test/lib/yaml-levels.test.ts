import t from 'tap'
import { Parser } from 'yaml'
import { beyondLevels } from '../../src/lib/yaml-levels.ts'

const isBeyond = (text: string, most: number): boolean => beyondLevels([...new Parser().parse(text)], most) !== undefined

await t.test('levels are counted however they are written', async t => {
  const cases: [text: string, levels: number][] = [
    ['a', 0],
    ['# nothing', 0],
    ['a: 1', 0],
    ['a: [1]', 1],
    ['a:\n- 1', 1],
    ['a:\n- b: 1', 2],
    ['- - - 1', 2],
    ['? ? 1', 1],
    ['? [a]\n: [b, { c: d }]', 2],
    ['[a: [b]]', 1], // a pair in brackets has none of its own
    ['a: 1\n---\n[[1]]', 1]
  ]
  for (const [text, levels] of cases) {
    if (levels > 0) t.equal(isBeyond(text, levels - 1), true, text)
    t.equal(isBeyond(text, levels), false, text)
  }
})

await t.test('any number of levels is counted without a level of the stack', async t => {
  const lines = Array.from({ length: 50 }, (_, i) => `${' '.repeat(i * 121)}${'- '.repeat(60)}a:\n`).join('')
  for (const text of ['['.repeat(20_000), '? '.repeat(20_000), lines]) t.equal(isBeyond(text, 1_000), true)
})

await t.test('it says where', async t => {
  t.match(beyondLevels([...new Parser().parse('a:\n  b: [1]\n  c: [[1]]')], 2), { type: 'flow-collection', offset: 18 })
})
