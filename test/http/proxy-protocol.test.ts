import t from 'tap'
import { proxyProtocolOf } from '../../src/http/proxy-protocol.ts'

const V2 = '\r\n\r\n\0\r\nQUIT\n'

await t.test('a PROXY protocol header is known by how it begins', t => {
  const cases: [string, 'v1' | 'v2' | undefined][] = [
    ['PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\nGET / HTTP/1.1\r\n', 'v1'],
    ['PROXY UNKNOWN\r\n', 'v1'],
    [`${V2}\x21\x11\0\x0c`, 'v2'],
    [V2, 'v2'],
    [V2.slice(0, -1), undefined],
    ['PROXY', undefined],
    ['PROXYING / HTTP/1.1', undefined],
    ['GET /PROXY HTTP/1.1', undefined],
    ['', undefined]
  ]
  for (const [bytes, version] of cases) t.equal(proxyProtocolOf(Buffer.from(bytes, 'latin1')), version, JSON.stringify(bytes))
  t.end()
})
