// Real Helm and curl against a gateway that speaks TLS, with certificates of an authority
// that nobody else knows: with a password, and with a certificate of their own.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { Authority } from '../helpers/certificates.ts'
import { curl } from '../helpers/curl.ts'
import { freePorts, startProcess, temporaryFolder } from '../helpers/processes.ts'
import { helmVersions, packageExample, runHelm, succeed } from '../helpers/helm.ts'
import { notTried } from '../helpers/not-tried.ts'
import { newMasterKey } from '../helpers/secrets.ts'

await t.test('Helm and curl work over TLS, by password and by certificate', async t => {
  const helms = await helmVersions()
  const dir = await temporaryFolder(t)
  const [authority, clients] = [Authority.make(join(dir, 'ca')), Authority.make(join(dir, 'clients'), '/CN=clients')]
  const [server, ci] = [authority.issue(), clients.issue({ subject: '/O=Lab/CN=ci', names: '', usage: 'clientAuth' })]
  const [port, adminPort] = await freePorts(2)
  const masterKey = newMasterKey()
  const file = join(dir, 'chartgate.yaml')
  await writeFile(file, stringify({
    listen: { port, tls: { cert: server.cert, key: server.key, clientCa: clients.cert } },
    admin: { port: adminPort },
    stateDir: join(dir, 'state'),
    masterKey,
    identity: { certificates: [{ name: 'ci', subject: 'CN=ci,O=Lab' }] },
    policy: [{ repositories: ['team-a/*'], subjects: ['cert:ci'], actions: ['pull', 'push'] }]
  }))
  await startProcess(t, process.execPath, ['dist/src/cli.js', 'serve', '--config', file], { readyUrl: `http://localhost:${adminPort}/readyz` })
  const url = `https://localhost:${port}/team-a/charts`
  const api = `https://localhost:${port}/api/team-a/charts/charts`
  const own = ['--cert', ci.cert, '--key', ci.key]
  t.equal((await curl('--cacert', authority.cert, api)).status, 401)
  await t.rejects(curl(api), /certificate/, 'who does not know the authority goes away')
  if (!helms.ok) return notTried(t, 'Helm over TLS', helms.reason)
  const chart = await packageExample(t, helms.versions[0] as NonNullable<typeof helms.versions[0]>)
  const archive = join(dir, 'mychart-0.1.0.tgz')
  await writeFile(archive, chart)
  t.equal((await curl('--cacert', authority.cert, ...own, '--data-binary', `@${archive}`, api)).status, 201, 'a push by certificate')
  for (const helm of helms.versions) {
    const home = await temporaryFolder(t)
    const tls = ['--ca-file', authority.cert]
    const certificate = [...tls, '--cert-file', ci.cert, '--key-file', ci.key]
    await succeed(t, helm, ['repo', 'add', 'c', url, ...certificate], { home })
    await succeed(t, helm, ['repo', 'update'], { home })
    await succeed(t, helm, ['pull', 'c/mychart', '--destination', home, ...certificate], { home })
    t.ok((await readFile(join(home, 'mychart-0.1.0.tgz'))).equals(chart), `${helm.name}: the chart comes byte for byte`)
    await succeed(t, helm, ['show', 'chart', 'mychart', '--repo', url, ...certificate], { home })
    await succeed(t, helm, ['repo', 'add', 'p', url, ...tls, '--username', 'x', '--password', masterKey], { home })
    const refused = await runHelm(helm, ['repo', 'add', 'n', url, ...tls], { home })
    t.not(refused.code, 0)
    t.match(refused.stderr, /401/, `${helm.name}: without either it is 401`)
  }
})
