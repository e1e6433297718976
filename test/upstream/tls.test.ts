// The upstream over TLS: its certificate is verified, always, and what it is asked with may
// change while it is asked.
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { TLSSocket } from 'node:tls'
import t, { type Test } from 'tap'
import { createLive, type Live } from '../../src/lib/live.ts'
import { readMaterial, type Material, type TlsNames, type TlsTexts } from '../../src/tls/material.ts'
import { createUpstream, type Upstream } from '../../src/upstream/client.ts'
import { firstContact } from '../../src/upstream/first-contact.ts'
import { Authority } from '../helpers/certificates.ts'
import { testFolder } from '../helpers/folder.ts'

const dir = testFolder(t)
const [authority, other] = [Authority.make(join(dir, 'ca'), '/CN=one'), Authority.make(join(dir, 'other'), '/CN=other')] as const
type More = Omit<TlsNames, 'files'>
const material = (texts: TlsTexts, more: More = {}): Material => (readMaterial({ files: {}, ...more }, texts) as { material: Material }).material
const current = (texts: TlsTexts, more?: More): Live<Material> => createLive(material(texts, more))

interface Secure { readonly origin: string, readonly clients: string[], readonly connections: () => number }

async function secure (t: Test, names: string): Promise<Secure> {
  const { certText: cert, keyText: key } = authority.issue({ names })
  const clients: string[] = []
  let connections = 0
  const server: Server = createServer({ cert, key, requestCert: true, ca: authority.certText, rejectUnauthorized: false }, (request, response) => {
    clients.push(String((request.socket as TLSSocket).getPeerCertificate().subject?.CN))
    response.end('{"healthy":true}')
  }).on('secureConnection', () => { connections++ })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => {
    server.closeAllConnections()
    server.close()
  })
  return { origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, clients, connections: () => connections }
}

function open (t: Test, origin: string, tls?: Live<Material>): Upstream {
  const upstream = createUpstream({ origin, contextPath: '', auth: { kind: 'none' }, tls })
  t.teardown(async () => { await upstream.close() })
  return upstream
}
const AWAY = 'the chart repository cannot be reached'

await t.test('a certificate that nobody vouches for is not taken, whatever the environment says', async t => {
  const { origin, connections } = await secure(t, 'IP:127.0.0.1')
  process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
  t.teardown(() => { delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'] })
  t.equal(await open(t, origin).ailment(), AWAY)
  t.equal(await open(t, origin, current({ ca: other.certText })).ailment(), AWAY)
  t.match(await firstContact(open(t, origin), 2, () => 0), { ok: false, trouble: 'another server', sentence: /its certificate is not trusted.*upstream\.tls\.ca/ })
  t.equal(await open(t, origin, current({ ca: authority.certText })).ailment(), undefined)
  t.ok(connections() > 0)
})

await t.test('it has to be for the host, or for serverName', async t => {
  const { origin } = await secure(t, 'DNS:chartmuseum.internal')
  const ca = { ca: authority.certText }
  const live = current(ca)
  const upstream = open(t, origin, live)
  t.equal(await upstream.ailment(), AWAY)
  live.current = material(ca, { serverName: 'chartmuseum.internal' })
  t.equal(await upstream.ailment(), undefined)
  live.current = material(ca, { serverName: 'museum.internal' })
  t.equal(await upstream.ailment(), AWAY)
})

await t.test('it is shown our certificate, and a new one over new connections', async t => {
  const { origin, clients } = await secure(t, 'IP:127.0.0.1')
  const [first, second] = ['first', 'second'].map(name => authority.issue({ subject: `/CN=${name}`, names: '' }))
  const texts = (own: typeof first): TlsTexts => ({ ca: authority.certText, cert: `${own?.certText}`, key: `${own?.keyText}` })
  const live = current(texts(first))
  const upstream = open(t, origin, live)
  for (let i = 0; i < 2; i++) t.equal(await upstream.ailment(), undefined)
  live.current = material(texts(second))
  t.equal(await upstream.ailment(), undefined)
  t.strictSame(clients, ['first', 'first', 'second'])
  live.current = material({ ca: other.certText })
  t.equal(await upstream.ailment(), AWAY, 'an authority that was taken away counts no more')
})
