import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { readQuery } from '../../../src/doors/chartmuseum/query.ts'

await t.test('force is seen in every spelling that ChartMuseum takes as present', async t => {
  const present = [
    'force', 'force=', 'force=1', 'force=false', 'force=0', 'a&force', 'force&a', '&&force', '%66orce', '%66%6f%72%63%65', '%66%6F%72%63%65=1', 'force=1&force=2',
    'force=a=b', 'x=%zz&force', 'force==', 'force=%ff', 'force=%c3%28', 'force=+', 'force=%00', 'force=%zz&force', 'force&force=%zz', 'force=1"<>', '&'.repeat(12_000) + 'force'
  ]
  for (const query of present) t.ok(readQuery(query, ['force'])['force'] !== undefined, query.slice(-40))
})

await t.test('what Go does not read as force is not force', async t => {
  const absent = [
    '', 'FORCE', 'Force=1', 'forc', 'forcex', 'force%', 'force=%', 'force=%z1', 'force=%1', 'force;', 'a;force', 'force;a=1', 'force=1;2', '%2566orce', 'force%20', '+force', 'force+', 'force%00',
    '?force', 'force?', 'force?x', 'force%3D1', '"force"', '/force', 'a=force', 'a=b%26force', '[force]', 'force[]=1', '%ff%66orce', '_method=DELETE'
  ]
  for (const query of absent) t.strictSame(readQuery(query, ['force']), {}, query)
})

await t.test('the first value counts, decoded once; what is not known is dropped', async t => {
  const cases: [query: string, expected: Record<string, string>][] = [
    ['offset=1&limit=2', { offset: '1', limit: '2' }],
    ['limit=2&limit=3', { limit: '2' }],
    ['limit=%zz&limit=3', { limit: '3' }],
    ['limit=&limit=3', { limit: '' }],
    ['limit=%2531', { limit: '%31' }],
    ['limit=a+b%20c', { limit: 'a b c' }],
    ['l%69mit=%32', { limit: '2' }],
    ['limit=%c3%a4', { limit: '\u00e4' }],
    ['limit=%ff', { limit: '\ufffd' }],
    ['force&x=1&__proto__=2&constructor=3', {}]
  ]
  for (const [query, expected] of cases) t.strictSame(readQuery(query, ['offset', 'limit']), expected, query)
})

await t.test('a route without parameters has none', async t => {
  t.strictSame(readQuery('force&offset=1', []), {})
})

await t.test('it reads what URLSearchParams writes, and nothing else comes out', async () => {
  const value = fc.string({ unit: 'grapheme' })
  fc.assert(fc.property(fc.array(fc.tuple(fc.oneof(value, fc.constantFrom('offset', 'limit')), value)), pairs => {
    const query = new URLSearchParams(pairs)
    const found = readQuery(query.toString(), ['offset', 'limit'])
    const expected = Object.fromEntries(['offset', 'limit'].flatMap(name => query.has(name) ? [[name, query.get(name)]] : []))
    return isDeepStrictEqual(found, expected)
  }))
  fc.assert(fc.property(fc.string({ unit: 'binary' }), query => Object.keys(readQuery(query, ['force'])).every(name => name === 'force')))
})
