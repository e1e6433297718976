// What has to work through a proxy, whichever it is: one table, asked for nginx, HAProxy,
// Caddy and Envoy, each at the root of its host and under a path prefix, and in front of two
// gateways.
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises'
import { connect, createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Test } from 'tap'
import { decodeJwt } from 'jose'
import { curl, download, type CurlAnswer } from './curl.ts'
import { runChartgate, startGateway, type Gateway } from './gateway.ts'
import { BUILD_LIMIT } from './go-tool.ts'
import { helmVersions, packageExample, useRepository } from './helm.ts'
import { inShort } from './in-short.ts'
import { ending, startMuseum } from './museum.ts'
import { notTried } from './not-tried.ts'
import { chartOf, provenanceOf } from './packages.ts'
import { freePorts, run, temporaryFolder, type TestLike } from './processes.ts'
import { newMasterKey, recordToken } from './secrets.ts'
import { lacking, startProxy, type Edit, type Proxy, type ProxyName } from './proxies.ts'

const TENANT = 'org1/repo1'
const MIB = 1024 * 1024

/** Where on its host the gateway is, and what makes the example so. */
interface Mount { readonly name: string, readonly prefix: string, readonly edits: readonly Edit[] }

/** What differs between the proxies. */
export interface ProxyTraits {
  readonly name: ProxyName
  /** Mounts it under /helm. */
  readonly prefixEdit: Edit
  /** Turns the buffering of requests round. */
  readonly bufferingEdit: Edit
  /** What it answers while chartgate is away. */
  readonly away: number
  /** Go's server may cut an answer that comes before the body has: only what it keeps first is always answered. */
  readonly answersEarlyOnlyBuffered?: true
  /** In which words. */
  readonly awayBody: RegExp
  /** What names a second gateway beside the first, at this port. */
  readonly second: (port: number) => Edit
}

/** A gateway behind a proxy, and what a client needs to know of both. */
interface Site {
  readonly t: Test
  readonly proxy: Proxy
  readonly gateway: Gateway
  readonly traits: ProxyTraits
  readonly mount: Mount
  /** The URL that clients use: publicUrl. */
  readonly url: string
  /** host:port, the service of challenges and tokens. */
  readonly service: string
  readonly masterKey: string
  /** curl through the proxy, with the master key. */
  ask (path: string, ...args: string[]): Promise<CurlAnswer>
  /** curl through the proxy, with no credentials. */
  askAnonymously (path: string, ...args: string[]): Promise<CurlAnswer>
}

type Scenario = (site: Site) => Promise<void>

const SCENARIOS: Readonly<Record<string, Scenario>> = {
  'challenge, token and links are https, whatever the proxy and the client say of themselves': rightUrls,
  'index, chart, provenance, uploads and delete pass': everyRoute,
  'the log has the client address, and believes nothing that the client says': clientAddress,
  '15 MiB go up, with buffering and without, and come down slowly': largeFiles,
  '15 MiB that are refused get their answer while they are still on their way': refusedUploads,
  'connections are kept alive on both sides': keepAlive,
  'Helm 3 adds, updates, pulls and templates': realHelm
}

/** Where a prefix would be cut off or forgotten. */
const AT_THE_ROOT: typeof SCENARIOS = Object.fromEntries(Object.entries(SCENARIOS).filter(([, scenario]) => scenario === rightUrls || scenario === everyRoute))

/** Tries one proxy in every way, or says why not. */
export async function tryProxy (t: Test, traits: ProxyTraits): Promise<void> {
  t.setTimeout(BUILD_LIMIT)
  const reason = await lacking(traits.name)
  if (reason !== undefined) {
    await notTried(t, traits.name, reason)
    return
  }
  const mounts: Mount[] = [{ name: 'at the root', prefix: '', edits: [] }, { name: 'under /helm', prefix: '/helm', edits: [traits.prefixEdit] }]
  for (const mount of mounts) {
    await t.test(mount.name, async t => {
      const site = await openSite(t, traits, mount)
      const scenarios = mount.prefix === '' ? inShort(AT_THE_ROOT, SCENARIOS) : SCENARIOS
      for (const [name, scenario] of Object.entries(scenarios)) await t.test(name, async t => { await scenario({ ...site, t }) })
    })
  }
  await t.test('a gateway that is restarted is found again', async t => { await restart(t, traits, mounts[0] as Mount) })
  await t.test('two gateways behind it are one to their clients', async t => { await two(t, traits, mounts[0] as Mount) })
  await t.test('without trustedProxies the log has the proxy, and no header changes that', async t => { await untrusted(t, traits, mounts[0] as Mount) })
}

