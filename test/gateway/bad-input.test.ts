// What a stranger says of the way that a request took, and what somebody between the
// gateway and the upstream says in its place: neither changes what is answered, nothing
// of it comes out, and nothing wrong is remembered. (Attack classes 27 and 28; helm-push
// issue 153: an error page, parsed as YAML.)
import { setTimeout as sleep } from 'node:timers/promises'
import { gzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { chartOf } from '../helpers/packages.ts'
import { rawClient, type RawResponse } from '../helpers/raw.ts'
import { EMPTY_INDEX, startStubUpstream, type StubAnswer, type StubUpstream } from '../helpers/stub-upstream.ts'

const INDEX = '/org1/repo1/index.yaml'
const CHART = '/org1/repo1/charts/mychart-0.1.0.tgz'

interface Lab { readonly gateway: TestGateway, readonly stub: StubUpstream, ask (line: string, headers?: readonly string[], host?: string, body?: Buffer): Promise<RawResponse> }

async function start (t: Test, { trustedProxies = [] as string[], maxAge = 0, basePath = '' } = {}): Promise<Lab> {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ headers: { 'content-type': 'application/x-yaml' }, body: EMPTY_INDEX })
  const gateway = await startApp(t, {
    origin: stub.origin,
    config: config => ({ ...config, trustedProxies, basePath, publicUrl: config.publicUrl + basePath, charts: { ...config.charts, index: { ...config.charts.index, maxAge } } })
  })
  return {
    gateway,
    stub,
    async ask (line, headers = [], host = 'charts.example.test', body = Buffer.alloc(0)) {
      const connection = rawClient(gateway.port)
      const length = body.length > 0 ? [`Content-Length: ${body.length}`] : []
      const answer = await connection.ask({ head: [`${line} HTTP/1.1`, `Host: ${host}`, ...headers, ...length, '', ''].join('\r\n'), body })
      connection.close()
      return answer
    }
  }
}

const FORWARDED: readonly (readonly string[])[] = [
  ['X-Forwarded-Host: evil.example'], ['X-Forwarded-Host: evil.example, charts.example.test'], ['X-Forwarded-Proto: https'], ['X-Forwarded-Proto: javascript'], ['X-Forwarded-Port: 6666'],
  ['X-Forwarded-Prefix: /evil'], ['X-Forwarded-Server: evil.example'], ['X-Forwarded-Uri: /evil/evil/index.yaml'], ['X-Forwarded-For: 6.6.6.6'], ['X-Forwarded-For: evil.example, ::1'],
  ['X-Forwarded-For: 6.6.6.6', 'X-Forwarded-Host: evil.example', 'X-Forwarded-Proto: https', 'X-Forwarded-Port: 6666'],
  ['Forwarded: for=6.6.6.6;host=evil.example;proto=https'], ['X-Real-IP: 6.6.6.6'], ['X-Client-IP: 6.6.6.6'], ['True-Client-IP: 6.6.6.6'], ['CF-Connecting-IP: 6.6.6.6'],
  ['X-Original-Host: evil.example'], ['X-Host: evil.example'], ['X-Forwarded-Scheme: https'], ['X-Forwarded-Ssl: on'], ['Front-End-Https: on'], ['Via: 1.1 evil.example'], ['Origin: http://evil.example'], ['Referer: http://evil.example/'],
  ['X-Request-Id: evil-id']
]
const HOSTS = ['charts.example.test', 'evil.example', 'evil.example:443', 'charts.example.test.evil.example', '6.6.6.6', '[::6]:80']

