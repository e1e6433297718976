import t from 'tap'
import { createCollector, piecesOf, type Piece } from '../../src/lib/pieces.ts'
import { robot, user } from '../helpers/accounts.ts'
import { testConfig } from '../helpers/app.ts'

const config = testConfig('/nowhere', undefined)
const rules = Array.from({ length: 450 }, (_, line) => ({ repositories: ['a'], subjects: ['anonymous'], actions: ['pull' as const], line }))

await t.test('a value is in pieces, none of them long, and the same when it is together again', t => {
  const collector = createCollector<object>()
  const cases: [value: Record<string, unknown>, pieces: number][] = [
    [{ users: Array.from({ length: 401 }, (_, i) => user(`u${i}`, 'h')), robots: [robot('ci', 'd')], mistakes: [] }, 4],
    [{ users: [], robots: [], mistakes: ['a', 'b'], again: true }, 1],
    [{ ok: true, config: { ...config, policy: rules } }, 4],
    [{ authority: { policies: [rules, rules.slice(0, 201)] }, nothing: null }, 6],
    [{ ok: true, config }, 1]
  ]
  for (const [value, count] of cases) {
    const pieces = structuredClone([...piecesOf(value)]) as Piece[]
    t.equal(pieces.length, count)
    t.ok(pieces.every(piece => piece.kind === 'rest' || piece.items.length <= 200))
    t.ok(JSON.stringify(pieces.at(-1)).length < 5_000, 'the last one has nothing of the lists')
    const together = pieces.map(collector.add)
    t.strictSame(together, [...Array.from({ length: count - 1 }, () => undefined), value])
  }
  t.end()
})
