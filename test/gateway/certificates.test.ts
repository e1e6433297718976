// Clients that show a certificate, over real sockets.
import { createLive } from '../../src/lib/live.ts'
import { join } from 'node:path'
import { connect, type TLSSocket } from 'node:tls'
import { once } from 'node:events'
import t from 'tap'
import { compileCertificates } from '../../src/identity/certificate-accounts.ts'
import { liveOf } from '../../src/live/live-tls.ts'
import { readMaterial, type Material } from '../../src/tls/material.ts'
import { startApp } from '../helpers/app.ts'
import { Authority, type Issued } from '../helpers/certificates.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { tlsClient, type TlsAnswer, type TlsClient } from '../helpers/tls-client.ts'
import { recordToken } from '../helpers/secrets.ts'

const dir = await temporaryFolder(t)
const [authority, clients, foreign] = ['ca', 'clients', 'foreign'].map(name => Authority.make(join(dir, name), `/CN=${name}`)) as [Authority, Authority, Authority]
const { cert, key } = authority.issue()
const ENTRIES = [{ name: 'ci', subject: 'CN=ci,O=Lab', groups: ['team-a'] }]
const stub = await startStubUpstream(t)
const gateway = await startApp(t, {
  origin: stub.origin,
  config: config => ({
    ...config,
    listen: { ...config.listen, tls: { cert, key, minVersion: '1.2', clientCa: clients.cert } },
    identity: { certificates: ENTRIES },
    policy: [
      { repositories: ['org1/repo1'], subjects: ['cert:ci'], actions: ['pull'] },
      { repositories: ['org1/repo2'], subjects: ['group:team-a'], actions: ['pull'] },
      { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }
    ]
  })
})
stub.answer = () => ({ body: 'bytes' })
const ci = clients.issue({ subject: '/O=Lab/CN=ci', names: '', usage: 'clientAuth' })
const from = (own?: Issued, more: object = {}): TlsClient => tlsClient(t, { ca: authority.certText, ...(own === undefined ? {} : { cert: own.certText, key: own.keyText }), ...more })
const get = async (client: TlsClient, tenant = 'org1/repo1', headers: Record<string, string> = {}): Promise<TlsAnswer> => await client.ask(`${gateway.url}/${tenant}/charts/mychart-0.1.0.tgz`, { headers })
const reasons = (): unknown[] => gateway.log.filter(({ msg }) => msg === 'refused').map(({ reason }) => reason)

await t.test('who shows a certificate may what the policy gives its name and groups', async t => {
  const client = from(ci)
  t.match([await get(client), await get(client, 'org1/repo2')], [{ status: 200 }, { status: 200, reused: true }])
  t.match(await get(client, 'org2/other'), { status: 401 }, 'and no more')
  t.match(gateway.log.find(({ tenant, status }) => tenant === 'org1/repo2' && status === 200), { subject: 'cert:ci' })
  t.match(gateway.audit.find(({ tenant }) => tenant === 'org2/other'), { outcome: 'denied', actor: { subject: 'cert:ci', kind: 'cert', method: 'certificate' } })
})

await t.test('those that lead to an authority come behind it', async t => {
  const middle = clients.intermediate(join(dir, 'middle'))
  const own = middle.issue({ subject: '/O=Lab/CN=ci', names: '', usage: 'clientAuth' })
  t.match(await get(from(own)), { status: 401 })
  t.match(await get(from({ ...own, certText: own.certText + middle.certText })), { status: 200 })
  t.match(await get(from({ ...own, certText: own.certText + middle.certText + clients.certText })), { status: 200 }, 'with the authority itself')
})