async function openSite (t: Test, traits: ProxyTraits, mount: Mount, { trustedProxies = ['127.0.0.1'], life = t as TestLike, gatewayPort = 0, port = 0, stateDir = '' } = {}): Promise<Site> {
  if (gatewayPort === 0) [gatewayPort, port] = await freePorts(2) as [number, number]
  const masterKey = `test-${randomBytes(16).toString('hex')}`
  const service = `localhost:${port}`
  const url = `https://${service}${mount.prefix}`
  const [gateway, proxy] = await Promise.all([
    startGateway(life, { publicUrl: url, trustedProxies, masterKey, log: { reads: true } }, { port: gatewayPort, ...(stateDir === '' ? {} : { stateDir }) }),
    startProxy(t, traits.name, { gatewayPort, port, edits: mount.edits })
  ])
  const askAnonymously = async (path: string, ...args: string[]): Promise<CurlAnswer> => await curl('--cacert', proxy.ca, ...args, url + path)
  return {
    t,
    proxy,
    gateway,
    traits,
    mount,
    url,
    service,
    masterKey,
    askAnonymously,
    ask: async (path, ...args) => await askAnonymously(path, '-H', `Authorization: Bearer ${masterKey}`, ...args)
  }
}

async function rightUrls ({ t, url, service, ask, askAnonymously }: Site): Promise<void> {
  const lies = ['Host: evil.example.test', 'X-Forwarded-Host: evil.example.test', 'X-Forwarded-Proto: http', 'X-Forwarded-Port: 1', 'X-Forwarded-Prefix: /evil', 'Forwarded: host=evil.example.test;proto=http']
  const lying = lies.flatMap(each => ['-H', each])
  for (const headers of [[], lying]) {
    const answer = await askAnonymously(`/${TENANT}/index.yaml`, ...headers)
    t.equal(answer.status, 401)
    t.strictSame(answer.header('www-authenticate'), [`Bearer realm="${url}/oauth/token",service="${service}",scope="artifact-repository:${TENANT}:pull"`, `Basic realm="${service}", charset="UTF-8"`])
    const token = await ask(`/oauth/token?grant_type=client_credentials&scope=artifact-repository:${TENANT}:pull`, '-X', 'POST', ...headers)
    const { access_token: accessToken } = JSON.parse(token.body) as { access_token: string }
    const { iss, aud } = decodeJwt(accessToken)
    t.strictSame([iss, aud], [url, service])
    const index = await askAnonymously(`/${TENANT}/index.yaml`, '-H', `Authorization: Bearer ${accessToken}`, ...headers)
    t.equal(index.status, 200, 'the token from here opens the index')
    t.notMatch(index.body, /evil|http:/)
  }
  t.equal((await askAnonymously('/.well-known/jwks.json')).status, 200)
}

async function everyRoute ({ t, proxy, url, masterKey, ask }: Site): Promise<void> {
  const folder = await temporaryFolder(t)
  const versions = { raw: '1.0.0', form: '1.1.0', plus: '1.2.0+build.5' }
  const file = (name: string): string => join(folder, name)
  for (const [name, version] of Object.entries(versions)) await writeFile(file(name), await chartOf('routes', version))
  await writeFile(file('prov'), provenanceOf('routes', '1.0.0'))

  const uploads: [string, string, string[]][] = [
    ['a chart as the body', 'charts', ['--data-binary', `@${file('raw')}`]],
    ['a chunked form, as cm-push sends it', 'charts', ['-H', 'Transfer-Encoding: chunked', '-F', `chart=@${file('form')}`]],
    ['a version with build metadata', 'charts', ['--data-binary', `@${file('plus')}`]],
    ['a provenance file', 'prov', ['--data-binary', `@${file('prov')}`]]
  ]
  for (const [name, route, args] of uploads) {
    const answer = await ask(`/api/${TENANT}/${route}`, ...args)
    t.strictSame([answer.status, answer.body], [201, '{"saved":true}'], name)
  }
  t.match((await ask(`/${TENANT}/index.yaml`)).body, /charts\/routes-1\.1\.0\.tgz/)
  const reads = [['routes-1.0.0.tgz', 'raw'], ['routes-1.1.0.tgz', 'form'], ['routes-1.2.0+build.5.tgz', 'plus'], ['routes-1.2.0%2Bbuild.5.tgz', 'plus'], ['routes-1.0.0.tgz.prov', 'prov']] as const
  for (const [name, sent] of reads) {
    t.equal(await download(file('received'), '--cacert', proxy.ca, '-H', `Authorization: Bearer ${masterKey}`, `${url}/${TENANT}/charts/${name}`), 200, name)
    t.ok((await readFile(file('received'))).equals(await readFile(file(sent))), `${name} comes byte for byte`)
  }
  const again = await ask(`/api/${TENANT}/charts`, '--data-binary', `@${file('raw')}`)
  t.equal(again.status, 409)
  t.match(JSON.parse(again.body), { error: String }, 'a refusal is JSON, also through the proxy')
  t.equal((await ask(`/api/${TENANT}/charts/routes/1.1.0`, '-X', 'DELETE')).status, 200)
  t.equal((await ask(`/${TENANT}/charts/routes-1.1.0.tgz`)).status, 404)
}

