// Class 19, request smuggling: two readers of one connection find the end of a request
// at two places, and the second takes what is left for a request of its own. undici
// CVE-2026-1525 (two Content-Length, by case), llhttp CVE-2021-22959 (a space before the
// colon). The prize here is a request behind the first one: a DELETE that a proxy in
// front took for a body.
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { provenanceOf } from '../helpers/packages.ts'
import { answersIn, openRaw } from '../helpers/raw.ts'
import { EMPTY_INDEX, startStubUpstream } from '../helpers/stub-upstream.ts'

const stub = await startStubUpstream(t)
const have = provenanceOf('a', '1.0.0')
const prizes: string[] = []
stub.answer = ({ method, target }) => {
  if (method === 'DELETE') prizes.push(target)
  return method === 'POST' ? { status: 201 } : { body: target.endsWith('/index.yaml') ? EMPTY_INDEX : 'hello' }
}
const gateway = await startApp(t, { origin: stub.origin })
const auth = `Host: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n`
const POST = `POST /api/org1/repo1/prov?force HTTP/1.1\r\n${auth}`
const GET = `GET /org1/repo1/charts/a-1.0.0.tgz HTTP/1.1\r\n${auth}`
const PRIZE = `DELETE /api/org1/repo1/charts/prize/1.0.0 HTTP/1.1\r\n${auth}\r\n`
const chunk = (text: string): string => `${text.length.toString(16)}\r\n${text}\r\n`

/** Everything that the gateway says to these bytes, and what of it reached the upstream. */
async function say (bytes: string): Promise<{ statuses: number[], open: boolean, seen: string[] }> {
  stub.seen.length = 0
  const connection = await openRaw(t, gateway.port)
  connection.socket.write(bytes)
  // A whole answer to one more request, if the connection is still open, says that nothing else comes.
  await connection.received(/^HTTP[^]*\r\n\r\n/)
  connection.socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
  await connection.received(/\{"healthy":true\}/)
  const answers = answersIn(connection.text())
  connection.socket.destroy()
  const open = answers.at(-1)?.body === '{"healthy":true}'
  return { statuses: (open ? answers.slice(0, -1) : answers).map(answer => answer.status), open, seen: stub.seen.map(seen => `${seen.method} ${seen.target}`) }
}

