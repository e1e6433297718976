import t from 'tap'
import { namesEntity, responseHeaders } from '../../src/http/headers.ts'

await t.test('headers that describe the content pass', async t => {
  const headers = {
    'content-type': 'application/x-tar',
    'content-length': '3',
    'content-encoding': 'gzip',
    'content-disposition': 'attachment',
    etag: '"x"',
    'last-modified': 'Wed, 21 Oct 2015 07:28:00 GMT'
  }
  t.strictSame(responseHeaders(headers), headers)
})

await t.test('whatever else the upstream sends stays behind', async t => {
  t.strictSame(responseHeaders({
    'content-type': 'application/json',
    'www-authenticate': 'Bearer realm="the upstream\'s"',
    server: 'nginx',
    date: 'now',
    connection: 'etag, close',
    'keep-alive': 'timeout=5',
    'transfer-encoding': 'chunked',
    trailer: 'x',
    upgrade: 'h2c',
    'proxy-authenticate': 'Basic',
    'set-cookie': ['a=b'],
    location: 'http://other/',
    'x-request-id': 'of the upstream',
    'access-control-allow-origin': '*',
    'x-anything': '1'
  }), { 'content-type': 'application/json' })
  t.strictSame(responseHeaders({}), {})
})

await t.test('a condition names an entity tag in a list, weakly, or any', async t => {
  const cases: [header: string | undefined, named: boolean][] = [
    [undefined, false], ['', false], ['"a"', true], ['W/"a"', true], ['"b", "a"', true], ['"b",W/"a" ', true], ['*', true],
    ['"b"', false], ['a', false], ['"A"', false], ['"ab"', false], ['w/"a"', false]
  ]
  for (const [header, named] of cases) t.equal(namesEntity(header, '"a"'), named, header ?? 'none')
})
