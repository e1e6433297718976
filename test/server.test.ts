import { mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import { openAuthority } from '../src/config/reload.ts'
import type { Config } from '../src/config/schema.ts'
import { start, type ServeOptions } from '../src/server.ts'
import { VERSION } from '../src/version.ts'
import { seedDemoChart } from '../src/demo.ts'
import { testConfig } from './helpers/app.ts'
import { chartOf } from './helpers/packages.ts'
import { startStubUpstream } from './helpers/stub-upstream.ts'
import packageJson from '../package.json' with { type: 'json' }
import { testFolder } from './helpers/folder.ts'
import { until } from './helpers/until.ts'

const QUIET: Config['log'] = { level: 'silent', reads: false }
const CHART = join(import.meta.dirname, '../examples/mychart')

/** A folder with a path that is short enough for a socket below it. */
async function shortFolder (t: { teardown (fn: () => unknown): unknown }): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'chartgate-'))
  t.teardown(async () => { await rm(dir, { recursive: true, force: true }) })
  return dir
}

/** A port that nobody listens on. */
async function freePort (): Promise<number> {
  const server = createServer()
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  const { port } = server.address() as AddressInfo
  await new Promise(resolve => { server.close(resolve) })
  return port
}

/** The options of a start with the accounts and rules of the configuration. */
async function withAuthority (config: Config, more: Partial<ServeOptions> = {}): Promise<ServeOptions> {
  const authority = await openAuthority(config)
  if (!authority.ok) throw new Error(authority.mistakes.join('\n'))
  return { authority: authority.opened, reload: async () => ({ ok: true, config }), announce: () => {}, ...more }
}

await t.test('a server with the embedded repository starts, says where it is, stores a chart and stops', async t => {
  const stateDir = await shortFolder(t)
  const [port, adminPort] = [await freePort(), await freePort()]
  const config = { ...testConfig(stateDir, undefined), listen: { host: '127.0.0.1', port }, admin: { host: '127.0.0.1', port: adminPort }, publicUrl: `http://localhost:${port}`, log: QUIET }
  const said: string[] = []
  const started = await start(config, await withAuthority(config, { demoChart: CHART, announce: text => { said.push(text) } }))
  if (!started.ok) throw new Error(started.message)
  t.match(said.join(''), `curl -i http://localhost:${port}/org1/repo1/index.yaml`)
  const headers = { authorization: `Bearer ${config.masterKey}` }
  const url = `http://127.0.0.1:${port}`
  t.match(await (await fetch(`${url}/org1/repo1/index.yaml`, { headers })).text(), 'mychart-0.1.0.tgz')
  const chart = await chartOf('other', '1.0.0')
  t.equal((await fetch(`${url}/api/org1/repo1/charts`, { method: 'POST', headers, body: chart })).status, 201)
  t.equal(Buffer.compare(Buffer.from(await (await fetch(`${url}/org1/repo1/charts/other-1.0.0.tgz`, { headers })).arrayBuffer()), chart), 0)
  t.equal((await fetch(`http://127.0.0.1:${adminPort}/readyz`)).status, 200)

  const second = await start({ ...config, listen: { host: '127.0.0.1', port: 0 }, admin: { host: '127.0.0.1', port: 0 } }, await withAuthority(config))
  t.match(second, { ok: false, message: /is in use by another chartgate/ })
  await started.stop()
  await t.rejects(fetch(url), 'it is gone')

  const again = await start(config, await withAuthority(config, { demoChart: CHART }))
  t.equal(again.ok, true, 'and starts again')
  if (again.ok) await again.stop()
})

await t.test('a server in front of an upstream says so in one line, whatever the upstream wants', async t => {
  const stub = await startStubUpstream(t)
  for (const auth of ['none', 'basic', 'bearer'] as const) {
    const base = testConfig(testFolder(t), stub.origin)
    const said: string[] = []
    const started = await start({ ...base, upstream: { ...base.upstream, auth }, log: QUIET }, await withAuthority(base, { announce: text => { said.push(text) } }))
    t.equal(started.ok, true)
    t.match(said.join(''), /^chartgate listens on .*\n$/)
    if (started.ok) await started.stop()
  }
})

