// nginx, HAProxy, Caddy and Envoy with the configurations that examples/forward-auth/ shows:
// the same files, moved to loopback, free ports and no TLS. Each is one process in the
// foreground, so that it ends with the test.
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import type { DialectName } from '../../src/words/dialects.ts'
import { notTried, skipped } from './not-tried.ts'
import { ROOT, findProgram, freePorts, startProcess, temporaryFolder, type Environment, type StartedProcess, type TestLike } from './processes.ts'
import type { Edit } from './proxies.ts'

export const ASKING_PROXIES = ['nginx', 'haproxy', 'caddy', 'envoy'] as const
export type AskingProxyName = typeof ASKING_PROXIES[number]

/** What a client may try: every header in which some proxy says what it asks about, or who somebody is. */
export const CLIENT_MADE: readonly (readonly string[])[] = [
  ['X-Forwarded-Uri: /public/x/index.yaml', 'X-Forwarded-Method: GET'], ['X-Original-URI: /public/x/index.yaml', 'X-Original-Method: GET'], ['X-Original-URL: http://charts.example.test/public/x/index.yaml'],
  ['X-Original-URL: /public/x/index.yaml'], ['X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: ftp', 'X-Forwarded-Port: 1'], ['X-Forwarded-For: 6.6.6.6'], ['X-Forwarded-Prefix: /public'], ['X-Rewrite-Url: /public/x/index.yaml'],
  ['X-Envoy-Original-Path: /public/x/index.yaml'], ['X_Forwarded_Uri: /public/x/index.yaml', 'X_Original_URI: /public/x/index.yaml'], ['Forwarded: for=6.6.6.6'], ['X-HTTP-Method-Override: GET'], ['X-Auth-User: user:root', 'X-Auth-Tenant: org2/repo2'],
  ['X_Auth_User: user:root'], ['Connection: close, X-Forwarded-Uri, X-Original-URI, X-Forwarded-Method, X-Original-Method'], ['Connection: close, X-Auth-User, X-Auth-Tenant, Authorization'], ['Path: /public/x/index.yaml', 'Method: GET']
]

/** Who is behind the proxy, by port. */
export interface Behind {
  /** chartgate's listener for proxies, and its public one. */
  readonly authz: number
  readonly gateway: number
  /** The chart repository. */
  readonly repository: number
}

export interface AskingProxy extends StartedProcess {
  readonly port: number
}

interface Place extends Behind { readonly folder: string, readonly port: number }

interface Program {
  readonly dialect: DialectName
  readonly files: readonly [string, ...string[]]
  readonly moves: (place: Place) => readonly Edit[]
  /** What makes changes pass it too, with authz.push. */
  readonly changesPass: readonly Edit[]
  readonly whole?: (example: string, place: Place) => string
  readonly args: (file: string, place: Place) => string[]
  readonly env?: (folder: string) => Environment
}

