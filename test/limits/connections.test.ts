import t from 'tap'
import { boundsOf, createConnectionCounts } from '../../src/limits/connections.ts'

await t.test('of one address so many connections stay, and who has no bound of their own takes nothing from it', t => {
  const counts = createConnectionCounts(() => ({ all: 10, ofOrigin: 2 }))
  t.strictSame(['a', 'a', 'a', 'b', undefined, undefined, undefined].map(counts.take), ['taken', 'taken', 'address', 'taken', 'taken', 'taken', 'taken'])
  t.strictSame(counts.standing(), { all: 10, ofOrigin: 2, open: 6, refused: { all: 0, address: 1 } })
  counts.giveBack('a')
  counts.giveBack(undefined)
  t.equal(counts.take('a'), 'taken')
  t.equal(counts.take('a'), 'address')
  counts.giveBack('a')
  counts.giveBack('a')
  counts.refusedOfAll()
  t.strictSame(counts.standing(), { all: 10, ofOrigin: 2, open: 3, refused: { all: 1, address: 2 } })
  t.end()
})

await t.test('several processes share a bound, and each has at least one of it', t => {
  const listen = { maxConnections: 8_192, maxConnectionsPerAddress: 1 }
  t.strictSame(boundsOf(listen, 1), { all: 8_192, ofOrigin: 1 })
  t.strictSame(boundsOf(listen, 3), { all: 2_731, ofOrigin: 1 })
  t.end()
})
