// One GET: what it sends to whom, and what ends it.
import { writeFile } from 'node:fs/promises'
import { createServer, type Server } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { fetchDocument, type DocumentPlace } from '../../src/tokens/fetch-document.ts'
import { Authority } from '../helpers/certificates.ts'
import { startIssuer } from '../helpers/federation.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'
import { newSecret } from '../helpers/secrets.ts'

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
  const names = ['https_proxy', 'http_proxy', 'no_proxy', 'HTTPS_PROXY', 'HTTP_PROXY', 'NO_PROXY']
  const before = names.map(name => [name, process.env[name]] as const)
  t.teardown(() => {
    for (const [name, value] of before) {
      delete process.env[name]
      if (value !== undefined) process.env[name] = value
    }
  })
  for (const name of names) delete process.env[name]
  process.env['HTTPS_PROXY'] = process.env['HTTP_PROXY'] = `http://127.0.0.1:${port}`
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