await t.test('one that counts for nothing is no credential, and the log says why', async t => {
  for (const [own, reason] of [
    [undefined, 'missing_credentials'],
    [foreign.issue({ subject: '/O=Lab/CN=ci', names: '' }), 'certificate_untrusted'],
    [clients.issue({ subject: '/O=Lab/CN=ci', names: '', days: -1 }), 'certificate_untrusted'],
    [clients.issue({ subject: '/O=Lab/CN=ci', names: '', usage: 'serverAuth' }), 'certificate_untrusted'],
    [clients.issue({ subject: '/O=Lab/CN=cd', names: '' }), 'certificate_unknown']
  ] as const) {
    const client = from(own)
    t.match(await get(client), { status: 401, headers: { 'www-authenticate': /^Bearer / } }, reason)
    t.equal(reasons().at(-1), reason)
    t.match(await get(client, 'public/all'), { status: 200 }, 'what is open to everyone is')
  }
})

await t.test('what is sent counts before what is shown', async t => {
  const client = from(ci)
  for (const authorization of ['Bearer nonsense', 'Basic !', `Basic ${Buffer.from('alice:wrong').toString('base64')}`]) {
    t.match(await get(client, 'org1/repo1', { authorization }), { status: 401 }, authorization)
  }
  t.match(await get(client), { status: 200 })
})

await t.test('a token that was got with it counts as long as its name is there', async t => {
  const answer = await from(ci).ask(`${gateway.url}/oauth/token?service=x&scope=artifact-repository:org1/repo1:pull,push`)
  const { token, scope } = JSON.parse(answer.body) as { token: string, scope: string }
  recordToken(token)
  t.equal(scope, 'artifact-repository:org1/repo1:pull')
  const bearer = { authorization: `Bearer ${token}` }
  t.match(await get(from(), 'org1/repo1', bearer), { status: 200 })
  gateway.certificates.current = compileCertificates([])
  t.match(await get(from(), 'org1/repo1', bearer), { status: 401 })
  t.equal(reasons().at(-1), 'token_unknown_subject')
  gateway.certificates.current = compileCertificates(ENTRIES)
  const none = await from().ask(`${gateway.url}/oauth/token?service=x&scope=artifact-repository:org1/repo1:pull`)
  t.match(JSON.parse(none.body), { scope: '' }, 'without one nobody in particular asks')
})

await t.test('neither an open connection nor a resumed session outlives a removal', async t => {
  const live = liveOf(gateway.tls, 'listen.tls.clientCa') ?? createLive<Material>({ files: {}, texts: {}, authorities: [] })
  const before = live.current
  const client = from(ci)
  t.match(await get(client), { status: 200 })
  gateway.certificates.current = compileCertificates([])
  t.match(await get(client), { status: 401, reused: true })
  gateway.certificates.current = compileCertificates(ENTRIES)
  const sessions: Buffer[] = []
  const speak = async (maxVersion: 'TLSv1.2' | 'TLSv1.3', session?: Buffer): Promise<TLSSocket> => {
    const socket = connect({ port: gateway.port, host: '127.0.0.1', ca: authority.certText, cert: ci.certText, key: ci.keyText, maxVersion, ...(session === undefined ? {} : { session }) })
    socket.on('session', each => { sessions.push(each) })
    await once(socket, 'secureConnect')
    socket.write('GET /health HTTP/1.1\r\nHost: x\r\n\r\n')
    await once(socket, 'data')
    return socket
  }
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    const socket = await speak(version)
    const session = sessions.at(-1) ?? socket.getSession()
    const again = await speak(version, session)
    t.equal(again.isSessionReused(), false, `${version}: a session is never resumed where certificates are asked for`)
    for (const each of [socket, again]) each.destroy()
  }
  live.current = (readMaterial({ files: {} }, { ca: foreign.certText }) as { material: Material }).material
  t.match(await get(client), { status: 401, reused: true }, 'the authority has gone')
  t.match(await get(from(ci)), { status: 401 })
  t.match(await get(from(foreign.issue({ subject: '/O=Lab/CN=ci', names: '' }))), { status: 200 }, 'another one has come')
  live.current = before
  t.match(await get(client), { status: 200, reused: true }, 'and nobody had to connect again')
})
