import t from 'tap'
import { responseHeaders, timesSent } from '../../src/http/headers.ts'

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

await t.test('a header is counted under its name in any case, and values are not', async t => {
  const raw = ['Host', 'a', 'HOST', 'b', 'X-Host', 'c', 'X', 'host', 'hosts', 'd']
  t.equal(timesSent(raw, 'host'), 2)
  t.equal(timesSent(raw, 'cookie'), 0)
})
