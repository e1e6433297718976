import t from 'tap'
import { requestHeaders, responseHeaders } from '../../src/http/headers.ts'

await t.test('the upstream gets four headers, and a fifth where it wants a credential', async t => {
  const client = { isProxy: false, address: '192.0.2.1', proto: 'https', host: 'charts.example.test' }
  const four = { 'x-request-id': 'id', 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'https', 'x-forwarded-host': 'charts.example.test' }
  t.strictSame(requestHeaders({ requestId: 'id', client }, undefined), four)
  t.strictSame(requestHeaders({ requestId: 'id', client }, 'Bearer x'), { ...four, authorization: 'Bearer x' })
  t.notOk('x-forwarded-for' in requestHeaders({ requestId: 'id', client: { ...client, address: undefined } }, undefined), 'nobody is said to be there who is gone')
})

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
  t.strictSame(responseHeaders({ etag: '"x"', 'content-type': 'text/plain', 'last-modified': 'now', connection: 'close, ETag ,last-modified' }), { 'content-type': 'text/plain' }, 'what Connection names is for one hop')
  t.strictSame(responseHeaders({ 'content-type': ['text/plain', 'text/html'] } as never), {}, 'one that came twice is none')
  t.strictSame(responseHeaders({}), {})
  for (const odd of ['\u00e4', '\u00ff', '\u0100', 'a\u0000b', 'a\u007fb', 'a\nb']) t.strictSame(responseHeaders({ etag: odd, 'content-type': 'text/plain' }), { 'content-type': 'text/plain' }, 'what is not ASCII is none')
})