const PROGRAMS: Readonly<Record<AskingProxyName, Program>> = {
  nginx: {
    dialect: 'nginx',
    files: ['nginx.conf', 'chartgate-proxy.conf'],
    moves: ({ folder, port }) => [
      ['listen 443 ssl', `listen 127.0.0.1:${port}`],
      ['ssl_certificate /etc/ssl/charts/tls.crt;', ''],
      ['ssl_certificate_key /etc/ssl/charts/tls.key;', ''],
      ['/etc/nginx/chartgate-proxy.conf', join(folder, 'chartgate-proxy.conf')]
    ],
    changesPass: [['if ($request_method !~ ^(GET|HEAD)$) { return 418; }', '']],
    whole: (example, { folder }) => [
      'daemon off;', 'master_process off;', `pid ${join(folder, 'pid')};`, 'error_log stderr warn;',
      'events {}',
      'http {',
      'access_log off;',
      ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(name => `${name}_temp_path ${join(folder, 'temp', name)};`),
      example,
      '}', ''
    ].join('\n'),
    args: (file, { folder }) => ['-p', folder, '-e', 'stderr', '-c', file]
  },
  haproxy: {
    dialect: 'traefik',
    files: ['haproxy.cfg', 'authz.lua'],
    moves: ({ folder, port }) => [
      ['bind :443 ssl crt /etc/ssl/charts/tls.pem', `bind 127.0.0.1:${port}`],
      ['/etc/haproxy/authz.lua', join(folder, 'authz.lua')]
    ],
    changesPass: [['  use_backend chartgate if change\n', '']],
    args: file => ['-db', '-f', file]
  },
  caddy: {
    dialect: 'caddy',
    files: ['Caddyfile'],
    moves: ({ port }) => [['https://charts.example.test {', `{\n\tadmin off\n\tauto_https off\n}\nhttp://:${port} {\n\tbind 127.0.0.1`]],
    changesPass: [['@changes not method GET HEAD', '@changes method NONE']],
    args: file => ['run', '--adapter', 'caddyfile', '--config', file],
    env: folder => ({ HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder })
  },
  envoy: {
    dialect: 'envoy',
    files: ['envoy.yaml'],
    moves: ({ port }) => [['address: 0.0.0.0, port_value: 8000', `address: 127.0.0.1, port_value: ${port}`]],
    changesPass: [['exact: POST', 'exact: NONE'], ['exact: DELETE', 'exact: NONE']],
    args: file => ['-c', file, '--concurrency', '1', '--disable-hot-restart', '--log-level', 'error']
  }
}

/** Says so when this proxy cannot be tried here: Debian has all but Envoy. */
export async function lacked (t: Test, name: AskingProxyName): Promise<boolean> {
  if (await findProgram(name) !== undefined) return false
  await (name === 'envoy' ? skipped : notTried)(t, name, `${name} is not installed`)
  return true
}

export function dialectOf (name: AskingProxyName): DialectName {
  return PROGRAMS[name].dialect
}

/**
 * Starts the proxy, and ends it with the test; chartgate, which answers its first request, listens already.
 * @param more what differs from the example, and whether changes pass it as well as reads
 */
export async function startAskingProxy (t: TestLike, name: AskingProxyName, behind: Behind, { edits = [], changesPass = false }: { readonly edits?: readonly Edit[], readonly changesPass?: boolean } = {}): Promise<AskingProxy> {
  const [port] = await freePorts(1) as [number]
  const folder = await temporaryFolder(t)
  const place = { ...behind, folder, port }
  const { files, moves, changesPass: passing, whole = example => example, args, env } = PROGRAMS[name]
  await mkdir(join(folder, 'temp'))
  const all = [...edits, ...(changesPass ? passing : []), ...moves(place)]
  for (const [i, file] of files.entries()) {
    const shown = await readFile(join(ROOT, 'examples/forward-auth', file), 'utf8')
    const moved = toPorts(i === 0 ? all.reduce(replace, shown) : shown, place)
    await writeFile(join(folder, file), i === 0 ? whole(moved, place) : moved)
  }
  const program = await findProgram(name) as string // lacking() was asked
  const started = await startProcess(t, program, args(join(folder, files[0]), place), { readyUrl: `http://127.0.0.1:${port}/health`, ...(env === undefined ? {} : { env: env(folder) }) })
  return { ...started, port }
}

function toPorts (text: string, { authz, gateway, repository }: Behind): string {
  return text.replace(/^(?!\s*(?:#|--)).*$/gm, line => line
    .replace(/127\.0\.0\.1(:|, port_value: )(5001|5003|8080)\b/g, (_all, between: string, port: string) =>
      `127.0.0.1${between}${{ 5001: gateway, 5003: authz, 8080: repository }[port]}`))
}

function replace (text: string, [from, to]: Edit): string {
  if (!text.includes(from)) throw new Error(`the example does not have ${JSON.stringify(from)}`)
  return text.replaceAll(from, () => to)
}
