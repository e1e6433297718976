// What is usually wrong in front of the gateway: what the client sees then, and what the
// gateway logs. docs/proxies.md has an entry for each.
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { curl } from '../helpers/curl.ts'
import { startGateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { loggedLine } from '../helpers/proxy-scenarios.ts'
import { lacking, startProxy, type Edit } from '../helpers/proxies.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

interface Mistake {
  readonly name: string
  readonly edits: readonly Edit[]
  readonly path: string
  readonly args?: readonly string[]
  /** In place of the one that may do everything. */
  readonly credential?: string
  readonly status: number
  readonly body: RegExp
  /** The first one. */
  readonly challenge?: RegExp
  /** What the gateway logs; undefined: the request never came. */
  readonly logged?: Readonly<Record<string, unknown>>
}

const INDEX = '/helm/org1/repo1/index.yaml'
const pass = (to: string): Edit => ['proxy_pass http://chartgate;', `proxy_pass http://chartgate${to};`]
const EMPTY_SEGMENT = 'the path has an empty segment: it must not end with / or have two in a row'
const ENCODING = 'the path has a percent-encoding: only %2B is taken'
const DOUBLED = 'the path begins twice with /helm, the path of publicUrl: does a proxy in front add it?'
const PREFIX = 'the path does not begin with /helm, the path of publicUrl: does a proxy in front take it off?'

async function mistakes (t: Test): Promise<readonly Mistake[]> {
  const large = join(await temporaryFolder(t), 'large')
  await writeFile(large, randomBytes(2_000_000))
  return [
    { name: 'a body limit of 1 MB', edits: [['client_max_body_size 21m;', '']], path: '/helm/api/org1/repo1/charts', args: ['-H', 'Expect:', '--data-binary', `@${large}`], status: 413, body: /<h1>413 Request Entity Too Large/ },
    { name: 'a stripped prefix', edits: [['location / {', 'location /helm/ {'], pass('/')], path: INDEX, status: 404, body: /does not begin with \/helm/, logged: { reason: 'no_such_route', path: '/org1/repo1/index.yaml', detail: PREFIX } },
    { name: 'a doubled prefix', edits: [pass('/helm/')], path: INDEX, status: 404, body: /begins twice with \/helm/, logged: { reason: 'no_such_route', path: '/helm/helm/org1/repo1/index.yaml', detail: DOUBLED } },
    { name: 'a missing X-Forwarded-Proto', edits: [['proxy_set_header Host', 'proxy_set_header X-Forwarded-Proto "";\n    proxy_set_header Host']], path: INDEX, credential: 'wrong', status: 401, body: /unauthorized/, challenge: /^Bearer realm="https:\/\/charts\.example\.test\/helm\/oauth\/token"/, logged: { reason: 'bad_credentials' } },
    { name: 'a dropped Authorization', edits: [['proxy_set_header Host', 'proxy_set_header Authorization "";\n    proxy_set_header Host']], path: INDEX, status: 401, body: /unauthorized/, logged: { reason: 'missing_credentials', subject: 'anonymous' } },
    { name: 'a path with two slashes, passed on as it came', edits: [], path: '/helm/org1//repo1/index.yaml', status: 400, body: /empty segment/, logged: { reason: 'bad_target', detail: EMPTY_SEGMENT } },
    { name: 'a plus that became a space', edits: [], path: '/helm/api/org1/repo1/charts/x/1.0.0%20b', status: 400, body: /percent-encoding/, logged: { reason: 'bad_target', detail: ENCODING } },
    { name: 'a plus that became a space in the name of a file', edits: [], path: '/helm/org1/repo1/charts/x-1.0.0%20b.tgz', status: 404, body: /not found/, logged: { reason: 'not_in_upstream', file: 'x-1.0.0 b.tgz' } }
  ]
}

const reason = await lacking('nginx')
if (reason !== undefined) await notTried(t, 'nginx', reason)
else {
  const masterKey = `test-${randomBytes(16).toString('hex')}`
  const gateway = await startGateway(t, { publicUrl: 'https://charts.example.test/helm', trustedProxies: ['127.0.0.1'], masterKey })
  const gatewayPort = Number(new URL(gateway.url).port)
  for (const { name, edits, path, args = [], credential = masterKey, status, body, challenge, logged } of await mistakes(t)) {
    await t.test(name, async t => {
      const proxy = await startProxy(t, 'nginx', { gatewayPort, edits })
      const answer = await curl('--cacert', proxy.ca, '--path-as-is', '-H', `Authorization: Bearer ${credential}`, ...args, proxy.url + path)
      t.equal(answer.status, status)
      t.match(answer.body, body)
      if (challenge !== undefined) t.match(answer.header('www-authenticate')[0], challenge)
      const [id] = answer.header('x-request-id')
      if (logged === undefined) t.equal(id, undefined, 'the gateway was not asked')
      else t.match(await loggedLine(gateway, id as string), logged)
    })
  }
  await t.test('a proxy that gives up on an upload', async t => { await gaveUp(t, masterKey) })
}

/** The chart repository answers only when the proxy has: both lines are in the log, under one id. */
async function gaveUp (t: Test, masterKey: string): Promise<void> {
  const stub = await startStubUpstream(t)
  const given = new EventEmitter()
  stub.answer = async ({ method }) => {
    if (method !== 'POST') return { status: 404, body: '{"error":"not found"}' }
    await once(given, 'up')
    return { status: 201, body: '{"saved":true}' }
  }
  const gateway = await startGateway(t, { publicUrl: 'https://charts.example.test', upstream: { url: stub.origin }, masterKey })
  const proxy = await startProxy(t, 'nginx', { gatewayPort: Number(new URL(gateway.url).port), edits: [['proxy_read_timeout 300s', 'proxy_read_timeout 1s'], ['proxy_request_buffering off', 'proxy_request_buffering on']] })
  const file = join(await temporaryFolder(t), 'chart')
  await writeFile(file, await chartOf('slow', '1.0.0'))
  const answer = await curl('--cacert', proxy.ca, '-H', `Authorization: Bearer ${masterKey}`, '--data-binary', `@${file}`, `${proxy.url}/api/org1/repo1/charts`)
  t.equal(answer.status, 504)
  t.match(answer.body, /504 Gateway Time-out/)
  const aborted = await loggedLine(gateway, '"decision":"aborted"')
  t.match(aborted, { route: 'upload-chart', chart: 'slow', msg: 'the client went away' })
  given.emit('up')
  t.match(await loggedLine(gateway, '"decision":"allowed"'), { reqId: aborted['reqId'], chart: 'slow', status: 201 })
}
