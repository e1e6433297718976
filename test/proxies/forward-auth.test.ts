// Real proxies that ask the gateway, as examples/forward-auth/ has them, in front of the
// embedded repository and of a real ChartMuseum: what people do works, what one tenant has
// nobody else gets, whatever a client writes into its request, and who cannot be asked lets
// nothing pass.
import { readFileSync } from 'node:fs'
import { mkdir, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { ASKING_PROXIES, CLIENT_MADE, dialectOf, lacked, startAskingProxy, type AskingProxyName } from '../helpers/asking-proxies.ts'
import { chartMuseum, NO_CHARTMUSEUM, startChartMuseum } from '../helpers/chartmuseum.ts'
import { DEMO, runChartgate, startGateway, type Gateway } from '../helpers/gateway.ts'
import { skipped } from '../helpers/not-tried.ts'
import { chartOf, provenanceOf } from '../helpers/packages.ts'
import { freePorts, ROOT, startProcess, temporaryFolder } from '../helpers/processes.ts'
import { rawClient, type RawResponse } from '../helpers/raw.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { accountsFile, basic } from '../helpers/team.ts'

const SECRET = 'secret-of-org2'

/** A chart repository that takes nothing but the gateway's tokens, with a secret in org2/repo2. */
interface Repository { readonly port: number, readonly stateDir: string }

async function embedded (t: Test): Promise<Repository> {
  const folder = await temporaryFolder(t)
  const [stateDir, pem, dir] = [join(folder, 'state'), join(folder, 'upstream.pem'), join(folder, 'charts')]
  await mkdir(dir)
  const exported = await runChartgate(['keys', 'export', '--config', DEMO, '--out', pem], { CHARTGATE_STATE_DIR: stateDir })
  if (exported.code !== 0) throw new Error(exported.stderr)
  const [port] = await freePorts(1) as [number]
  await startProcess(t, process.execPath, ['dist/src/cli.js', 'repository', '--dir', dir, '--port', String(port), '--depth', '2', '--public-key', pem], { readyUrl: `http://127.0.0.1:${port}/health` })
  return { port, stateDir }
}

async function museum (t: Test): Promise<Repository> {
  const { url, stateDir } = await startChartMuseum(t)
  return { port: Number(new URL(url).port), stateDir }
}

interface Site {
  readonly gateway: Gateway
  readonly authzPort: number
  /** Who may do everything in org1/repo1, and in org2/repo2. */
  readonly ci: string
  readonly other: string
  /** One request through the proxy. */
  ask (line: string, headers?: readonly string[], body?: Buffer): Promise<RawResponse>
}

async function openSite (t: Test, name: AskingProxyName, { port, stateDir }: Repository, push = false): Promise<Site> {
  const [authzPort] = await freePorts(1) as [number]
  const [mine, theirs] = [newSecret(), newSecret()]
  const accounts = join(await temporaryFolder(t), 'accounts.yaml')
  await writeFile(accounts, await accountsFile([], [{ name: 'ci', secrets: [mine] }, { name: 'other', secrets: [theirs] }]))
  const actions = ['pull', 'push', 'overwrite', 'delete']
  const gateway = await startGateway(t, {
    publicUrl: 'http://charts.example.test',
    upstream: { url: `http://127.0.0.1:${port}` },
    authz: { listen: { port: authzPort }, trustedProxies: ['127.0.0.1'], dialect: dialectOf(name), push },
    limits: { logins: { perAccount: 1_000_000, perAddress: 1_000_000 } },
    accounts: { files: [accounts] },
    policy: [
      { repositories: ['org1/repo1'], subjects: ['robot:ci'], actions },
      { repositories: ['org2/repo2'], subjects: ['robot:other'], actions },
      { repositories: ['public/x'], subjects: ['anonymous'], actions: ['pull'] }
    ]
  }, { stateDir })
  const proxy = await startAskingProxy(t, name, { authz: authzPort, gateway: Number(new URL(gateway.url).port), repository: port }, { changesPass: push })
  const client = rawClient(proxy.port)
  t.teardown(() => { client.close() })
  return {
    gateway,
    authzPort,
    ci: `Authorization: ${basic('ci', mine)}`,
    other: `Authorization: ${basic('other', theirs)}`,
    ask: async (line, headers = [], body = Buffer.alloc(0)) => await client.ask({
      head: [`${line} HTTP/1.1`, 'Host: charts.example.test', ...headers, ...(body.length === 0 ? [] : [`Content-Length: ${body.length}`]), '', ''].join('\r\n'), body
    })
  }
}

const HOSTILE = [
  '//org2/repo2/index.yaml', '/org1/repo1/../../org2/repo2/index.yaml', '/org1/repo1/%2e%2e/%2e%2e/org2/repo2/index.yaml', '/org1/repo1/..%2f..%2forg2/repo2/index.yaml', '/org2%2Frepo2/index.yaml',
  '/org1/repo1/..;/..;/org2/repo2/index.yaml', `/org1/repo1/charts/..%2f..%2f..%2forg2/repo2/charts/${SECRET}-1.0.0.tgz`, `/org1/repo1/charts/%2e%2e%2f%2e%2e%2f%2e%2e%2forg2/repo2/charts/${SECRET}-1.0.0.tgz`, '/oauth/../org2/repo2/index.yaml',
  '/health/..%2forg2/repo2/index.yaml', '/authz/org2/repo2/index.yaml', '/authz', '/_authz', 'http://charts.example.test/org2/repo2/index.yaml', '/org2/repo2/index.yaml', `/org2/repo2/charts/${SECRET}-1.0.0.tgz`, '/api/org2/repo2/charts', `/api/org2/repo2/charts/${SECRET}/1.0.0`
]

async function works (t: Test, { ask, ci, other, gateway, authzPort }: Site): Promise<void> {
  const [mine, theirs] = [await chartOf('mine', '1.0.0'), await chartOf(SECRET, '1.0.0')]
  t.equal((await ask('POST /api/org1/repo1/charts', [ci], mine)).status, 201, 'a chart is pushed')
  t.equal((await ask('POST /api/org2/repo2/charts', [other], theirs)).status, 201)
  t.equal((await ask('POST /api/org1/repo1/prov', [ci], Buffer.from(provenanceOf('mine', '1.0.0')))).status, 201)
  t.match((await ask('GET /org1/repo1/index.yaml', [ci])).body, /mine-1\.0\.0\.tgz/)
  t.match((await ask('GET /org2/repo2/index.yaml', [other])).body, SECRET)
  t.equal((await ask('GET /org1/repo1/charts/mine-1.0.0.tgz', [ci])).status, 200)
  t.match((await ask('GET /api/org1/repo1/charts/mine', [ci])).body, /"version":"1\.0\.0"/)
  t.equal((await ask('GET /public/x/index.yaml')).status, 200, 'what is open is open')

  const challenged = await ask('GET /org1/repo1/index.yaml')
  t.equal(challenged.status, 401)
  t.same(challenged.headers['www-authenticate']?.map(each => each.split(' ')[0]), ['Bearer', 'Basic'], 'both challenges')
  t.match(challenged.headers['x-request-id']?.[0], /^[0-9a-f-]{36}$/)
  t.match(challenged.headers['content-type']?.[0], /^application\/json/)
  t.equal((JSON.parse(challenged.body) as { error: string }).error, 'unauthorized')
  const forbidden = await ask('GET /org2/repo2/index.yaml', [ci])
  t.match([forbidden.status, forbidden.headers['content-type']?.[0], forbidden.body], [403, /^application\/json/, /"error":"forbidden/])
  const token = await ask('POST /oauth/token', [ci, 'Content-Type: application/x-www-form-urlencoded'], Buffer.from('grant_type=client_credentials&scope=artifact-repository:org1/repo1:pull'))
  const bearer = `Authorization: Bearer ${(JSON.parse(token.body) as { access_token: string }).access_token}`
  t.equal((await ask('GET /org1/repo1/index.yaml', [bearer])).status, 200, 'with a token of the gateway\'s')
  t.equal((await ask('GET /org2/repo2/index.yaml', [bearer])).status, 401)

  for (const target of HOSTILE) {
    for (const who of [ci, bearer, 'X-Nobody: 1']) {
      const answer = await ask(`GET ${target}`, [who])
      t.notOk(answer.text.includes(SECRET), `${target} shows nothing of the other tenant (${answer.status})`)
      t.notOk(answer.status >= 200 && answer.status < 400, target)
    }
  }
  for (const headers of CLIENT_MADE) {
    const refused = await ask('GET /org2/repo2/index.yaml', [ci, ...headers])
    t.ok([400, 401, 403].includes(refused.status), `with ${headers.join(', ')}: ${refused.status}`)
    t.notMatch(refused.text, SECRET)
    t.ok([400, 401, 403].includes((await ask('GET /org1/repo1/index.yaml', headers)).status), `nobody, with ${headers.join(', ')}`)
  }
  t.equal((await ask('GET /org1/repo1/index.yaml', ['X-Forwarded-For: 6.6.6.6', `Authorization: ${basic('ci', newPassword())}`])).status, 401)
  const guess = gateway.stdout().split('\n').filter(line => line.includes('"bad_credentials"') && line.startsWith('{"level"')).map(line => JSON.parse(line) as { ip: string })
  t.notMatch(guess.at(-1), { ip: '6.6.6.6' }, 'the log has whom the proxy saw')
  t.match(await fromElsewhere(authzPort), /^HTTP\/1\.1 403 /, 'who is no proxy asks in vain')
}

/** A client that comes to the listener for proxies, from another address of this machine, and says what a proxy would say. */
async function fromElsewhere (port: number): Promise<string> {
  return await new Promise(resolve => {
    let text = ''
    const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.3' })
    socket.setEncoding('latin1').on('data', (chunk: string) => { text += chunk }).on('close', () => { resolve(text) })
    socket.end('GET /authz/public/x/index.yaml HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-Uri: /public/x/index.yaml\r\nX-Forwarded-Method: GET\r\nX-Original-URI: /public/x/index.yaml\r\nX-Original-Method: GET\r\n\r\n')
  })
}

/** With authz.push: what ChartMuseum makes of a change, in the rights of who asks. */
async function changes (t: Test, { ask, ci, other }: Site): Promise<void> {
  const chart = await chartOf('pushed', '1.0.0')
  t.equal((await ask('POST /api/org1/repo1/charts', [other], chart)).status, 403)
  t.equal((await ask('POST /api/org1/repo1/charts', [ci], chart)).status, 201)
  t.equal((await ask('POST /api/org1/repo1/charts', [ci], chart)).status, 409, 'the repository decides that it is there')
  t.equal((await ask('POST /api/org1/repo1/charts?force', [ci], chart)).status, 201)
  t.equal((await ask('DELETE /api/org1/repo1/charts/pushed/1.0.0', [other])).status, 403)
  t.equal((await ask('DELETE /api/org1/repo1/charts/pushed/1.0.0', [ci])).status, 200)
}

for (const name of ASKING_PROXIES) {
  await t.test(name, async t => {
    if (await lacked(t, name)) return
    await t.test('in front of the embedded repository', async t => { await works(t, await openSite(t, name, await embedded(t))) })
    await t.test('with authz.push', async t => { await changes(t, await openSite(t, name, await embedded(t), true)) })
    if (chartMuseum === undefined) await skipped(t, 'ChartMuseum', NO_CHARTMUSEUM)
    else {
      await t.test('in front of ChartMuseum', async t => { await works(t, await openSite(t, name, await museum(t))) })
      await t.test('in front of ChartMuseum, with authz.push', async t => { await changes(t, await openSite(t, name, await museum(t), true)) })
    }
    await t.test('where nobody can be asked nothing passes', async t => {
      const site = await openSite(t, name, await embedded(t))
      t.equal((await site.ask('GET /org1/repo1/index.yaml', [site.ci])).status, 200)
      process.kill(site.gateway.pid, 'SIGKILL')
      await site.gateway.ended
      const answer = await site.ask('GET /public/x/index.yaml', [site.ci])
      t.ok([403, 500, 502, 503].includes(answer.status), String(answer.status))
      t.notMatch(answer.body, 'apiVersion')
    })
  })
}

await t.test('Traefik is told not to trust what a client writes, and to put the gateway\'s headers in its place', async t => {
  const { http } = parse(readFileSync(join(ROOT, 'examples/forward-auth/traefik.yaml'), 'utf8')) as { http: { middlewares: { authz: { forwardAuth: Record<string, unknown> } } } }
  t.same(http.middlewares.authz.forwardAuth, { address: 'http://127.0.0.1:5003/authz', trustForwardHeader: false, authResponseHeaders: ['X-Auth-User', 'X-Auth-Tenant', 'Authorization'] })
})
