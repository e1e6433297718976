// Every recorded exchange of Helm 3, Helm 4, cm-push and curl with ChartMuseum, sent
// again through the gateway: the upstream gives the recorded answer, and what the client
// gets is that answer, but for the rows of client-differences.ts. Where ChartMuseum
// refused, the gateway refuses, and the upstream hears nothing.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { ROOT } from '../helpers/processes.ts'
import { rawClient, type RawResponse } from '../helpers/raw.ts'
import { EMPTY_INDEX, startStubUpstream, type SeenRequest, type StubAnswer, type StubUpstream } from '../helpers/stub-upstream.ts'
import { differencesTable, HEAD_OF_FILE, isHeadOfFile, isRoute, VISIBLE, type Answer } from './client-differences.ts'
import { BY_NAME, bytesOf, EXCHANGES, filesOf, HOST, requestFor, SCENARIOS, type Exchange, type Own } from './client-recordings.ts'

const counts = new Map(VISIBLE.map(row => [row, 0]))

const headersOf = (lines: readonly string[]): [string, string][] => lines.map(line => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 2).replaceAll('{HOST}', HOST)])

/** The recorded answer, as a client got it. */
async function recordedAnswer ({ response }: Exchange): Promise<Answer> {
  const headers = Object.fromEntries(headersOf(response.headers).map(([name, value]) => [name.toLowerCase(), [value]]))
  return { status: response.status, headers, body: (await bytesOf(response)).toString('latin1') }
}

interface Outcome { readonly answer: Answer, /** what the upstream is asked */ readonly asked: readonly string[] }

async function expectedOutcome (exchange: Exchange): Promise<Outcome> {
  let answer = await recordedAnswer(exchange)
  let reachesUpstream = isRoute(exchange) && (exchange.response.madeUp === true || answer.status !== 401) && !(answer.status === 413 && exchange.response.madeUp === undefined)
  for (const row of VISIBLE) {
    const changed = row.here(answer, exchange)
    if (changed === undefined) continue
    counts.set(row, counts.get(row) as number + 1)
    if (exchange.response.status === 401 && changed.status === 200) reachesUpstream = true
    if (row.withoutUpstream === true) reachesUpstream = false
    answer = changed
  }
  return { answer, asked: reachesUpstream ? expectedRequests(exchange) : [] }
}