await t.test('a server fetches the keys of token servers while it runs, and warns of rules', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: '{"keys":[]}' })
  const base = testConfig(testFolder(t), stub.origin)
  const config = { ...base, log: QUIET, tokens: { ...base.tokens, issuers: [{ name: 'corp', jwksUrl: `${stub.origin}/keys` }] }, policy: [{ repositories: ['a/b'], subjects: ['user:nobody'], actions: ['pull' as const] }] }
  const started = await start(config, await withAuthority(config))
  if (!started.ok) throw new Error(started.message)
  await until(() => stub.seen.some(({ target }) => target === '/keys') ? true : undefined)
  await started.stop()
})

await t.test('the embedded repository can be asked without a token too', async t => {
  const base = testConfig(await shortFolder(t), undefined)
  const started = await start({ ...base, upstream: { ...base.upstream, auth: 'none' }, log: QUIET }, await withAuthority(base))
  t.equal(started.ok, true)
  if (started.ok) await started.stop()
})

await t.test('what hinders a start is one clear sentence', async t => {
  const stateDir = await shortFolder(t)
  await writeFile(join(stateDir, 'file'), '')
  await mkdir(join(stateDir, 'bad', 'keys'), { recursive: true })
  await writeFile(join(stateDir, 'bad', 'keys', 'token.pem'), 'x')
  const taken = createServer()
  await new Promise<void>(resolve => { taken.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { taken.close() })
  const { port } = taken.address() as AddressInfo
  const config = testConfig(stateDir, 'http://127.0.0.1:9')
  const embedded = testConfig(join(stateDir, 'x'), undefined)
  const local = { host: '127.0.0.1', port }
  await mkdir(join(stateDir, 'blocked', 'charts'), { recursive: true })
  await writeFile(join(stateDir, 'blocked', 'run'), '')
  await mkdir(join(stateDir, 'odd', 'run', 'repository.sock'), { recursive: true })
  await mkdir(join(stateDir, 'flat'))
  await writeFile(join(stateDir, 'flat', 'charts'), '')
  const cases: [string, typeof config, RegExp][] = [
    ['a port in use', { ...config, listen: local }, new RegExp(`^listen\\.port ${port} is in use by another program`)],
    ['an admin port in use', { ...config, admin: local }, new RegExp(`^admin\\.port ${port} is in use`)],
    ['a stateDir that is a file', { ...config, stateDir: join(stateDir, 'file', 'x') }, /^stateDir .* cannot be written/],
    ['a key that is none', { ...config, stateDir: join(stateDir, 'bad') }, /token\.pem/],
    ['a long stateDir', { ...embedded, stateDir: join(stateDir, 'x'.repeat(120)) }, /too long for a Unix socket/],
    ['a folder where the socket must be', { ...embedded, stateDir: join(stateDir, 'odd') }, /EISDIR|EPERM|EACCES|cannot be written/],
    ['charts that are a file', { ...embedded, stateDir: join(stateDir, 'flat') }, /charts/],
    ['a file where a folder must be', { ...embedded, stateDir: join(stateDir, 'blocked') }, /blocked/],
    ['an address that is not ours', { ...config, listen: { host: '203.0.113.1', port: 5001 } }, /203\.0\.113\.1/]
  ]
  for (const [name, each, expected] of cases) t.match(await start({ ...each, log: QUIET }, await withAuthority(each)), { ok: false, message: expected }, name)
})

await t.test('the demo chart is put there once', async t => {
  const dir = testFolder(t)
  await seedDemoChart(CHART, dir)
  t.same(await readdir(join(dir, 'org1/repo1')), ['mychart-0.1.0.tgz'])
  await seedDemoChart('/nowhere', dir)
})

await t.test('the version is that of the package', t => {
  t.equal(VERSION, packageJson.version)
  t.end()
})
