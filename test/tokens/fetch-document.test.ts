// One GET: what it sends to whom, and what ends it.
import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { fetchDocument, type DocumentPlace } from '../../src/tokens/fetch-document.ts'
import { Authority } from '../helpers/certificates.ts'
import { startIssuer } from '../helpers/federation.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'
import { newSecret } from '../helpers/secrets.ts'
import { untilTrue } from '../helpers/until.ts'

async function fetchIt (place: DocumentPlace, bytes = 1_000, time = 5_000): Promise<string> {
  return await fetchDocument(place, { bytes, signal: AbortSignal.timeout(time) })
}

async function listening (t: TestLike, server: Server): Promise<number> {
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(async () => await new Promise<void>(resolve => {
    server.close(() => { resolve() })
    server.closeAllConnections()
  }))
  return (server.address() as AddressInfo).port
}

/** The environment says this of proxies, and nothing else, until the test is over. */
function setProxy (t: TestLike, said: Readonly<Record<string, string>>): void {
  const names = ['https_proxy', 'http_proxy', 'no_proxy', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']
  const before = names.map(name => [name, process.env[name]] as const)
  t.teardown(() => {
    for (const [name, value] of before) {
      delete process.env[name]
      if (value !== undefined) process.env[name] = value
    }
  })
  for (const name of names) delete process.env[name]
  Object.assign(process.env, said)
}

await t.test('a token is read anew each time, and nothing is sent without one', async t => {
  const { issuer, seen } = await startIssuer(t)
  const tokenFile = join(testFolder(t), 'token')
  const [first, second] = [newSecret(), newSecret()]
  await writeFile(tokenFile, `${first}\n`)
  await fetchIt({ url: `${issuer}/keys`, tokenFile })
  await writeFile(tokenFile, second)
  await fetchIt({ url: `${issuer}/keys`, tokenFile })
  await fetchIt({ url: `${issuer}/keys` })
  t.strictSame(seen.map(({ authorization }) => authorization), [`Bearer ${first}`, `Bearer ${second}`, undefined])
  await t.rejects(fetchIt({ url: `${issuer}/keys`, tokenFile: `${tokenFile}-gone` }), { code: 'ENOENT' })
  t.equal(seen.length, 3, 'and without the token nobody is asked')
})

await t.test('a redirect is followed nowhere, and too much or too slow is nothing', async t => {
  const { issuer, documents, seen } = await startIssuer(t)
  documents.set('/moved', { status: 302, headers: { location: `${issuer}/keys` }, body: '' })
  documents.set('/long', { body: 'x'.repeat(1_001) })
  await t.rejects(fetchIt({ url: `${issuer}/moved` }), { message: 'it answered 302' })
  await t.rejects(fetchIt({ url: `${issuer}/long` }), { message: 'it sent more than 1000 bytes' })
  t.strictSame(seen.map(({ url }) => url), ['/moved', '/long'])
  const silent = await listening(t, createServer(() => {}))
  await t.rejects(fetchIt({ url: `http://127.0.0.1:${silent}/` }, 10, 50), { name: 'TimeoutError' })
})

/** Takes connections, says something on each, and then a piece again and again, for ever. */
async function dripping (t: TestLike, first: string, piece = ''): Promise<{ readonly port: number, readonly open: () => number }> {
  const sockets = new Set<Socket>()
  const server = createTcpServer(socket => {
    sockets.add(socket.on('error', () => {}))
    let timer: NodeJS.Timeout | undefined
    socket.once('data', () => {
      socket.write(first)
      if (piece !== '') timer = setInterval(() => { socket.write(piece) }, 5)
    })
    socket.on('close', () => {
      clearInterval(timer)
      sockets.delete(socket)
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return { port: (server.address() as AddressInfo).port, open: () => sockets.size }
}

const DRIPS: readonly (readonly [what: string, first: string, piece?: string])[] = [
  ['nothing at all', ''],
  ['a head that never ends, byte by byte', 'HTTP/1.1 200 OK\r\nx-long: ', 'x'],
  ['one header after the other', 'HTTP/1.1 200 OK\r\n', 'x: y\r\n'],
  ['one provisional answer after the other', '', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ['a body byte by byte', 'HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n', 'x'],
  ['a body whose end is never said', 'HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n{}'],
  ['chunk by chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n'],
  ['the body of a refusal byte by byte', 'HTTP/1.1 404 Not Found\r\ncontent-length: 900\r\n\r\n', 'x'],
  ['the body of a redirect that never ends', 'HTTP/1.1 302 Found\r\nlocation: /keys\r\ntransfer-encoding: chunked\r\n\r\n', '1\r\nx\r\n']
]

/** Ends in its time, or says that it did not. */
async function inTime (fetched: Promise<string>): Promise<string> {
  const late = new Promise<string>(resolve => { setTimeout(() => { resolve('it goes on') }, 5_000).unref() })
  return await Promise.race([fetched.then(() => 'a document', (error: Error) => `${error.name}: ${error.message}`), late])
}

for (const [what, first, piece] of DRIPS) {
  await t.test(`who gives ${what} is given its time and no more, and the connection is closed`, async t => {
    const { port, open } = await dripping(t, first, piece)
    t.match(await inTime(fetchIt({ url: `http://127.0.0.1:${port}/` }, 100_000, 300)), /^(?:TimeoutError|HeadersOverflowError)/)
    await untilTrue(() => open() === 0)
  })
}

await t.test('who takes a connection and no TLS, or a proxy that never opens its tunnel, is given no more time either', async t => {
  const { port } = await dripping(t, '')
  t.match(await inTime(fetchIt({ url: `https://127.0.0.1:${port}/` }, 1_000, 300)), /^TimeoutError/)
  setProxy(t, { HTTPS_PROXY: `http://127.0.0.1:${port}` })
  t.match(await inTime(fetchIt({ url: 'https://issuer.example.test/' }, 1_000, 300)), /^TimeoutError/)
  const tunnel = await dripping(t, 'HTTP/1.1 200 OK\r\n\r\n')
  setProxy(t, { HTTPS_PROXY: `http://127.0.0.1:${tunnel.port}` })
  t.match(await inTime(fetchIt({ url: 'https://issuer.example.test/' }, 1_000, 300)), /^TimeoutError/)
  await t.rejects(fetchDocument({ url: 'http://127.0.0.1:1/' }, { bytes: 1, signal: AbortSignal.abort(new Error('its time was over before')) }), { message: 'its time was over before' })
})

await t.test('an authority of one\'s own is trusted where it is named, and there alone', async t => {
  const authority = Authority.make(testFolder(t))
  const { certText: cert, keyText: key } = authority.issue()
  const ca = authority.cert
  const port = await listening(t, createTlsServer({ cert, key }, (_request, response) => { response.end('keys') }))
  t.equal(await fetchIt({ url: `https://127.0.0.1:${port}/`, ca }), 'keys')
  await t.rejects(fetchIt({ url: `https://127.0.0.1:${port}/` }))
  await t.rejects(fetchIt({ url: `https://127.0.0.1:${port}/`, ca: `${ca}-gone` }), { code: 'ENOENT' })
})

await t.test('HTTPS_PROXY is gone through, unless NO_PROXY says otherwise; on loopback never', async t => {
  const asked: string[] = []
  const proxy = createServer()
  proxy.on('connect', ({ url = '' }: { url?: string }, socket: Socket) => {
    asked.push(url)
    socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n')
  })
  const port = await listening(t, proxy)
  setProxy(t, { HTTPS_PROXY: `http://127.0.0.1:${port}`, HTTP_PROXY: `http://127.0.0.1:${port}` })
  await t.rejects(fetchIt({ url: 'https://issuer.example.test/keys' }))
  t.strictSame(asked, ['issuer.example.test:443'])
  process.env['NO_PROXY'] = 'issuer.example.test'
  await t.rejects(fetchIt({ url: 'https://issuer.example.test/keys' }))
  t.equal(asked.length, 1)
  delete process.env['NO_PROXY']
  const { issuer } = await startIssuer(t)
  t.match(await fetchIt({ url: `${issuer}/keys` }), '"keys"')
  t.equal(asked.length, 1)
})