/** The requests of the gateway's own that an allowed request becomes. */
function expectedRequests ({ own, request, response }: Exchange): string[] {
  const [target = '', query] = request.target.slice((own.basePath ?? '').length).split('?')
  const place = own.contextPath ?? ''
  if (request.method === 'DELETE') return [`GET ${place}${target}`, `DELETE ${place}${target}`]
  if (request.method !== 'POST') return [`GET ${place}${target}`] // also of HEAD, whose headers are those of GET
  const names = (request.parts?.map(({ file }) => file) ?? [request.file as string]).map(file => file.replace(/^.*\//, ''))
  const files = names.map(file => `GET ${place}/org1/repo1/charts/${file}`)
  // Which version has the file: asked before an overwrite, beside a chart that is there and before a provenance file.
  const [, name, version] = /^(.+?)-(\d.*)\.tgz/.exec(names[0] as string) ?? []
  const look = `GET ${place}/api/org1/repo1/charts/${name}/${version}`
  const upload = `POST ${place}${target}${query === 'force' ? '?force' : ''}`
  if (query === 'force') return [look, ...(response.status === 201 ? [`${files[0]}.prov`] : []), upload]
  if (response.status === 409) return [...files, look]
  if (target.endsWith('/prov')) return [...files, look, `${files[0]}`.replace(/\.prov$/, ''), upload]
  return [...files, upload, ...(files.length > 1 ? [`POST ${place}/api/org1/repo1/prov`] : [])]
}

/** What the upstream answers: as recorded, and to the question what is there what fits that. */
async function upstreamAnswer (exchange: Exchange, seen: SeenRequest): Promise<StubAnswer> {
  const { request, response } = exchange
  const [, name, version] = /\/api\/org1\/repo1\/charts\/([^/]+)\/([^/]+)$/.exec(seen.target) ?? []
  const isThere = response.status === 409 || request.method === 'DELETE' || request.target.endsWith('?force')
  if (['POST', 'DELETE'].includes(request.method) && seen.method === 'GET') {
    if (!isThere || seen.target.endsWith('.prov')) return { status: 404, body: '{"error":"object not found"}' }
    return name === undefined ? {} : { body: JSON.stringify({ name, version, urls: [`charts/${name}-${version}.tgz`] }) }
  }
  if (response.status === 401 && response.madeUp === undefined) return { headers: { 'Content-Length': String(EMPTY_INDEX.length) }, body: EMPTY_INDEX }
  if (isHeadOfFile(exchange)) return { headers: { 'content-type': 'application/x-tar', 'content-length': String(HEAD_OF_FILE.length) }, body: HEAD_OF_FILE }
  const body = await bytesOf(response)
  const recorded = Object.fromEntries(headersOf(response.headers))
  const length = request.method === 'HEAD' || response.status === 304 || recorded['Transfer-Encoding'] !== undefined ? {} : { 'Content-Length': String(body.length) }
  return { status: response.status, headers: { ...recorded, 'X-Request-Id': 'the-upstreams-own', ...length }, body }
}

/**
 * The answer in the form of the recorded ones; what is left out is checked here.
 * @param mayClose whether the connection is kept depends on how much of the body has come
 */
function receivedAnswer ({ status, headers, body }: RawResponse, method: string, mayClose: boolean): Answer | string {
  const { 'x-request-id': id, date, 'content-length': length, ...rest } = headers
  if (!/^[0-9a-f-]{36}$/.test(id?.join() ?? '')) return `the request id is ${id?.join() ?? 'missing'}`
  if (date?.length !== 1) return 'there is no date'
  const ofBody = rest['transfer-encoding'] === undefined && status !== 304 ? [String(Buffer.byteLength(body, 'latin1'))] : undefined
  if (method !== 'HEAD' && length?.join() !== ofBody?.join()) return `the length is ${length?.join() ?? 'missing'} for ${ofBody?.join() ?? 'chunks'}`
  const etag = rest['etag']?.map(value => /^"[A-Za-z0-9_-]{22}"$/.test(value) ? '{ETAG}' : value)
  const kept = mayClose && rest['connection']?.join() === 'close' ? { connection: ['keep-alive'], 'keep-alive': ['timeout=75'] } : {}
  return {
    status,
    headers: { ...rest, ...kept, ...(etag === undefined ? {} : { etag }), ...(method === 'HEAD' && length !== undefined ? { 'content-length': length } : {}) },
    body: body.replace(/eyJ[\w-]+\.[\w-]+\.[\w-]+/g, '{TOKEN}').replace(/(?<="issued_at":")[^"]+/, '{DATE}')
  }
}

/** True when the upstream got the files that were uploaded, each in a request with its length, and the gateway's credential alone. */
async function sentOn ({ request }: Exchange, seen: readonly SeenRequest[]): Promise<boolean> {
  const uploads = seen.filter(({ method }) => method === 'POST')
  if (uploads.length === 0) return true
  const files = await filesOf(request)
  return uploads.length === files.length && uploads.every(({ body, headers }, i) => body.equals(files[i] as Buffer) && headers['content-length'] === String(body.length))
}

function startGateway (t: Parameters<typeof startApp>[0], stub: StubUpstream, { basePath = '', contextPath = '', maxUploadSize }: Own): Promise<TestGateway> {
  return startApp(t, {
    origin: stub.origin,
    config: config => ({
      ...config,
      publicUrl: config.publicUrl + basePath,
      basePath,
      charts: { ...config.charts, contextPath, ...(maxUploadSize === undefined ? {} : { maxUploadSize }) }
    })
  })
}

for (const setup of new Set(EXCHANGES.map(({ own }) => JSON.stringify(own)))) {
  await t.test(`what clients got from ChartMuseum they get from the gateway: ${setup === '{}' ? 'at the root' : setup}`, async t => {
    const stub = await startStubUpstream(t)
    const gateway = await startGateway(t, stub, JSON.parse(setup) as Own)
    const connection = rawClient(gateway.port)
    t.teardown(() => { connection.close() })
    for (const exchange of EXCHANGES.filter(({ own }) => JSON.stringify(own) === setup)) {
      const { id, request: { method, target } } = exchange
      stub.seen.length = 0
      stub.answer = async seen => await upstreamAnswer(exchange, seen)
      const expected = await expectedOutcome(exchange)
      const answer = receivedAnswer(await connection.ask(await requestFor(exchange, gateway)), method, (method === 'POST' || method === 'PUT') && expected.asked.length === 0)
      const asked = stub.seen.map(({ method, target }) => `${method} ${target}`)
      t.strictSame({ answer, asked }, expected, `${id}: ${method} ${target}`)
      t.ok(await sentOn(exchange, stub.seen), `${id}: the upload as it was`)
    }
    t.notMatch(gateway.logText(), /eyJ|the-upstreams-own|changed/, 'the log has no credential')
  })
}

await t.test('a right is what it is called: push alone neither overwrites nor deletes, as it did there', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startGateway(t, stub, {})
  const connection = rawClient(gateway.port)
  t.teardown(() => { connection.close() })
  const changes = EXCHANGES.filter(({ request }) => request.method === 'DELETE' || request.target.endsWith('?force'))
  for (const exchange of changes) {
    const { status, headers } = await connection.ask(await requestFor(exchange, gateway, BY_NAME))
    const action = exchange.request.method === 'DELETE' ? 'delete' : 'overwrite'
    t.match([status, headers['www-authenticate']?.[0]], [401, `:${action}",error="insufficient_scope"`], exchange.id)
  }
  t.equal(changes.length, 4)
  t.strictSame(stub.seen, [])
})

await t.test('docs/recordings.md has these differences, each seen in the recordings (UPDATE_DOCS=1 writes them)', async t => {
  for (const [{ recorded }, count] of counts) t.ok(count > 0, recorded)
  const file = join(ROOT, 'docs/recordings.md')
  const marks = /(?<=<!-- differences -->\n)[^]*(?=<!-- \/differences -->)/
  const page = await readFile(file, 'utf8')
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(file, page.replace(marks, differencesTable(row => counts.get(row) as number)))
  t.equal(marks.exec(await readFile(file, 'utf8'))?.[0], differencesTable(row => counts.get(row) as number))
  t.match(page, `${SCENARIOS} recorded scenarios`)
})