/** What a client gets, but for ids, times and signatures. */
function comparable ({ status, headers: { date, 'x-request-id': id, ...headers }, body }: RawResponse): unknown {
  return { status, headers, body: body.replace(/eyJ[\w-]+\.([\w-]+)\.[\w-]+/g, (_, payload: string) => claimsOf(payload)).replace(/"issued_at":"[^"]+"/, '') }
}

function claimsOf (payload: string): string {
  const { iss, aud, sub, access } = JSON.parse(Buffer.from(payload, 'base64url').toString()) as Record<string, unknown>
  return JSON.stringify({ iss, aud, sub, access })
}

for (const [who, trustedProxies, basePath] of [['a stranger', [], ''], ['a trusted proxy', ['127.0.0.0/8'], '/helm']] as const) {
  await t.test(`where a client is led does not depend on what ${who} says of hosts, schemes and prefixes`, async t => {
    const lab = await start(t, { trustedProxies: [...trustedProxies], basePath })
    const credential = `Authorization: Bearer ${lab.gateway.masterKey}`
    const scope = 'scope=artifact-repository:org1/repo1:pull'
    const requests: [string, string, string[]][] = [
      ['the challenge', `GET ${basePath}${INDEX}`, []],
      ['the index', `GET ${basePath}${INDEX}`, [credential]],
      ['a token', `POST ${basePath}/oauth/token?grant_type=client_credentials&${scope}`, [credential]],
      ['the challenge of the token endpoint', `GET ${basePath}/oauth/token?${scope}`, ['Authorization: Basic eDp5']],
      ['nothing there', 'GET /evil', []]
    ]
    for (const [name, line, headers] of requests) {
      const expected = comparable(await lab.ask(line, headers))
      for (const forwarded of FORWARDED) t.strictSame(comparable(await lab.ask(line, [...headers, ...forwarded])), expected, `${name}: ${forwarded.join()}`)
      for (const host of HOSTS) t.strictSame(comparable(await lab.ask(line, headers, host)), expected, `${name}: Host ${host}`)
    }
    for (const { headers, rawHeaders } of lab.stub.seen) {
      t.equal(`http://${headers.host as string}`, lab.stub.origin)
      t.notMatch(rawHeaders.join(), /evil|6\.6\.6\.6/, 'the upstream hears nothing of it')
    }
    const addresses = new Set(lab.gateway.log.map(({ ip }) => ip).filter(ip => ip !== undefined))
    // The last one that no trusted proxy has written is the client's; another name for it is not one.
    if (trustedProxies.length === 0) t.strictSame([...addresses], ['127.0.0.1'], 'the log has the peer')
    else t.ok(addresses.has('6.6.6.6'), 'the log has the client that the proxy tells of')
    t.notMatch(lab.gateway.logText(), 'evil-id')
  })
}

const PAGE = '<html><head><title>secret-inside 10.0.0.7</title></head><body>Sign in</body></html>'
const html = { 'content-type': 'text/html; charset=utf-8' }
const yaml = { 'content-type': 'application/x-yaml' }

/** In place of an index; each with what the log says of it. */
const NO_INDEX: readonly (readonly [name: string, answer: StubAnswer, status: number, why: RegExp])[] = [
  ['a login page', { headers: html, body: PAGE }, 502, /no entries|not YAML/],
  ['a page that calls itself YAML', { headers: yaml, body: PAGE }, 502, /no entries|not YAML/],
  ['an error page', { status: 502, headers: html, body: PAGE }, 502, /answered 502/],
  ['a page of a server that is away', { status: 503, headers: html, body: PAGE }, 503, /answered 503/],
  ['a page that says not found', { status: 404, headers: html, body: PAGE }, 404, /answered 404/],
  ['a page that says forbidden', { status: 403, headers: html, body: PAGE }, 502, /answered 403/],
  ['a way to a login', { status: 302, headers: { location: 'https://secret-inside.example/login' } }, 502, /answered 302/],
  ['an empty body', { headers: yaml, body: '' }, 502, /no entries/],
  ['no content', { status: 204 }, 502, /answered 204/],
  ['part of a content', { status: 206, headers: yaml, body: EMPTY_INDEX }, 502, /answered 206/],
  ['a sentence', { headers: yaml, body: 'secret-inside' }, 502, /no entries/],
  ['a list', { headers: yaml, body: '- secret-inside\n' }, 502, /no entries/],
  ['an error as JSON', { headers: yaml, body: '{"error":"secret-inside"}' }, 502, /no entries/],
  ['broken JSON', { headers: yaml, body: '{"apiVersion":"v1","entries":{"secret-inside":[' }, 502, /not YAML/],
  ['broken YAML', { headers: yaml, body: 'apiVersion: v1\nentries:\n  secret-inside: [\n' }, 502, /no entries|not YAML/],
  ['tabs for spaces', { headers: yaml, body: 'apiVersion: v1\nentries:\n\tsecret-inside: []\n' }, 502, /no entries|not YAML/],
  ['two documents', { headers: yaml, body: `${EMPTY_INDEX}---\nsecret-inside: 1\n` }, 502, /no entries|not YAML/],
  ['compressed though nobody asked for it', { headers: { ...yaml, 'content-encoding': 'gzip' }, body: gzipSync(EMPTY_INDEX) }, 502, /no entries|not YAML/],
  ['bytes', { headers: yaml, body: Buffer.from(Array.from({ length: 2000 }, (_, i) => i % 256)) }, 502, /no entries|not YAML/],
  ['a length that is not kept', { headers: { ...yaml, 'content-length': '5000' }, body: EMPTY_INDEX }, 502, /./]
]

await t.test('what is no index is a clear error, nothing of it comes out, and the next index is the right one', async t => {
  const lab = await start(t, { maxAge: 3600 })
  const credential = `Authorization: Bearer ${lab.gateway.masterKey}`
  const good = lab.stub.answer
  for (const [name, answer, status, why] of NO_INDEX) {
    // with an index in memory that something has changed, and with none
    for (const warm of [true, false]) {
      const tenant = `org1/${name.replaceAll(/\W/g, '')}${warm ? 'warm' : ''}`
      const path = `/${tenant}/index.yaml`
      const etag = warm ? String((await lab.ask(`GET ${path}`, [credential])).headers['etag']) : '"x"'
      if (warm) await lab.ask(`DELETE /api/${tenant}/charts/a/1.0.0`, [credential])
      lab.stub.answer = () => answer
      if (name === 'a length that is not kept') lab.stub.server.prependOnceListener('request', (_request, response) => { void sleep(20).then(() => { response.destroy() }) })
      const bad = await lab.ask(`GET ${path}`, [credential, `If-None-Match: ${etag}`])
      lab.stub.answer = good
      t.equal(bad.status, status, name)
      t.match(JSON.parse(bad.body), { error: /^[\w '.:,]+$/ }, name)
      t.notMatch(bad.text, /secret-inside|10\.0\.0\.7|<html>/, name)
      t.strictSame([bad.headers['content-type'], bad.headers['etag'], bad.headers['location'], bad.headers['content-encoding'], bad.headers['www-authenticate']], [['application/json; charset=utf-8'], undefined, undefined, undefined, undefined], name)
      const { err } = lab.gateway.log.at(-1) as { err: string | { message: string } }
      t.match(typeof err === 'string' ? err : err.message, why, `the log says it: ${name}`)
      const next = await lab.ask(`GET ${path}`, [credential])
      t.strictSame([next.status, next.body], [200, EMPTY_INDEX], `and then: ${name}`)
    }
  }
})

await t.test('a page in place of a chart, of an API answer or of a saved upload is a clear error', async t => {
  const lab = await start(t)
  const credential = `Authorization: Bearer ${lab.gateway.masterKey}`
  const chart = await chartOf('mychart', '0.2.0')
  const lines: [string, Buffer?][] = [[`GET ${CHART}`], [`GET ${CHART}.prov`], ['GET /api/org1/repo1/charts'], ['GET /api/org1/repo1/charts/mychart/0.1.0'], ['DELETE /api/org1/repo1/charts/mychart/0.1.0'], ['POST /api/org1/repo1/charts', chart], ['POST /api/org1/repo1/charts?force', chart]]
  const answers: [StubAnswer, number][] = [
    [{ headers: html, body: PAGE }, 502],
    [{ headers: { ...html, 'content-encoding': 'gzip', etag: '"secret-inside"' }, body: gzipSync(PAGE) }, 502],
    [{ headers: { 'content-type': 'Application/XHTML+xml' }, body: PAGE }, 502],
    [{ status: 502, headers: html, body: PAGE }, 502],
    [{ status: 503, headers: { ...html, 'retry-after': '666666666666666' }, body: PAGE }, 503],
    [{ status: 413, headers: html, body: PAGE }, 413],
    [{ status: 401, headers: { ...html, 'www-authenticate': 'Basic realm="secret-inside"' }, body: PAGE }, 502],
    [{ status: 302, headers: { location: 'https://secret-inside.example/' }, body: PAGE }, 502],
    [{ status: 307, headers: { location: CHART } }, 502],
    [{ status: 304, headers: { etag: '"secret-inside"' } }, 502]
  ]
  for (const [line, body] of lines) {
    for (const [answer, status] of answers) {
      lab.stub.answer = () => answer
      const got = await lab.ask(line, [credential], undefined, body)
      const name = `${line}: ${answer.status ?? 200} ${JSON.stringify(answer.headers)}`
      t.equal(got.status, status, name)
      t.match(JSON.parse(got.body), { error: /^[\w '.:,]+$/ }, name)
      t.notMatch(got.text, /secret-inside|10\.0\.0\.7|666666666666666|<html>/, name)
      for (const header of ['etag', 'location', 'content-encoding', 'www-authenticate']) t.equal(got.headers[header], undefined, `${header}: ${name}`)
    }
  }
  t.ok(lab.gateway.log.some(({ err }) => /with a page, as a proxy or a login in between does/.test(String(err))), 'the log says what it was')
  t.notMatch(lab.gateway.logText(), 'secret-inside')
})
