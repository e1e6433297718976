// Do the container files keep what they promise? No engine is asked: the compose files
// are read by the reference reader of the Compose Specification, and what they and the
// Dockerfile say must fit the configuration, and each other.
import { chmod, chown, cp, mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import type { Environment } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import type { Config } from '../../src/config/schema.ts'
import { testFolder } from '../helpers/folder.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { notTried } from '../helpers/not-tried.ts'
import { freePorts, ROOT, run, startProcess, temporaryFolder } from '../helpers/processes.ts'
import packageJson from '../../package.json' with { type: 'json' }

interface Service {
  readonly image?: string
  readonly user?: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly networks?: readonly string[]
  readonly network_mode?: string
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
  readonly read_only?: boolean
  readonly cap_drop?: readonly string[]
  readonly cap_add?: readonly string[]
  readonly security_opt?: readonly string[]
}

interface Compose {
  readonly services: Readonly<Record<string, Service>>
  readonly networks?: Readonly<Record<string, { readonly internal?: boolean }>>
}

const FILES = ['docker-compose.yml', 'docker-compose.embedded.yml'] as const

t.setTimeout(BUILD_LIMIT)
const text = async (file: string): Promise<string> => await readFile(join(ROOT, file), 'utf8')
const composed = async (file: string): Promise<Compose> => parse(await text(file), { merge: true }) as Compose
/** Instructions with their arguments, in order; of a continued line, one. */
const dockerfile = (await text('Dockerfile')).replace(/^#.*\n/gm, '').replace(/\\\n/g, ' ').split('\n').filter(Boolean)
  .map(line => { const [, name, rest] = /^(\S+)\s+(.*)$/.exec(line) as unknown as [string, string, string]; return { name, rest } })
/** What the image that runs has; the build before it is left out. */
const image = dockerfile.slice(dockerfile.findLastIndex(({ name }) => name === 'FROM'))

function said (name: string): string {
  const found = image.filter(each => each.name === name)
  if (found.length !== 1) throw new Error(`${found.length} times ${name}`)
  return found[0]?.rest as string
}

const IMAGE_ENV: Environment = Object.fromEntries(said('ENV').trim().split(/\s+/).map(pair => pair.split('=') as [string, string]))

async function configOf (t: Test, service: Service): Promise<Config> {
  const loaded = await loadConfig(undefined, { ...IMAGE_ENV, ...service.environment })
  if (!loaded.ok) t.fail('the configuration is valid', { mistakes: loaded.mistakes })
  return (loaded as { config: Config }).config
}

await t.test('both compose files are as the Compose Specification wants them', async t => {
  const tool = await goTool('compose')
  if (!tool.ok) {
    await notTried(t, 'the reader of compose files', tool.reason)
    return
  }
  for (const file of FILES) {
    const read = await run(tool.path, [join(ROOT, file)])
    t.equal(read.code, 0, file, { stderr: read.stderr })
  }
  const broken = join(testFolder(t), 'compose.yml')
  await writeFile(broken, (await text(FILES[0])).replace('    ports:', '    prots:'))
  t.match(await run(tool.path, [broken]), { code: 1, stderr: /prots/ }, 'and a wrong one is noticed')
})

await t.test('every service is confined, and only the one that changes an owner is root', async t => {
  for (const file of FILES) {
    for (const [name, service] of Object.entries((await composed(file)).services)) {
      t.match(service, { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'] }, `${file}: ${name}`)
      if (name === 'folder') t.match(service, { user: '0:0', cap_add: ['CHOWN'], network_mode: 'none' })
      else t.strictSame([service.cap_add, service.user ?? '1000:1000'], [undefined, '1000:1000'], `${name} is nobody special`)
    }
  }
})

await t.test('what is published is published on loopback, and reaches the gateway', async t => {
  const published: Record<string, string[]> = { 'docker-compose.yml': ['127.0.0.1:5001:5001', '127.0.0.1:8080:5001'], 'docker-compose.embedded.yml': ['127.0.0.1:5001:5001'] }
  for (const file of FILES) {
    const { services } = await composed(file)
    for (const [name, { ports }] of Object.entries(services)) t.strictSame(ports ?? [], name === 'chartgate' ? published[file] : [], `${file}: ${name}`)
    const { listen: { host, port }, publicUrl } = await configOf(t, services['chartgate'] as Service)
    t.strictSame([host, port, publicUrl], ['0.0.0.0', 5001, 'http://localhost:5001'])
  }
})

await t.test('gateway and ChartMuseum are told the same', async t => {
  const { services, networks } = await composed('docker-compose.yml')
  const { chartgate, chartmuseum, key } = services as Record<'chartgate' | 'chartmuseum' | 'key', Service>
  const { publicUrl, tokens, charts, upstream, stateDir } = await configOf(t, chartgate)
  const { environment = {} } = chartmuseum
  t.match(environment, { AUTH_REALM: `${publicUrl}/oauth/token`, AUTH_SERVICE: tokens.service, DEPTH: String(charts.depth), BEARER_AUTH: 'true' })
  t.strictSame([upstream.url, upstream.auth], [`http://chartmuseum:${environment['PORT']}`, 'bearer'])
  t.match(chartmuseum.image, /^ghcr\.io\/helm\/chartmuseum:v\d+\.\d+\.\d+$/)
  t.strictSame([chartmuseum.networks, networks?.['upstream']?.internal], [['upstream'], true], 'its network leads nowhere else')
  t.ok(chartgate.networks?.includes('upstream'))

  const [out] = (key.command ?? []).slice(-1)
  t.strictSame([key.command, environment['AUTH_CERT_PATH']], [['keys', 'export', '--out', out], out])
  const mounted = ({ volumes = [] }: Service, path = ''): string | undefined => volumes.map(each => each.split(':')).find(([, target]) => target !== undefined && path.startsWith(`${target}/`))?.[0]
  t.strictSame([mounted(key, out), mounted(chartmuseum, out)], ['key', 'key'], 'the exported key is the one that ChartMuseum reads')
  t.strictSame([mounted(key, `${stateDir}/keys`), mounted(chartgate, `${stateDir}/keys`)], ['state', 'state'], 'and the one that the gateway signs with')
  t.equal((await configOf(t, key)).stateDir, stateDir)
  t.notOk(chartmuseum.volumes?.some(volume => volume.startsWith('state:')), 'ChartMuseum sees no private key')
  for (const service of [chartgate, chartmuseum]) t.equal(service.depends_on?.['key']?.condition, 'service_completed_successfully')
  t.equal(chartmuseum.depends_on?.['folder']?.condition, 'service_completed_successfully')
})

await t.test('the image is given what .dockerignore lets through, and runs as nobody special', async t => {
  const [everything, ...passed] = (await text('.dockerignore')).trim().split('\n')
  t.equal(everything, '*')
  const copied = dockerfile.filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from=')).flatMap(({ rest }) => rest.split(/\s+/).slice(0, -1))
  t.same(new Set(passed), new Set(copied.map(source => `!${source}`)), 'no more and no less')
  t.match(dockerfile.filter(({ name }) => name === 'FROM').map(({ rest }) => rest), [/^node:24-slim AS build$/, /^node:24-slim$/])
  const { listen, stateDir } = await configOf(t, {})
  t.strictSame([said('USER'), said('EXPOSE'), said('VOLUME')], ['node', String(listen.port), stateDir])
  t.strictSame(JSON.parse(said('ENTRYPOINT')), ['node', '--disable-sigusr1', packageJson.bin.chartgate])
})

await t.test('what the image copies runs as another user, and is found healthy', async t => {
  const folder = await temporaryFolder(t)
  await chmod(folder, 0o755)
  const { packages } = JSON.parse(await text('package-lock.json')) as { packages: Record<string, { dev?: true, optional?: true }> }
  // What the build stage leaves: compiled code, and the dependencies of `npm ci --omit=dev`.
  const built = ['dist/src', 'dist/plugins', ...Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true).map(([path]) => path)]
  const copied = image.filter(({ name }) => name === 'COPY').map(({ rest }) => rest.split(/\s+/).filter(word => word !== '--from=build').slice(0, -1))
  for (const source of copied.flat()) {
    const paths = source.startsWith('/app/') ? built.filter(path => `/app/${path}`.startsWith(`${source}/`)) : [source]
    t.ok(paths.length > 0, `${source} is something`)
    for (const path of paths) {
      const copy = cp(join(ROOT, path), join(folder, path), { recursive: true, filter: from => !from.slice(join(ROOT, path).length).includes('/node_modules') })
      // of another platform
      await (packages[path]?.optional === true ? copy.catch(() => {}) : copy)
    }
  }
  const stateDir = join(folder, 'state')
  await mkdir(stateDir)
  const words = (JSON.parse(said('ENTRYPOINT')) as string[]).concat(JSON.parse(said('CMD')) as string[])
  const command = words.filter(word => word !== '--disable-sigusr1' || process.allowedNodeEnvironmentFlags.has(word))
  const check = JSON.parse(/\[.*\]$/.exec(said('HEALTHCHECK'))?.[0] ?? '') as string[]
  // As `node` of the image is, where this is root.
  const asNode = process.getuid?.() === 0 ? ['setpriv', '--reuid=1000', '--regid=1000', '--clear-groups'] : []
  if (asNode.length > 0) await chown(stateDir, 1000, 1000)
  const [port, adminPort] = (await freePorts(2)).map(String) as [string, string]
  const env = { ...IMAGE_ENV as Record<string, string>, CHARTGATE_LISTEN_PORT: port, CHARTGATE_ADMIN_PORT: adminPort, CHARTGATE_STATE_DIR: stateDir }
  const [program, ...args] = [...asNode, ...command] as [string, ...string[]]
  await startProcess(t, program, args, { cwd: folder, env, readyUrl: `http://localhost:${adminPort}/readyz` })
  t.equal((await fetch(`http://localhost:${port}/org1/repo1/index.yaml`)).status, 401)
  const [checker, ...checks] = [...asNode, ...check] as [string, ...string[]]
  t.match(await run(checker, checks, { cwd: folder, env }), { code: 0, stdout: 'alive\n' })
})

await t.test('the health check asks the admin listener, and says what it hears', async t => {
  const [command, ...args] = JSON.parse(/\[.*\]$/.exec(said('HEALTHCHECK'))?.[0] ?? '') as [string, ...string[]]
  let status = 200
  const asked: (string | undefined)[] = []
  const server = createServer((request, response) => { asked.push(request.url); response.writeHead(status).end('{}') })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const env = { CHARTGATE_ADMIN_PORT: String((server.address() as AddressInfo).port) }
  t.equal((await run(command, args, { env })).code, 0)
  status = 503
  t.equal((await run(command, args, { env })).code, 1)
  t.strictSame(asked, ['/healthz', '/healthz'])
  server.closeAllConnections()
  await new Promise(resolve => { server.close(resolve) })
  t.equal((await run(command, args, { env })).code, 1, 'nobody is there')
  t.equal((await configOf(t, {})).admin.port, Number(IMAGE_ENV['CHARTGATE_ADMIN_PORT']))
})