await t.test('a framing that can be read in two ways is refused, and the connection ends', async t => {
  const cases: [name: string, bytes: string][] = [
    ['a length and chunks', `${POST}Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['chunks and a length', `${POST}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['chunks and a length, on a GET', `${GET}Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['two lengths', `${POST}Content-Length: 0\r\nContent-Length: 5\r\n\r\n${PRIZE}`],
    ['two lengths in two cases', `${POST}Content-Length: 0\r\ncontent-length: 5\r\n\r\n${PRIZE}`],
    ['the same length twice', `${POST}Content-Length: 0\r\nContent-Length: 0\r\n\r\n${PRIZE}`],
    ['a list of lengths', `${POST}Content-Length: 0, 0\r\n\r\n${PRIZE}`],
    ['a length with a sign', `${POST}Content-Length: +0\r\n\r\n${PRIZE}`],
    ['a negative length', `${POST}Content-Length: -1\r\n\r\n${PRIZE}`],
    ['a hexadecimal length', `${POST}Content-Length: 0x0\r\n\r\n${PRIZE}`],
    ['a length that overflows', `${POST}Content-Length: 18446744073709551616\r\n\r\n${PRIZE}`],
    ['an empty length', `${POST}Content-Length:\r\n\r\n${PRIZE}`],
    ['a space before the colon', `${POST}Content-Length : 0\r\n\r\n${PRIZE}`],
    ['a space before the colon of the coding', `${POST}Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['xchunked', `${POST}Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['chunked twice', `${POST}Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['chunked, chunked', `${POST}Transfer-Encoding: chunked, chunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['chunked, identity', `${POST}Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['identity', `${POST}Transfer-Encoding: identity\r\n\r\n${PRIZE}`],
    ['gzip, chunked', `${POST}Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['chunks in HTTP/1.0', `${POST.replace('HTTP/1.1', 'HTTP/1.0')}Connection: keep-alive\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['a vertical tab before chunked', `${POST}Transfer-Encoding:\x0bchunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['a folded header', `${POST}Transfer-Encoding:\r\n chunked\r\n\r\n0\r\n\r\n${PRIZE}`],
    ['a folded name', `${POST}X: y\r\n Content-Length: 5\r\n\r\n${PRIZE}`],
    ['lines that end with LF', `${POST}Content-Length: 0\r\n\r\n`.replaceAll('\r\n', '\n') + PRIZE],
    ['one line that ends with LF', `${POST}X: y\nContent-Length: 0\r\n\r\n${PRIZE}`],
    ['lines that end with CR', `${POST}X: y\rContent-Length: 5\r\n\r\n${PRIZE}`],
    ['an empty line of LF', `${POST}Content-Length: 0\r\n\n${PRIZE}`],
    ['a header without a colon', `${POST}Content-Length 5\r\n\r\n${PRIZE}`],
    ['a header without a name', `${POST}: 5\r\n\r\n${PRIZE}`],
    ['a NUL in a name', `${POST}Content\0-Length: 5\r\n\r\n${PRIZE}`],
    ['two Hosts', `${POST}Host: y\r\nContent-Length: 0\r\n\r\n${PRIZE}`],
    ['a chunk size with LF', `${POST}Transfer-Encoding: chunked\r\n\r\n0\n\n${PRIZE}`],
    ['a negative chunk size', `${POST}Transfer-Encoding: chunked\r\n\r\n-1\r\n\r\n${PRIZE}`],
    ['a chunk size with 0x', `${POST}Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n${PRIZE}`],
    ['a chunk size that overflows', `${POST}Transfer-Encoding: chunked\r\n\r\n10000000000000000\r\n${PRIZE}`],
    ['a chunk that is longer than its size', `${POST}Transfer-Encoding: chunked\r\n\r\n1\r\nxx\r\n0\r\n\r\n${PRIZE}`],
    ['a chunk extension with LF', `${POST}Transfer-Encoding: chunked\r\n\r\n0;a\nb\r\n\r\n${PRIZE}`]
  ]
  for (const [name, bytes] of cases) {
    const { statuses, open, seen } = await say(bytes)
    t.same({ statuses, open, seen }, { statuses: [400], open: false, seen: [] }, name)
  }
  // Something may still be on its way to the upstream: it is there when this is.
  await say(`${GET}\r\n`)
  t.same(prizes, [])
})

await t.test('a body belongs to its request, however much it looks like another one', async t => {
  const inside = { open: true, seen: ['GET /org1/repo1/charts/a-1.0.0.tgz'] }
  t.same(await say(`${GET}Content-Length: ${PRIZE.length}\r\n\r\n${PRIZE}`), { statuses: [200], ...inside }, 'of a GET')
  t.same(await say(`${GET}Transfer-Encoding: chunked\r\n\r\n${chunk(PRIZE)}0\r\n\r\n`), { statuses: [200], ...inside }, 'of a GET, in chunks')
  t.same(await say(`GET /org1/repo1/index.yaml HTTP/1.1\r\n${auth}Content-Length: ${PRIZE.length}\r\n\r\n${PRIZE}`), { statuses: [200], open: true, seen: ['GET /org1/repo1/index.yaml'] }, 'of an index')
  t.same(await say(`GET /info HTTP/1.1\r\n${auth}Content-Length: ${PRIZE.length}\r\n\r\n${PRIZE}`), { statuses: [200], open: true, seen: [] }, 'of the gateway\'s own')
  t.same(await say(`${POST}Content-Length: ${PRIZE.length}\r\n\r\n${PRIZE}`), { statuses: [400], open: true, seen: [] }, 'of an upload')
  t.same(await say(`${POST}Transfer-Encoding: chunked\r\n\r\n${chunk(have)}0\r\nAuthorization: x\r\nContent-Length: 0\r\nX-Request-Id: x\r\n\r\n`).then(({ seen }) => seen.filter(each => each.startsWith('DELETE'))), [], 'trailers are no headers')
})

await t.test('what is left behind a refused request is not read as one', async t => {
  const refused = 'POST /api/org1/repo1/prov HTTP/1.1\r\nHost: x\r\n'
  for (const [name, bytes, status] of [
    ['an expectation without credentials', `${refused}Content-Length: ${PRIZE.length + 1}\r\nExpect: 100-continue\r\n\r\n${PRIZE}`, 401],
    ['a body without credentials', `${refused}Content-Length: ${PRIZE.length + 1}\r\n\r\n${PRIZE}`, 401],
    ['chunks without credentials', `${refused}Transfer-Encoding: chunked\r\n\r\n${chunk('x')}`, 401],
    ['a body that is too large', `${POST}Content-Length: 99999999\r\n\r\n${PRIZE}`, 413]
  ] as [string, string, number][]) {
    const { statuses, open, seen } = await say(bytes)
    t.same({ statuses, open, seen }, { statuses: [status], open: false, seen: [] }, name)
  }
  // The body ends while the refusal is on its way: what follows is behind a connection that is closed.
  const connection = await openRaw(t, gateway.port)
  stub.seen.length = 0
  connection.socket.write(`${refused}Content-Length: 5\r\n\r\nx`)
  await connection.received(/"error"/)
  connection.socket.write(`yyyy${PRIZE}`)
  await connection.closed
  t.same([answersIn(connection.text()).length, stub.seen], [1, []])
})

await t.test('no protocol is changed, and nothing of the wish is passed on', async t => {
  for (const upgrade of ['h2c', 'websocket', 'TLS/1.2', 'h2c, websocket']) {
    const { statuses, open, seen } = await say(`${GET}Connection: Upgrade, HTTP2-Settings\r\nUpgrade: ${upgrade}\r\nHTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n`)
    t.same({ statuses, open, seen }, { statuses: [200], open: false, seen: ['GET /org1/repo1/charts/a-1.0.0.tgz'] }, upgrade)
    for (const name of ['upgrade', 'http2-settings', 'sec-websocket-key']) t.notOk(stub.seen[0]?.headers[name], name)
  }
})

await t.test('and after all of it nothing was deleted', async t => {
  await say(`${GET}\r\n`)
  t.same(prizes, [])
})
