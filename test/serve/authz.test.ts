// The listener that proxies ask, from the start of the process to its end.
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { openAuthority } from '../../src/live/reload.ts'
import { start } from '../../src/serve/server.ts'
import type { StartResult } from '../../src/serve/started.ts'
import { sayAuthz } from '../../src/serve/authz-notes.ts'
import { createLive } from '../../src/lib/live.ts'
import { listenOn, testConfig } from '../helpers/app.ts'
import { askedBy, question } from '../helpers/authz.ts'
import { freePorts, temporaryFolder } from '../helpers/processes.ts'
import { askRaw } from '../helpers/raw.ts'
import { KEY, startSeveral } from '../helpers/several.ts'
import { untilTrue } from '../helpers/until.ts'

const INDEX = '/org1/repo1/index.yaml'

async function started (config: Config, log: unknown[] = []): Promise<StartResult> {
  const authority = await openAuthority(config)
  if (!authority.ok) throw new Error(authority.mistakes.join())
  return await start(config, { authority: authority.opened, reload: async () => ({ ok: true, config }), logStream: { write (line) { log.push(JSON.parse(line)) } } })
}

await t.test('it listens beside the others, says what it cannot do, and ends with them', async t => {
  const [port, adminPort, authzPort] = await freePorts(3) as [number, number, number]
  const config = { ...testConfig(join(await temporaryFolder(t), 'state'), undefined), listen: listenOn(port), admin: { host: '127.0.0.1', port: adminPort }, authz: askedBy('nginx', { listen: { host: '127.0.0.1', port: authzPort } }), drain: { delay: 0.05 } }
  const log: unknown[] = []
  const server = await started(config, log)
  if (!server.ok) throw new Error(server.message)
  t.match(log.find(line => /proxies may ask/.test((line as { msg: string }).msg)), { authz: `127.0.0.1:${authzPort}`, dialect: 'nginx' })
  t.equal((await askRaw(authzPort, question('nginx', 'GET', INDEX, [`Authorization: Bearer ${config.masterKey}`]))).status, 200)
  t.equal((await askRaw(authzPort, question('nginx', 'GET', INDEX))).status, 401)
  server.logCutOff()
  await server.stop()
  t.equal(Number.isNaN((await askRaw(authzPort, question('nginx', 'GET', INDEX))).status), true, 'nobody listens any more')
})

await t.test('a port that is taken hinders the start, and is named', async t => {
  const taken = createServer()
  await new Promise<void>(resolve => { taken.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { taken.close() })
  const { port } = taken.address() as AddressInfo
  const [publicPort] = await freePorts(1) as [number]
  const config = { ...testConfig(join(await temporaryFolder(t), 'state'), undefined), listen: listenOn(publicPort), authz: askedBy('envoy', { listen: { host: '127.0.0.1', port } }) }
  t.same(await started(config), { ok: false, message: `authz.listen.port ${port} is in use by another program: stop it, or choose another port` })
  t.equal(Number.isNaN((await askRaw(publicPort, 'GET / HTTP/1.1\r\nHost: x\r\n\r\n')).status), true, 'and the public listener is closed again')
})

await t.test('every worker answers proxies', async t => {
  const [port] = await freePorts(1) as [number]
  const gateway = await startSeveral(t, { authz: { listen: { port }, trustedProxies: ['127.0.0.1'], dialect: 'caddy' } })
  const answered = new Set<unknown>()
  await untilTrue(async () => {
    t.equal((await askRaw(port, question('caddy', 'GET', INDEX, [`Authorization: Bearer ${KEY}`, 'Connection: close']))).status, 200)
    for (const line of gateway.log()) if (line['door'] === 'authz') answered.add(line['pid'])
    return answered.size === 2
  })
  t.same([...answered].sort(), [...gateway.workers()].sort())
  t.equal(gateway.log().filter(({ msg }) => /^proxies may ask/.test(String(msg))).length, 1, 'and the limits of it are said once')
})

await t.test('what is said at the start depends on what is configured', async t => {
  const said = (change: (config: Config) => Config): string[] => {
    const lines: string[] = []
    const say = (level: string) => (_fields: object, message: string): void => { lines.push(`${level} ${message}`) }
    sayAuthz(createLive(change(testConfig('/nowhere', 'http://x'))), { info: say('info'), warn: say('warn') })
    return lines
  }
  t.same(said(config => config), [])
  t.match(said(config => ({ ...config, authz: askedBy('envoy') })), [/^info proxies may ask/, /^info authz\.push is off/])
  t.match(said(config => ({ ...config, authz: askedBy('envoy', { push: true }) })), [/^info /, /^warn authz\.push is on/])
  t.match(said(config => ({ ...config, authz: askedBy('envoy'), upstream: { ...config.upstream, auth: 'basic' } })), [/^info /, /^info /, /^warn upstream\.auth is basic: no Authorization is handed out at \/authz, because it would be the one password/])
  t.match(said(config => ({ ...config, authz: askedBy('envoy'), upstream: { ...config.upstream, auth: 'none' } })), [/^info /, /^info /, /^warn upstream\.auth is none: no Authorization is handed out at \/authz$/])
})

await t.test('whether uploads pass is said again when that is another, and then alone', t => {
  const lines: string[] = []
  const say = (level: string) => (_fields: object, message: string) => { lines.push(`${level} ${message}`) }
  const asking = (push: boolean): Config => ({ ...testConfig('/nowhere', 'http://x'), authz: askedBy('envoy', { push }) })
  const settings = createLive(asking(false))
  sayAuthz(settings, { info: say('info'), warn: say('warn') })
  lines.length = 0
  settings.current = { ...asking(false), masterKey: '' }
  t.same(lines, [])
  settings.current = asking(true)
  settings.current = asking(true)
  settings.current = asking(false)
  t.match(lines, [/^warn authz\.push is on/, /^info authz\.push is off/])
  t.equal(lines.length, 2)
  t.end()
})
