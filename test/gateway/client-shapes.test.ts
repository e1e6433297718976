// Clients that nobody sits before: Flux, Argo CD, Renovate, helmfile and the caches in
// front of them. Their requests as their sources write them, sent as bytes: which
// credential, which encoding, whether the connection is kept, what they ask a second
// time, and how many of them come at once.
//
// * Flux: source-controller, internal/helm/repository/chart_repository.go (DownloadIndex,
//   DownloadChart) and internal/helm/getter/client_opts.go: Helm's own HTTP getter, with
//   Basic, over a transport of Flux's; each HelmRepository and HelmChart on its own.
// * Argo CD: util/helm/client.go (loadRepoIndex): Go's client, Basic when there is a user
//   or a password, DisableKeepAlives; the chart by `helm pull`.
// * Renovate: lib/util/http/http.ts (applyDefaultHeaders) and lib/util/http/auth.ts
//   (applyAuthorization): Bearer, Basic without a user, or the token alone; got asks for
//   gzip; lib/util/http/cache/abstract-http-cache-provider.ts sends back the ETag.
// * helmfile: pkg/helmexec/exec.go (exec): Helm itself, one process for each release.
import { gunzipSync } from 'node:zlib'
import t, { type Test } from 'tap'
import { grant, startApp, type TestGateway } from '../helpers/app.ts'
import { rawClient, type RawResponse } from '../helpers/raw.ts'
import { startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'

const indexOf = (tenant: string): string => `apiVersion: v1\nentries:\n  web:\n${Array.from({ length: 40 }, (_, i) => `  - name: web\n    urls:\n    - charts/web-${i}.0.0.tgz\n    version: ${i}.0.0\n    description: of ${tenant}\n`).join('')}generated: "2026-11-23T23:27:29Z"\nserverInfo: {}\n`
const chartOf = (tenant: string, file: string): string => `the bytes of ${tenant}/${file}`

interface Lab { readonly gateway: TestGateway, readonly stub: StubUpstream, readonly token: string }

/** A repository in which every answer names the tenant that it is of. */
async function start (t: Test): Promise<Lab> {
  const stub = await startStubUpstream(t)
  stub.answer = ({ target }) => {
    const [, tenant = '', file = ''] = /^\/(\w+\/\w+)\/(?:charts\/)?(.+)$/.exec(target) ?? []
    return file === 'index.yaml' ? { headers: { 'content-type': 'application/x-yaml' }, body: indexOf(tenant) } : { headers: { 'content-type': 'application/x-tar' }, body: chartOf(tenant, file) }
  }
  const gateway = await startApp(t, { origin: stub.origin })
  return { gateway, stub, token: await gateway.token([grant('org1/repo1', 'pull')]) }
}

const basic = (user: string, password: string): string => `Authorization: Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

async function ask ({ gateway: { port } }: Lab, target: string, headers: readonly string[], method = 'GET'): Promise<RawResponse> {
  const connection = rawClient(port)
  const answer = await connection.ask({ head: [`${method} ${target} HTTP/1.1`, 'Host: charts.example.test', ...headers, '', ''].join('\r\n') })
  connection.close()
  return answer
}

const textOf = ({ body, headers }: RawResponse): string => {
  const bytes = Buffer.from(body, 'latin1')
  return (headers['content-encoding']?.[0] === 'gzip' ? gunzipSync(bytes) : bytes).toString()
}

const HELM = 'User-Agent: Helm/3.21.4'
const GO = ['User-Agent: Go-http-client/1.1']
const RENOVATE = ['user-agent: Renovate/43.0.0 (https://github.com/renovatebot/renovate)', 'accept-encoding: gzip, deflate, br']
const CHART = '/org1/repo1/charts/web-1.0.0.tgz'
const INDEX = '/org1/repo1/index.yaml'

await t.test('each of them reads an index and a chart with the credential and in the form that it knows', async t => {
  const lab = await start(t)
  const { token } = lab
  const shapes: readonly (readonly [client: string, target: string, headers: readonly string[], encoding?: string, connection?: string])[] = [
    ['Flux, the index', INDEX, [HELM, basic('flux', token)]],
    ['Flux, the index, by a transport that asks for gzip', INDEX, [HELM, basic('flux', token), 'Accept-Encoding: gzip'], 'gzip'],
    ['Flux, a chart', CHART, [HELM, basic('flux', token)]],
    ['Argo CD, the index', INDEX, [...GO, basic('argocd', token), 'Accept-Encoding: gzip', 'Connection: close'], 'gzip', 'close'],
    ['Argo CD with a password alone', INDEX, [...GO, basic('', token), 'Accept-Encoding: gzip', 'Connection: close'], 'gzip', 'close'],
    ['Argo CD, a chart by helm pull', CHART, [HELM, 'Accept: application/gzip,application/octet-stream', basic('argocd', token)]],
    ['Renovate with a token', INDEX, [...RENOVATE, `authorization: Bearer ${token}`, 'Connection: close'], 'gzip', 'close'],
    ['Renovate with a password alone', INDEX, [...RENOVATE, basic('', token)], 'gzip'],
    ['Renovate with authType Token-Only', INDEX, [...RENOVATE, `authorization: ${token}`], 'gzip'],
    ['helmfile', INDEX, [HELM, basic('ci', token)]]
  ]
  for (const [client, target, headers, encoding, connection = 'keep-alive'] of shapes) {
    const answer = await ask(lab, target, headers)
    t.equal(answer.status, 200, client)
    t.equal(textOf(answer), target === INDEX ? indexOf('org1/repo1') : chartOf('org1/repo1', 'web-1.0.0.tgz'), client)
    t.equal(answer.headers['content-encoding']?.[0], encoding, client)
    t.equal(answer.headers['connection']?.[0], connection, client)
  }
  for (const { headers } of lab.stub.seen) t.same(Object.keys(headers).filter(name => !['host', 'connection', 'authorization', 'x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'].includes(name)), [], 'the upstream sees nothing of the client')
})

await t.test('who comes again with the ETag gets 304 without a body, and the whole index once it has changed', async t => {
  const lab = await start(t)
  const bearer = `authorization: Bearer ${lab.token}`
  for (const [client, headers] of [['Renovate', [...RENOVATE, bearer]], ['a cache that does not ask for gzip', [bearer]]] as const) {
    const etag = String((await ask(lab, INDEX, headers)).headers['etag'])
    for (const sent of [etag, `W/${etag}`, `"other", ${etag}`]) {
      const again = await ask(lab, INDEX, [...headers, `if-none-match: ${sent}`])
      t.match(again, { status: 304, body: '', headers: { etag: [etag], 'cache-control': ['private, no-cache'], vary: ['accept-encoding'] } }, `${client} ${sent}`)
      t.equal(again.headers['content-length'], undefined)
    }
    const answer = lab.stub.answer
    lab.stub.answer = () => ({ body: indexOf('org1/changed') })
    t.equal(textOf(await ask(lab, INDEX, [...headers, `if-none-match: ${etag}`])), indexOf('org1/changed'), client)
    lab.stub.answer = answer
    t.equal((await ask(lab, INDEX, [...headers.filter(line => line !== bearer), `if-none-match: ${etag}`])).status, 401, 'an ETag is no credential')
  }
  // There is no Last-Modified, so a date says nothing.
  t.equal((await ask(lab, INDEX, [bearer, `If-Modified-Since: ${new Date(Date.now() + 60_000).toUTCString()}`])).status, 200)
})

await t.test('a part that is asked for is the whole, and HEAD says of an index what GET does', async t => {
  const lab = await start(t)
  const bearer = `Authorization: Bearer ${lab.token}`
  for (const target of [INDEX, CHART]) {
    for (const range of ['bytes=0-9', 'bytes=-1', 'bytes=5-', 'bytes=0-1,4-5', 'bytes=999999-']) {
      const part = await ask(lab, target, [bearer, `Range: ${range}`, 'If-Range: "x"'])
      t.match([part.status, part.headers['content-range'], textOf(part)], [200, undefined, target === INDEX ? indexOf('org1/repo1') : chartOf('org1/repo1', 'web-1.0.0.tgz')], `${target} ${range}`)
    }
  }
  for (const headers of [[bearer], [bearer, 'Accept-Encoding: gzip']]) {
    const [got, head] = [await ask(lab, INDEX, headers), await ask(lab, INDEX, headers, 'HEAD')]
    const comparable = ({ status, headers: { date, 'x-request-id': id, ...rest } }: RawResponse): unknown => ({ status, rest, dated: date?.length, id: id?.length })
    t.same(comparable(head), comparable(got))
    t.equal(head.body, '')
  }
  t.equal((await ask(lab, CHART, [bearer], 'HEAD')).status, 200, 'and not 404, as from ChartMuseum')
})

await t.test('many at once get each their own, and nobody else\'s', async t => {
  const lab = await start(t)
  const tenants = ['org1/repo1', 'org1/repo2', 'org2/repo1', 'org3/repo3']
  const tokens = await Promise.all(tenants.map(async tenant => await lab.gateway.token([grant(tenant, 'pull')])))
  // Each release of each helmfile and each Flux object: the index, then two charts at once; every third comes with another's token.
  const outcomes = await Promise.all(Array.from({ length: 60 }, async (_, i) => {
    const tenant = tenants[i % tenants.length] as string
    const isRight = i % 3 !== 0
    const token = tokens[(i + (isRight ? 0 : 1)) % tenants.length] as string
    const headers = [HELM, i % 2 === 0 ? basic('ci', token) : `Authorization: Bearer ${token}`]
    const files = ['web-1.0.0.tgz', `web-${i}.0.0.tgz`]
    const answers = await Promise.all([ask(lab, `/${tenant}/index.yaml`, headers), ...files.map(async file => await ask(lab, `/${tenant}/charts/${file}`, headers))])
    const expected = isRight ? [indexOf(tenant), ...files.map(file => chartOf(tenant, file))] : answers.map(() => i % 2 === 0 ? `{"error":"forbidden: pull on ${tenant} is not allowed"}` : '{"error":"unauthorized"}')
    return answers.every((answer, n) => textOf(answer) === expected[n]) ? 'its own' : answers.map(textOf).join()
  }))
  t.same([...new Set(outcomes)], ['its own'])
  const asked = lab.stub.seen.filter(({ target }) => !target.endsWith('index.yaml')).map(({ target }) => target)
  const right = Array.from({ length: 60 }, (_, i) => i).filter(i => i % 3 !== 0)
  t.same(new Set(asked), new Set(right.flatMap(i => ['web-1.0.0.tgz', `web-${i}.0.0.tgz`].map(file => `/${tenants[i % tenants.length] as string}/charts/${file}`))), 'the third that may not read has asked the upstream nothing')
  t.ok(asked.length <= 2 * right.length, 'who asks for the same at once may share it')
})
