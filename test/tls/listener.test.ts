// TLS on a listener, over real sockets: what it speaks, and how certificates are changed
// under open connections.
import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { Agent, request } from 'node:https'
import { connect as connectTcp, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { createLive, type Live } from '../../src/lib/live.ts'
import { createTlsServer, type ListenerTls } from '../../src/tls/listener.ts'
import { readMaterial, type Material, type TlsNames, type TlsTexts } from '../../src/tls/material.ts'
import { Authority, type Issued } from '../helpers/certificates.ts'
import { testFolder } from '../helpers/folder.ts'

const dir = testFolder(t)
const authority = Authority.make(join(dir, 'ca'))
const [first, second] = [authority.issue({ subject: '/CN=first' }), authority.issue({ subject: '/CN=second' })]

function material (texts: TlsTexts, more: Omit<TlsNames, 'files'> = {}): Material {
  const read = readMaterial({ files: {}, ...more }, texts)
  if (!read.ok) throw new Error(read.mistakes.join())
  return read.material
}
const pairOf = ({ certText, keyText }: Issued, more: Omit<TlsNames, 'files'> = {}): Material => material({ cert: certText, key: keyText }, more)

async function listen (t: Test, more: Partial<ListenerTls> = {}): Promise<{ port: number, pair: Live<Material> }> {
  const pair = createLive(pairOf(first))
  const server = createTlsServer({ pair, ...more }, {}, (_request, response) => { response.end('ok') })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, pair }
}

/** Connects; the socket, or why there is none. */
async function speak (port: number, options: ConnectionOptions = {}): Promise<TLSSocket | string> {
  const socket = connect({ port, host: '127.0.0.1', ca: authority.certText, ...options })
  return await new Promise(resolve => {
    socket.once('secureConnect', () => { resolve(socket) }).once('error', error => { resolve((error as NodeJS.ErrnoException).code ?? error.message) })
  })
}

async function ask (port: number, agent: Agent): Promise<{ peer: string | undefined, socket: TLSSocket }> {
  const asked = request({ port, host: '127.0.0.1', agent, ca: authority.certText })
  asked.end()
  const [response] = await once(asked, 'response') as [IncomingMessage]
  const socket = response.socket as TLSSocket
  const peer = String(socket.getPeerCertificate().subject.CN)
  response.resume()
  await once(response, 'end')
  return { peer, socket }
}

await t.test('it speaks TLS 1.2 and 1.3, and HTTP/1.1 alone', async t => {
  const { port } = await listen(t)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await speak(port, { minVersion: version, maxVersion: version, ALPNProtocols: ['h2', 'http/1.1'] })
    if (typeof socket === 'string') throw new Error(socket)
    t.strictSame([socket.getProtocol(), socket.alpnProtocol, socket.authorized], [version, 'http/1.1', true])
    socket.destroy()
  }
  t.equal(await speak(port, { ALPNProtocols: ['h2'] }), 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL')
  t.match(await speak(port, { minVersion: 'TLSv1.1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' }), /PROTOCOL_VERSION|ECONNRESET/)
})

await t.test('with minVersion 1.3 it speaks nothing else, from then on', async t => {
  const { port, pair } = await listen(t)
  const open = await speak(port, { maxVersion: 'TLSv1.2' })
  if (typeof open === 'string') throw new Error(open)
  pair.current = pairOf(first, { minVersion: '1.3' })
  t.equal(await speak(port, { maxVersion: 'TLSv1.2' }), 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION')
  const socket = await speak(port)
  t.equal(typeof socket === 'string' ? socket : socket.getProtocol(), 'TLSv1.3')
  if (typeof socket !== 'string') socket.destroy()
  open.write('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n')
  t.match(String((await once(open, 'data'))[0]), /^HTTP\/1\.1 200/, 'what is open stays as it is')
  pair.current = pairOf(first)
  const again = await speak(port, { maxVersion: 'TLSv1.2' })
  t.equal(typeof again === 'string' ? again : again.getProtocol(), 'TLSv1.2')
  if (typeof again !== 'string') again.destroy()
})

await t.test('new connections get a new certificate, and open ones stay', async t => {
  const { port, pair } = await listen(t)
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  t.teardown(() => { agent.destroy() })
  const before = await ask(port, agent)
  pair.current = pairOf(second)
  const open = await ask(port, agent)
  const fresh = await ask(port, new Agent())
  t.equal(open.socket, before.socket)
  t.strictSame([before.peer, open.peer, fresh.peer], ['first', 'first', 'second'])
})

await t.test('a session is resumed, and not with another certificate than it began with', async t => {
  const { port, pair } = await listen(t)
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await speak(port, { maxVersion: version })
    if (typeof socket === 'string') throw new Error(socket)
    let session: Buffer | undefined = socket.getSession() // of TLS 1.2; of 1.3 it comes later
    socket.on('session', (each: Buffer) => { session = each })
    socket.end('GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n').resume()
    await once(socket, 'close')
    const isReused = async (): Promise<boolean> => {
      const again = await speak(port, { maxVersion: version, ...(session === undefined ? {} : { session }) })
      if (typeof again === 'string') throw new Error(again)
      const isReused = again.isSessionReused()
      again.destroy()
      return isReused
    }
    t.equal(await isReused(), true, version)
    pair.current = pairOf(second)
    t.equal(await isReused(), false, version)
  }
})

await t.test('who does not speak TLS is let go', async t => {
  const { port } = await listen(t)
  const socket = connectTcp(port, '127.0.0.1', () => { socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n') })
  const chunks: Buffer[] = []
  socket.on('data', chunk => { chunks.push(chunk) }).on('error', () => {})
  await once(socket, 'close')
  t.notMatch(Buffer.concat(chunks).toString('latin1'), 'HTTP/1.1 200')
})

await t.test('a closed listener follows no more', async t => {
  let followers = 0
  const pair = createLive(pairOf(first))
  const counting: Live<Material> = {
    get current () { return pair.current },
    set current (next) { pair.current = next },
    follow (run) {
      followers++
      const end = pair.follow(run)
      return () => { followers--; end() }
    }
  }
  const server = createTlsServer({ pair: counting }, {}, () => {})
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.equal(followers, 1)
  server.close()
  await once(server, 'close')
  t.equal(followers, 0)
})