/** The log's line with this text, as soon as it is written. */
export async function loggedLine (gateway: Gateway, text: string): Promise<Record<string, unknown>> {
  for (;;) {
    const line = gateway.stdout().split('\n').slice(0, -1).find(line => line.includes(text))
    if (line !== undefined) return JSON.parse(line) as Record<string, unknown>
    await sleep(10) // the test's own limit ends it
  }
}

/** The address in the log's line for a request. */
async function loggedAddress ({ gateway, askAnonymously }: Site, ...args: string[]): Promise<unknown> {
  // 127.0.0.2 is another address of this machine than the proxy's own 127.0.0.1
  const answer = await askAnonymously(`/${TENANT}/index.yaml`, '--interface', '127.0.0.2', ...args)
  const [id] = answer.header('x-request-id') as [string]
  return (await loggedLine(gateway, id))['ip']
}

async function clientAddress (site: Site): Promise<void> {
  const { t } = site
  t.equal(await loggedAddress(site), '127.0.0.2')
  for (const forged of ['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: 203.0.113.9, 127.0.0.1', 'X-Forwarded-For: nonsense', 'Forwarded: for=203.0.113.9', 'X-Real-IP: 203.0.113.9']) {
    t.equal(await loggedAddress(site, '-H', forged), '127.0.0.2', forged)
  }
}

async function untrusted (t: Test, traits: ProxyTraits, mount: Mount): Promise<void> {
  const site = await openSite(t, traits, mount, { trustedProxies: [] })
  t.equal(await loggedAddress(site), '127.0.0.1')
  t.equal(await loggedAddress(site, '-H', 'X-Forwarded-For: 203.0.113.9'), '127.0.0.1')
}

async function largeFiles (site: Site): Promise<void> {
  const { t, url, masterKey, gateway, traits, mount } = site
  const folder = await temporaryFolder(t)
  const [sent, received] = [join(folder, 'sent'), join(folder, 'received')]
  const other = await startProxy(t, traits.name, { gatewayPort: Number(new URL(gateway.url).port), edits: [...mount.edits, traits.bufferingEdit] })
  // Helm takes no file of more than 5 MiB in a chart
  const noise = ['a', 'b', 'c', 'd', 'e'].map(name => ({ name: `large/${name}`, body: randomBytes(3 * MIB) }))
  const ways: [string, string, string][] = [['1.0.0', url, site.proxy.ca], ['2.0.0', other.url + mount.prefix, other.ca]]
  for (const [version, base, ca] of ways) {
    await writeFile(sent, await chartOf('large', version, noise))
    // more than 1 MiB: curl sends Expect: 100-continue
    const args = ['--cacert', ca, '-H', `Authorization: Bearer ${masterKey}`]
    t.equal(await download(received, ...args, '--data-binary', `@${sent}`, `${base}/api/${TENANT}/charts`), 201, `${version} goes up`)
    t.equal(await download(received, ...args, '--limit-rate', '10M', `${base}/${TENANT}/charts/large-${version}.tgz`), 200)
    t.ok((await readFile(received)).equals(await readFile(sent)), `${version} comes down byte for byte`)
  }
}

