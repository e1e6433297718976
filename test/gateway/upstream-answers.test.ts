// What an upstream may say, byte by byte, and what a client gets of it: a whole answer
// or one refusal in our form, and never anything that was not meant for it.
import { createServer, type AddressInfo } from 'node:net'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { chartOf } from '../helpers/packages.ts'
import { answersIn, askRaw, sendRaw } from '../helpers/raw.ts'

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n'
let bytes = ''
const server = createServer(socket => {
  // Its page is answered: only one that answers nothing at all is asked for nothing any more.
  socket.on('error', () => {}).once('data', head => { socket.end(Buffer.from(String(head).startsWith('GET /health ') ? `${OK}\r\n{"entries":{}}` : bytes, 'latin1')) })
})
await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
t.teardown(() => { server.close() })
const gateway = await startApp(t, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}` })
const HIDDEN = ['www-authenticate', 'proxy-authenticate', 'server', 'set-cookie', 'location', 'via', 'x-powered-by', 'trailer', 'upgrade', 'proxy-connection', 'access-control-allow-origin', 'strict-transport-security']
const NOISE = HIDDEN.map(name => `${name}: upstream\r\n`).join('') + 'Keep-Alive: timeout=1, max=1\r\nX-Request-Id: upstream\r\n'

await t.test('a whole answer comes through, and every other one is one refusal', async t => {
  const cases: [name: string, bytes: string, status: number][] = [
    ['a chart', `${OK}\r\n{"entries":{}}`, 200],
    ['hop-by-hop headers and others of its own', `${OK}${NOISE}\r\n{"entries":{}}`, 200],
    ['a body until the end of the connection', 'HTTP/1.1 200 OK\r\n\r\n{"entries":{}}', 200],
    ['a hint before the answer', `HTTP/1.1 103 Early Hints\r\nLink: upstream\r\n\r\n${OK}\r\n{"entries":{}}`, 200],
    ['two answers', `${OK}\r\n{"entries":{}}HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\nupstream`, 200],
    ['headers that are not ASCII', `${OK}ETag: "\xc3\xa4"\r\nContent-Disposition: attachment; filename="\xff"\r\n\r\n{"entries":{}}`, 200],
    ['two lengths', `${OK}Content-Length: 2\r\n\r\nx`, 502],
    ['a length and chunks', `${OK}Transfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n`, 502],
    ['a page', 'HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 8\r\n\r\nupstream', 502],
    ['a long page', `HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 100000\r\n\r\n${'upstream'.repeat(12_500)}`, 502],
    ['no content', 'HTTP/1.1 204 No Content\r\n\r\n', 502],
    ['a part', 'HTTP/1.1 206 Partial Content\r\nContent-Range: bytes 0-0/8\r\nContent-Length: 1\r\n\r\nx', 502],
    ['not modified', 'HTTP/1.1 304 Not Modified\r\nETag: "x"\r\n\r\n', 502],
    ['a redirect', `HTTP/1.1 301 Moved\r\nLocation: http://upstream/\r\nContent-Length: 0\r\n${NOISE}\r\n`, 502],
    ['another protocol', 'HTTP/1.1 101 Switching Protocols\r\nUpgrade: upstream\r\nConnection: upgrade\r\n\r\n', 502],
    ['a status that is none', `HTTP/1.1 999 Upstream\r\nContent-Encoding: gzip\r\nETag: "x"\r\nContent-Length: 8\r\n${NOISE}\r\nupstream`, 502],
    ['a challenge', `HTTP/1.1 401 Unauthorized\r\nContent-Length: 8\r\n${NOISE}\r\nupstream`, 502],
    ['an empty failure', `HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n${NOISE}\r\n`, 502],
    ['a refusal that describes its body', `HTTP/1.1 404 Not Found\r\nContent-Encoding: gzip\r\nContent-Disposition: attachment\r\nLast-Modified: x\r\nETag: "x"\r\nContent-Type: text/html\r\nContent-Length: 8\r\n${NOISE}\r\nupstream`, 404],
    ['a text that is too long for it', `HTTP/1.1 413 Request Entity Too Large\r\nContent-Type: text/plain\r\nContent-Length: 8\r\n${NOISE}\r\nupstream`, 413],
    ['a path of Windows', 'HTTP/1.1 404 Not Found\r\nContent-Length: 52\r\n\r\n{"error":"open C:\\\\upstream\\\\x.tgz: Access is denied."}', 404],
    ['a chunk of no size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nzz\r\nupstream', 502],
    ['a first chunk of no size', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nupstream', 502],
    ['a chunk that is cut off', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nups', 502],
    ['chunks without an end', 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n', 502],
    ['a body that is cut off', `${OK}\r\n{"entries"`, 502],
    ['no HTTP', 'upstream', 502],
    ['nothing', '', 502]
  ]
  for (const [name, said, status] of cases) {
    for (const path of ['/org1/repo1/charts/a-1.0.0.tgz', '/org1/repo1/index.yaml', '/api/org1/repo1/charts/a']) {
      bytes = said
      const { text } = await sendRaw(gateway.port, `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n\r\n`, { quiet: 20 })
      const [answer, ...more] = answersIn(text)
      t.same([answer?.status, more.length], [status, 0], `${name} ${path}`)
      t.notMatch(text, 'upstream', name)
      for (const header of HIDDEN) t.notOk(answer?.headers[header], `${name}: ${header}`)
      if (status === 200) continue
      t.type((JSON.parse(String(answer?.body)) as { error: unknown }).error, 'string', name)
      t.same(answer?.headers['content-type'], ['application/json; charset=utf-8'], name)
      for (const header of ['content-encoding', 'content-disposition', 'last-modified', 'etag']) t.notOk(answer?.headers[header], `${name}: ${header}`)
    }
  }
  t.notMatch(gateway.logText(), 'Reply was already sent')
})

await t.test('a change that is answered in broken chunks is a 502 too', async t => {
  const chart = await chartOf('a', '1.0.0')
  const auth = `Host: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n`
  for (const end of ['zz\r\nupstream', '9\r\nups', '']) {
    bytes = `HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n${end}`
    for (const request of [`DELETE /api/org1/repo1/charts/a/1.0.0 HTTP/1.1\r\n${auth}\r\n`, `POST /api/org1/repo1/charts HTTP/1.1\r\n${auth}Content-Length: ${chart.length}\r\n\r\n`, `POST /api/org1/repo1/charts?force HTTP/1.1\r\n${auth}Content-Length: ${chart.length}\r\n\r\n`]) {
      const { status, text } = await askRaw(gateway.port, Buffer.concat([Buffer.from(request), ...(request.startsWith('POST') ? [chart] : [])]))
      t.equal(status, 502, String(/^.*/.exec(request)))
      t.notMatch(text, 'upstream')
    }
  }
})
