import t from 'tap'
import { createCollector, piecesOf, type Piece, type Result } from '../../src/config/pieces.ts'
import { robot, user } from '../helpers/accounts.ts'
import { testConfig } from '../helpers/app.ts'

const config = testConfig('/nowhere', undefined)
const rules = Array.from({ length: 450 }, (_, line) => ({ repositories: ['a'], subjects: ['anonymous'], actions: ['pull' as const], line }))

await t.test('a result is in pieces, none of them long, and the same when it is together again', t => {
  const cases: [result: Result, pieces: number][] = [
    [{ users: Array.from({ length: 401 }, (_, i) => user(`u${i}`, 'h')), robots: [robot('ci', 'd')], mistakes: [] }, 5],
    [{ users: [], robots: [], mistakes: ['a', 'b'], again: true }, 1],
    [{ ok: true, config: { ...config, policy: rules } }, 4],
    [{ ok: true, config }, 1],
    [{ ok: false, mistakes: ['a'], again: true }, 1]
  ]
  for (const [result, count] of cases) {
    const pieces = [...piecesOf(result)]
    t.equal(pieces.length, count)
    t.ok(pieces.every(piece => piece.kind === 'rest' || piece.items.length <= 200))
    t.ok(JSON.stringify(pieces[0]).length < 1_200, 'the first one has nothing of the lists')
    const collector = createCollector()
    for (const piece of structuredClone(pieces) as Piece[]) collector.add(piece)
    t.strictSame(collector.result(), result)
  }
  t.end()
})