async function refusedUploads (site: Site): Promise<void> {
  const { t, gateway, traits, mount } = site
  const buffered = traits.answersEarlyOnlyBuffered === true
    ? await startProxy(t, traits.name, { gatewayPort: Number(new URL(gateway.url).port), edits: [...mount.edits, traits.bufferingEdit] })
    : undefined
  const askAnonymously = buffered === undefined
    ? site.askAnonymously
    : async (path: string, ...args: string[]) => await curl('--cacert', buffered.ca, ...args, buffered.url + mount.prefix + path)
  const file = join(await temporaryFolder(t), 'sent')
  await writeFile(file, randomBytes(15 * MIB))
  const ways: Readonly<Record<string, string[]>> = { 'after asking': ['-H', 'Expect: 100-continue'], 'without asking': ['-H', 'Expect:'], 'without a length': ['-H', 'Expect:', '-H', 'Transfer-Encoding: chunked'] }
  for (const [name, args] of Object.entries(ways)) {
    // a connection that is closed too early loses some of its answers, not all
    for (let i = 0; i < inShort(2, 5); i++) {
      const { status, body } = await askAnonymously(`/api/${TENANT}/charts`, ...args, '--data-binary', `@${file}`)
      t.strictSame([status, body], [401, '{"error":"unauthorized"}'], name)
    }
  }
}

async function keepAlive ({ t, url, masterKey, gateway, traits, mount }: Site): Promise<void> {
  const requests = 60
  const counted = await countConnections(t, Number(new URL(gateway.url).port))
  const proxy = await startProxy(t, traits.name, { gatewayPort: counted.port, edits: mount.edits })
  const target = `${proxy.url}${new URL(url).pathname.replace(/\/$/, '')}/${TENANT}/index.yaml`
  const each = ['-o', '/dev/null', target]
  const { stdout } = await run('curl', ['-sS', '--cacert', proxy.ca, '-H', `Authorization: Bearer ${masterKey}`, '-w', '%{http_code} %{num_connects}\n', ...Array.from({ length: requests }, () => each).flat()])
  t.same(stdout.trim().split('\n'), ['200 1', ...Array.from({ length: requests - 1 }, () => '200 0')], 'one connection of the client for all')
  t.equal(counted.count(), 1, 'one connection of the proxy for all')
}

