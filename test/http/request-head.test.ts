import t from 'tap'
import { countOf, faultOfHead, valuesOf } from '../../src/http/request-head.ts'

await t.test('a head that every reader takes the same way has no fault', t => {
  const heads: [string, Record<string, string>][] = [
    ['1.1', { host: 'x' }], ['1.1', { host: '' }], ['1.0', {}], ['1.0', { host: 'x' }], ['1.1', { host: 'x', 'transfer-encoding': 'chunked' }], ['1.1', { host: 'x', 'transfer-encoding': 'Chunked' }]
  ]
  t.equal(faultOfHead({ httpVersion: '1.1', headers: { host: 'x' }, rawHeaders: ['Host', 'x', ...Array<string>(398).fill('x')] }), undefined)
  for (const [httpVersion, headers] of heads) t.equal(faultOfHead({ httpVersion, headers, rawHeaders: Object.entries(headers).flat() }), undefined)
  t.end()
})

await t.test('every other one is told what is wrong', t => {
  const heads: [string, string[], RegExp][] = [
    ['0.9', [], /HTTP\/1.1 or/], ['2.0', ['Host', 'x'], /HTTP\/1.1 or/], ['1.1', [], /no Host/], ['1.1', ['Host', 'x', 'HOST', 'x'], /several Host/], ['1.0', ['host', 'x', 'Host', 'y'], /several Host/],
    ['1.1', ['Host', 'x', ...Array<string>(400).fill('x')], /more than 200/], ['1.1', ['Host', 'x', 'transfer-encoding', 'gzip, chunked'], /chunked/], ['1.1', ['Host', 'x', 'transfer-encoding', 'identity'], /chunked/], ['1.1', ['Host', 'x', 'transfer-encoding', ''], /chunked/], ['1.0', ['transfer-encoding', 'chunked'], /chunked/]
  ]
  for (const [httpVersion, rawHeaders, expected] of heads) {
    const at = rawHeaders.indexOf('transfer-encoding')
    const headers = at < 0 ? {} : { 'transfer-encoding': rawHeaders[at + 1] as string }
    t.match(faultOfHead({ httpVersion, headers, rawHeaders }), expected, rawHeaders.join())
  }
  t.end()
})

await t.test('names are counted, not values', t => {
  t.equal(countOf('host', ['Host', 'host', 'X-Host', 'host', 'hOST', '']), 2)
  t.equal(countOf('host', []), 0)
  t.end()
})

await t.test('what came under a name, in order', t => {
  t.same(valuesOf('x-a', ['X-A', '1', 'x-b', 'x-a', 'x-a', '', 'X-a', '2']), ['1', '', '2'])
  t.same(valuesOf('x-a', ['x-b', 'x-a']), [])
  t.end()
})
