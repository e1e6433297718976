// Class 39 again, in the handshake: a client may send 100 KB of certificates behind its own,
// all called as the one that issued it, and whoever looks for the right one verifies them
// all: a second of everybody's time for each connection of somebody whom nobody knows, when
// their keys are made for it (as in CVE-2022-4203 and CVE-2023-0464, chains that cost the
// verifier). Counted is what is verified here; OpenSSL itself verifies nothing of a way
// that leads nowhere.
import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { Authority, type Issued } from '../helpers/certificates.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { tlsClient } from '../helpers/tls-client.ts'

const MANY = 150
/** Its issuer is looked for by name alone. */
const BY_NAME = { subject: '/CN=ci', names: '', usage: 'clientAuth', section: 'authorityKeyIdentifier=none\n' }
const dir = await temporaryFolder(t)
const [server, clients, foreign, twin] = ['server', 'clients', 'foreign', 'twin'].map((name, i) => {
  return Authority.make(join(dir, name), i < 2 ? `/CN=${name}` : '/CN=foreign')
}) as [Authority, Authority, Authority, Authority]
const { cert, key } = server.issue()
const stub = await startStubUpstream(t)
stub.answer = () => ({ body: 'bytes' })
const gateway = await startApp(t, {
  origin: stub.origin,
  config: config => ({
    ...config,
    listen: { ...config.listen, tls: { cert, key, minVersion: '1.2', clientCa: clients.cert } },
    identity: { certificates: [{ name: 'ci', subject: 'CN=ci' }] },
    policy: [{ repositories: ['org1/repo1'], subjects: ['cert:ci'], actions: ['pull'] }]
  })
})

/** How it is answered, and how many signatures the gateway verified for it. */
async function shown ({ certText, keyText }: Issued, behind: string): Promise<{ status: number | undefined, verified: number }> {
  let verified = 0
  const { verify } = X509Certificate.prototype
  X509Certificate.prototype.verify = function (publicKey) {
    verified++
    return verify.call(this, publicKey)
  }
  try {
    const client = tlsClient(t, { ca: server.certText, cert: certText + behind, key: keyText })
    const { status } = await client.ask(`${gateway.url}/org1/repo1/charts/mychart-0.1.0.tgz`)
    return { status, verified }
  } finally {
    X509Certificate.prototype.verify = verify
  }
}

await t.test('for a stranger nothing is verified, whatever is shown', async t => {
  const stranger = foreign.issue(BY_NAME)
  t.strictSame(await shown(stranger, twin.certText.repeat(MANY)), { status: 401, verified: 0 })
})

await t.test('of what somebody who is known sends along no more is looked at than a way is long', async t => {
  const middle = clients.intermediate(join(dir, 'middle'), '/CN=foreign')
  const ci = middle.issue(BY_NAME)
  t.strictSame(await shown(ci, middle.certText + twin.certText.repeat(MANY)), { status: 200, verified: 3 })
  // OpenSSL passes over what has ended, and takes the last one.
  const ended = twin.issue({ subject: '/CN=foreign', names: '', isAuthority: true, days: -1 })
  const { verified } = await shown(ci, ended.certText.repeat(MANY) + middle.certText)
  t.equal(verified, 10)
})