/** A TCP relay to the port that counts. */
async function countConnections (t: Test, port: number): Promise<{ port: number, count: () => number }> {
  let count = 0
  const server = createServer(client => {
    count++
    const upstream = connect({ port, host: '127.0.0.1' })
    client.pipe(upstream).pipe(client)
    client.on('error', () => { upstream.destroy() })
    upstream.on('error', () => { client.destroy() })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  return { port: (server.address() as AddressInfo).port, count: () => count }
}

async function restart (t: Test, traits: ProxyTraits, mount: Mount): Promise<void> {
  const stateDir = join(await temporaryFolder(t), 'state')
  const [gatewayPort, port] = await freePorts(2) as [number, number]
  const endings: (() => unknown)[] = []
  const end = async (): Promise<void> => { for (const ending of endings.splice(0).reverse()) await ending() }
  t.teardown(end)
  const site = await openSite(t, traits, mount, { life: { teardown: ending => endings.push(ending) }, gatewayPort, port, stateDir })
  t.equal((await site.ask(`/${TENANT}/index.yaml`)).status, 200)
  await end()
  const away = await site.ask(`/${TENANT}/index.yaml`)
  t.equal(away.status, traits.away)
  t.match(away.body, traits.awayBody, 'in the words of the proxy')
  await startGateway(t, { publicUrl: site.url, masterKey: site.masterKey }, { port: gatewayPort, stateDir })
  t.equal((await site.ask(`/${TENANT}/index.yaml`)).status, 200, 'the first request after it')
}

/** In front of one ChartMuseum, with the same keys: whom the proxy asks makes no difference. */
async function two (t: Test, traits: ProxyTraits, mount: Mount): Promise<void> {
  const folder = await temporaryFolder(t)
  const [museumPort, firstPort, secondPort, port] = await freePorts(4) as [number, number, number, number]
  const [pub, storage, shared] = ['upstream.pub.pem', 'charts', 'shared'].map(name => join(folder, name)) as [string, string, string]
  await mkdir(storage)
  t.match(await runChartgate(['keys', 'export', '--out', pub], { CHARTGATE_STATE_DIR: shared }), { code: 0 })
  const masterKey = newMasterKey()
  const url = `https://localhost:${port}`
  const config = {
    publicUrl: url,
    trustedProxies: ['127.0.0.1'],
    masterKey,
    log: { reads: true },
    upstream: { url: `http://127.0.0.1:${museumPort}`, key: { file: join(shared, 'keys/upstream.pem') } },
    tokens: { keys: [{ file: join(shared, 'keys/token.pem'), alg: 'RS256', state: 'active' }] }
  }
  await startMuseum(t, { port: museumPort, storage }, { publicKey: pub })
  const [first, second] = await Promise.all([firstPort, secondPort].map(async port => await startGateway(t, config, { port }))) as [Gateway, Gateway]
  const proxy = await startProxy(t, traits.name, { gatewayPort: firstPort, port, edits: [...mount.edits, traits.second(secondPort), ...traits.answersEarlyOnlyBuffered === true ? [traits.bufferingEdit] : []] })
  const ask = async (path: string, credential: string, ...args: string[]): Promise<CurlAnswer> => await curl('--cacert', proxy.ca, '-H', `Authorization: Bearer ${credential}`, ...args, url + path)

  const granted = await ask(`/oauth/token?grant_type=client_credentials&scope=artifact-repository:${TENANT}:pull,push`, masterKey, '-X', 'POST')
  const token = recordToken((JSON.parse(granted.body) as { access_token: string }).access_token)
  const file = join(folder, 'chart')
  await t.test('an upload of the largest size goes up, a larger one is refused in JSON', async t => {
    // Helm takes no file of more than 5 MiB in a chart; what noise becomes in an archive is a little more
    const noise = (last: number) => [4.9, 4.9, 4.9, 4.9, last].map((size, i) => ({ name: `large/${i}`, body: randomBytes(Math.floor(size * MIB)) }))
    await writeFile(file, await chartOf('large', '2.0.0', noise(1)))
    const refused = await ask(`/api/${TENANT}/charts`, token, '--data-binary', `@${file}`)
    t.strictSame([refused.status, typeof JSON.parse(refused.body).error], [413, 'string'])
    await writeFile(file, await chartOf('large', '1.0.0', noise(0.38)))
    t.ok((await stat(file)).size > 19.9 * MIB)
    const saved = await ask(`/api/${TENANT}/charts`, token, '--data-binary', `@${file}`)
    t.strictSame([saved.status, saved.body], [201, '{"saved":true}'])
  })
  await t.test('a token of one opens the other, which sees the client and what was pushed through the first', async t => {
    const received = join(folder, 'received')
    for (let i = 0; i < 8; i++) {
      const index = await ask(`/${TENANT}/index.yaml`, token, '--interface', '127.0.0.2')
      t.strictSame([index.status, index.body.includes('charts/large-1.0.0.tgz')], [200, true])
    }
    for (const gateway of [first, second]) t.match(await loggedLine(gateway, '"route":"index"'), { ip: '127.0.0.2', decision: 'allowed' })
    for (let i = 0; i < 2; i++) {
      t.equal(await download(received, '--cacert', proxy.ca, '-H', `Authorization: Bearer ${token}`, `${url}/${TENANT}/charts/large-1.0.0.tgz`), 200)
      t.ok((await readFile(received)).equals(await readFile(file)), 'byte for byte')
    }
  })
  await t.test('when one goes, the other serves on', async t => {
    await ending(first)()
    for (let i = 0; i < 6; i++) t.equal((await ask(`/${TENANT}/index.yaml`, token)).status, 200)
  })
}

async function realHelm ({ t, url, proxy, masterKey, ask }: Site): Promise<void> {
  const helms = await helmVersions()
  if (!helms.ok) {
    await notTried(t, 'real Helm', helms.reason)
    return
  }
  const helm = helms.versions[0] as (typeof helms.versions)[number]
  const tenant = 'org1/helm' // with nothing but its chart
  const chart = await packageExample(t, helm)
  const file = join(await temporaryFolder(t), 'mychart.tgz')
  await writeFile(file, chart)
  t.equal((await ask(`/api/${tenant}/charts`, '--data-binary', `@${file}`)).status, 201)
  await useRepository(t, helm, `${url}/${tenant}`, ['--ca-file', proxy.ca, '--username', 'any', '--password', masterKey], chart)
}
