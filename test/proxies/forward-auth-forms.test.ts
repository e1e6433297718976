// A client's request in forms that a proxy and what is behind it may take in two ways: header
// names with underscores, Upgrade, headers that Connection names, HTTP/2 where the proxy
// speaks it without being told. What goes on is the one tenant's that was asked about, with
// the gateway's word of whose it is, and no connection is handed over.
import { connect as connectHttp2, type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2'
import t, { type Test } from 'tap'
import { ASKING_PROXIES, dialectOf, lacked, startAskingProxy, type AskingProxyName } from '../helpers/asking-proxies.ts'
import { startAsked } from '../helpers/authz.ts'
import { rawClient } from '../helpers/raw.ts'
import { startStubUpstream, type SeenRequest } from '../helpers/stub-upstream.ts'

const MINE = '/org1/repo1/index.yaml'
const THEIRS = '/org2/repo2/index.yaml'
const WEBSOCKET = ['Upgrade: websocket', 'Sec-WebSocket-Key: x3JJHMbDL1EzLkh9GBhXDw==', 'Sec-WebSocket-Version: 13']
/** Each with the credentials of who may read org1/repo1. */
const FORMS: readonly (readonly [target: string, headers: readonly string[]])[] = [
  [MINE, ['X_Auth_User: user:root', 'X-Auth_User: user:root', 'X_Auth-User: user:root', 'X_Auth_Tenant: org2/repo2']],
  [MINE, ['X-Auth-User: user:root', 'X-Auth-User: user:root', 'X-Auth-Tenant: org2/repo2']],
  [MINE, ['X-Auth-User: user:root', 'Connection: keep-alive, X-Auth-User, X-Auth-Tenant']],
  [MINE, ['Connection: keep-alive, X-Auth-User, X-Auth-Tenant, Authorization']],
  [MINE, ['Connection: Upgrade', ...WEBSOCKET]],
  [MINE, ['Connection: Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA']],
  [MINE, ['X_Original_URI: /public/x', 'X_Forwarded_Uri: /public/x', 'X_Forwarded_Method: DELETE']],
  [THEIRS, [`X-Forwarded-Uri: ${MINE}`, `X-Original-URI: ${MINE}`, 'Connection: keep-alive, X-Original-URI, X-Original-Method, X-Forwarded-Uri, X-Forwarded-Method']],
  [THEIRS, [`X_Forwarded_Uri: ${MINE}`, `X_Original_URI: ${MINE}`]],
  [THEIRS, ['Connection: Upgrade', ...WEBSOCKET]]
]
const HTTP2_PATHS = [MINE, THEIRS, 'org1/repo1/index.yaml', '/org1/repo1/../../org2/repo2/index.yaml', `/${THEIRS}`, `http://x${THEIRS}`, '*', `${MINE}?x y`, `${MINE}#/../x`, '/authz', `/authz${THEIRS}`, '/org1%2Frepo1/index.yaml', '/org1/repo1/..;/index.yaml']

/** What a request says under a name, also where other readers take `_` for `-`. */
function saidUnder (name: string, { rawHeaders }: SeenRequest): string[] {
  return rawHeaders.filter((_value, i) => i % 2 === 1 && (rawHeaders[i - 1] as string).toLowerCase().replaceAll('_', '-') === name)
}

/** The status of one request over HTTP/2 with prior knowledge; undefined: the proxy ended it. */
async function askHttp2 (port: number, headers: OutgoingHttpHeaders): Promise<number | undefined> {
  const session = connectHttp2(`http://127.0.0.1:${port}`)
  session.on('error', () => {}) // its end is what counts
  return await new Promise<number | undefined>(resolve => {
    const request = session.request({ ':authority': 'charts.example.test', ...headers })
    request.on('response', (answer: IncomingHttpHeaders & { ':status'?: number }) => { resolve(answer[':status']) })
    request.on('error', () => { resolve(undefined) }).on('close', () => { resolve(undefined) })
    request.end()
  }).finally(() => { session.destroy() })
}

async function tryForms (t: Test, name: AskingProxyName): Promise<void> {
  const upstream = await startStubUpstream(t)
  upstream.answer = () => ({ headers: { 'content-length': '2' }, body: 'up' })
  const { gateway, ci } = await startAsked(t, dialectOf(name))
  const { port } = await startAskingProxy(t, name, { authz: gateway.authzPort, gateway: gateway.port, repository: Number(new URL(upstream.origin).port) })
  const nothingElse = (what: string): void => {
    for (const seen of upstream.seen.splice(0)) {
      t.equal(seen.target.split('?')[0], MINE, `${what}: the target that was judged`)
      t.same(saidUnder('x-auth-user', seen).filter(value => value !== 'robot:ci'), [], `${what}: whose it is`)
      t.same(saidUnder('x-auth-tenant', seen).filter(value => value !== 'org1/repo1'), [], `${what}: the tenant`)
      t.same(saidUnder('upgrade', seen), [], `${what}: no other protocol`)
    }
  }
  let passed = 0
  for (const [target, headers] of FORMS) {
    const client = rawClient(port)
    const { status } = await client.ask({ head: [`GET ${target} HTTP/1.1`, 'Host: charts.example.test', `Authorization: ${ci}`, ...headers, '', ''].join('\r\n') })
    client.close()
    t.ok(target === MINE ? [200, 400, 401, 403].includes(status) : [400, 401, 403].includes(status), `${target} with ${headers.join(', ')}: ${status}`)
    passed += upstream.seen.length
    nothingElse(headers.join(', '))
  }
  t.ok(passed >= 3, `${passed} passed`)
  if (name !== 'haproxy' && name !== 'envoy') return
  for (const path of HTTP2_PATHS) {
    const status = await askHttp2(port, { ':path': path, authorization: ci, x_auth_user: 'user:root', 'x-auth-user': 'user:root', 'x-forwarded-uri': MINE, 'x-forwarded-method': 'GET' })
    t.equal(status === 200, path === MINE, `HTTP/2, ${path}: ${status}`)
    nothingElse(`HTTP/2, ${path}`)
  }
}

for (const name of ASKING_PROXIES) {
  await t.test(name, async t => {
    if (!await lacked(t, name)) await tryForms(t, name)
  })
}
