// What the upload door takes, refuses and sends on, over real sockets.
import { createHash } from 'node:crypto'
import { readdir } from 'node:fs/promises'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import type { ToldChange } from '../../src/upstream/change.ts'
import { NO_PEERS, type Peers } from '../../src/upstream/peers.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { archiveOf, chartOf, chartYaml, formOf, provenanceOf } from '../helpers/packages.ts'
import { sendRaw } from '../helpers/raw.ts'
import { fillStub } from '../helpers/stub-repository.ts'
import { startStubUpstream, type SeenRequest, type StubUpstream } from '../helpers/stub-upstream.ts'

const NAME = 'mychart'
const VERSION = '1.2.3'

/** A repository that has the given files and saves everything else. */
function holding (stub: StubUpstream, ...files: string[]): void {
  const have = new Set(files)
  stub.answer = (seen: SeenRequest) => {
    if (seen.method === 'GET') return have.has(seen.target) ? { body: 'x'.repeat(100_000) } : { status: 404, body: '{"error":"object not found"}' }
    return { status: 201, body: '{"saved":true}' }
  }
}

async function post (gateway: TestGateway, path: string, body: Buffer | string, contentType = 'application/octet-stream'): Promise<{ status: number, body: unknown }> {
  const answer = await fetch(gateway.url + path, { method: 'POST', body, headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': contentType } })
  return { status: answer.status, body: JSON.parse(await answer.text()) as unknown }
}

const sha256 = (bytes: Buffer | string): string => createHash('sha256').update(bytes).digest('hex')

async function spooled (gateway: TestGateway): Promise<string[]> {
  return await readdir(join(gateway.config.stateDir, 'spool'))
}

const CHARTS = '/api/org1/repo1/charts'
const PROV = '/api/org1/repo1/prov'

await t.test('what is stored has no room of others while it is waited for until it is shown', async t => {
  const stub = await startStubUpstream(t)
  const room: number[] = []
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, index: { ...config.charts.index, maxAge: 60 } } }) })
  const chart = await chartOf(NAME, VERSION)
  let isStored = false
  stub.answer = ({ method, target }) => {
    isStored ||= method === 'POST'
    if (method === 'POST') return { status: 201, body: '{"saved":true}' }
    if (!isStored || target !== `${CHARTS}/${NAME}/${VERSION}`) return { status: 404, body: '{"error":"object not found"}' }
    room.push(gateway.spool.standing().used)
    return { body: JSON.stringify({ version: VERSION, digest: sha256(chart) }) }
  }
  t.match(await post(gateway, CHARTS, chart), { status: 201 })
  t.strictSame(room, [0])
})

await t.test('an accepted upload reaches the upstream as it is, with a length and nothing of the client', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf(NAME, VERSION)
  const prov = provenanceOf(NAME, VERSION)
  const chartForm = formOf([{ field: 'chart', filename: '/tmp/x/mychart.tgz', body: chart }])
  const provForm = formOf([{ field: 'prov', filename: 'x', body: prov }])
  const cases: [string, string, Buffer | string, string, string, Buffer][] = [
    ['raw chart', CHARTS, chart, 'application/x-www-form-urlencoded', CHARTS, chart],
    ['raw provenance', PROV, prov, 'text/plain', PROV, Buffer.from(prov)],
    ['multipart chart, as cm-push sends it', CHARTS, chartForm.body, chartForm.contentType, CHARTS, chart],
    ['multipart provenance alone', CHARTS, provForm.body, provForm.contentType, PROV, Buffer.from(prov)]
  ]
  for (const [name, path, body, contentType, target, sent] of cases) {
    stub.seen.length = 0
    t.same(await post(gateway, path, body, contentType), { status: 201, body: { saved: true } }, name)
    const seen = stub.seen.at(-1) as SeenRequest
    t.equal(seen.target, target, name)
    t.equal(Buffer.compare(seen.body, sent), 0, name)
    t.equal(seen.headers['content-length'], String(sent.length))
    t.notOk(seen.headers['transfer-encoding'])
    t.match(seen.headers.authorization, /^Bearer eyJ/)
  }
  t.same(await spooled(gateway), [])
  t.match(gateway.log.at(-1), { chart: NAME, version: VERSION, provenance: sha256(prov), status: 201, decision: 'allowed', by: 'master key' })
  t.match(gateway.log.find(line => line['bytes'] === chart.length), { chart: NAME, version: VERSION, digest: sha256(chart), status: 201, decision: 'allowed' })
})

await t.test('a chart and its provenance go as two requests of our own, the chart first', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf(NAME, VERSION)
  const prov = provenanceOf(NAME, VERSION)
  const form = formOf([{ field: 'prov', filename: '../../x', body: prov }, { field: 'chart', filename: 'evil', body: chart }])
  for (const query of ['', '?force']) {
    stub.seen.length = 0
    t.same(await post(gateway, CHARTS + query, form.body, form.contentType), { status: 201, body: { saved: true } })
    const sent = stub.seen.filter(({ method }) => method !== 'GET')
    t.same(sent.map(({ method, target }) => `${method} ${target}`), [`POST ${CHARTS}${query}`, `POST ${PROV}${query}`])
    for (const [i, file] of [chart, Buffer.from(prov)].entries()) {
      const { body, headers } = sent[i] as SeenRequest
      t.equal(Buffer.compare(body, file), 0)
      t.match(headers, { 'content-length': String(file.length), 'content-type': 'application/octet-stream' })
      t.notOk(headers['transfer-encoding'])
    }
  }
})

await t.test('a version that exists is a conflict, and only force overwrites', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf(NAME, VERSION)
  const form = formOf([{ field: 'chart', filename: 'x', body: chart }])
  holding(stub, '/org1/repo1/charts/mychart-1.2.3.tgz', '/org1/repo1/charts/mychart-1.2.3.tgz.prov')
  t.same(await post(gateway, CHARTS, chart), { status: 409, body: { error: 'file already exists' } })
  t.same(await post(gateway, PROV, provenanceOf(NAME, VERSION)), { status: 409, body: { error: 'file already exists' } })
  t.same(await post(gateway, CHARTS, form.body, form.contentType), { status: 409, body: { error: 'chart already exists' } })
  t.notOk(stub.seen.some(seen => seen.method === 'POST'), 'nothing was sent')
  t.same(await post(gateway, CHARTS + '?force', chart), { status: 201, body: { saved: true } })
  t.equal(stub.seen.at(-1)?.target, CHARTS + '?force')
})

await t.test('what is there already is told as well, before its client hears of it: whoever stored it may not have come to that', async t => {
  const stub = await startStubUpstream(t)
  const repository = fillStub(stub, 'org1/repo1', `${NAME}-${VERSION}.tgz`)
  const told: ToldChange[] = []
  let answered = 0
  const peers: Peers = {
    ...NO_PEERS,
    async changed (change) {
      const before = answered
      await sleep(20)
      t.equal(answered, before, 'nobody is answered meanwhile')
      told.push(change)
    }
  }
  const gateway = await startApp(t, { origin: stub.origin, peers })
  const chart = await chartOf(NAME, VERSION)
  const [same, pair, prov, other] = [
    formOf([{ field: 'chart', filename: 'x', body: chart }]),
    formOf([{ field: 'chart', filename: 'x', body: chart }, { field: 'prov', filename: 'x', body: provenanceOf(NAME, VERSION) }]),
    formOf([{ field: 'prov', filename: 'x', body: provenanceOf(NAME, VERSION) }]),
    formOf([{ field: 'chart', filename: 'x', body: await chartOf(NAME, VERSION, [{ name: `${NAME}/other`, body: 'x' }]) }])
  ]
  repository.files.set(`${NAME}-${VERSION}.tgz`, chart).set(`${NAME}-${VERSION}.tgz.prov`, provenanceOf(NAME, VERSION))
  const change = { tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: NAME, version: VERSION, became: sha256(chart), isNew: false }
  const cases: ReadonlyArray<readonly [string, { readonly body: Buffer, readonly contentType: string }, readonly object[]]> = [
    ['a chart', same, [change]],
    ['a chart as it is', { body: chart, contentType: 'application/octet-stream' }, [change]],
    ['a chart and its provenance', pair, [change]],
    ['a provenance alone, of which no index says anything', prov, []],
    ['another chart', other, []]
  ]
  for (const [what, { body, contentType }, changes] of cases) {
    t.match(await post(gateway, CHARTS, body, contentType), { status: 409 }, what)
    answered++
    t.equal(told.length, changes.length, what)
    t.match(told.splice(0), changes, what)
  }
  t.notOk(stub.seen.some(({ method }) => method === 'POST'))
  t.same(await spooled(gateway), [])
})

await t.test('what was not there is told as new, also with its provenance and with force, and what is stored over it is not', async t => {
  const stub = await startStubUpstream(t)
  const repository = fillStub(stub, 'org1/repo1', `${NAME}-${VERSION}.tgz`)
  const told: ToldChange[] = []
  const gateway = await startApp(t, { origin: stub.origin, peers: { ...NO_PEERS, async changed (change) { told.push(change) } } })
  const chart = await chartOf(NAME, VERSION)
  const [alone, signed, prov] = [
    formOf([{ field: 'chart', filename: 'x', body: chart }]),
    formOf([{ field: 'chart', filename: 'x', body: chart }, { field: 'prov', filename: 'x', body: provenanceOf(NAME, VERSION) }]),
    formOf([{ field: 'prov', filename: 'x', body: provenanceOf(NAME, VERSION) }])
  ]
  const became = sha256(chart)
  for (const [what, query, { body, contentType }, change] of [
    ['signed', '', signed, { became, isNew: true }],
    ['by force', '?force', alone, { became, isNew: true }],
    ['signed, by force', '?force', signed, { became, isNew: true }],
    ['over what is there', '?force', alone, { became, isNew: false }],
    ['a provenance beside it', '', prov, { became: undefined, isNew: false }]
  ] as const) {
    if (change.isNew) repository.files.clear()
    else repository.files.delete(`${NAME}-${VERSION}.tgz.prov`)
    t.match(await post(gateway, CHARTS + query, body, contentType), { status: 201 }, what)
    t.strictSame(told.splice(0).map(({ became, isNew }) => ({ became, isNew })), [change], what)
  }
})

await t.test('of two uploads of the same version at once one is saved', async t => {
  const stub = await startStubUpstream(t)
  const have = new Set<string>()
  stub.answer = async seen => {
    if (seen.method === 'GET') return { status: have.has(seen.target) ? 200 : 404, body: '{"error":"object not found"}' }
    await sleep(20)
    have.add('/org1/repo1/charts/mychart-1.2.3.tgz')
    return { status: 201, body: '{"saved":true}' }
  }
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf(NAME, VERSION)
  const answers = await Promise.all([post(gateway, CHARTS, chart), post(gateway, CHARTS, chart), post(gateway, CHARTS, chart)])
  t.same(answers.map(answer => answer.status).sort(), [201, 409, 409])
})

await t.test('what is no chart is refused with a sentence, and neither the upstream nor the disk keeps any of it', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf(NAME, VERSION)
  const prov = provenanceOf(NAME, VERSION)
  const part = (field: string, body: Buffer | string): { field: string, filename: string, body: Buffer | string } => ({ field, filename: 'x', body })
  const forms: [string, ReturnType<typeof formOf>, RegExp][] = [
    ['an unknown part', formOf([part('chart', chart), part('other', 'x')]), /a part named "other": send the chart as chart and its provenance as prov/],
    ['two charts', formOf([part('chart', chart), part('chart', chart)]), /two parts named chart/],
    ['a text field', formOf([{ field: 'chart', body: 'text' }]), /not a file/],
    ['no parts', formOf([]), /no package or provenance file/],
    ['an unfinished form', formOf([part('chart', chart)], { closed: false }), /not complete/],
    ['no boundary', { contentType: 'multipart/form-data', body: Buffer.from('x') }, /without a boundary/],
    ['provenance of another chart', formOf([part('chart', chart), part('prov', provenanceOf('other', VERSION))]), /another chart or version/],
    ['provenance of another version', formOf([part('chart', chart), part('prov', provenanceOf(NAME, '9.9.9'))]), /another chart or version/],
    ['a bad provenance', formOf([part('chart', chart), part('prov', 'x')]), /not a signed message/],
    ['a huge provenance', formOf([part('prov', prov + 'x'.repeat(1024 * 1024))]), /larger than 1 MiB/],
    ['a bad chart', formOf([part('chart', 'no chart at all'), part('prov', prov)]), /not a gzip archive/]
  ]
  for (const [name, { body, contentType }, expected] of forms) {
    const answer = await post(gateway, CHARTS, body, contentType)
    t.equal(answer.status, 400, name)
    t.match((answer.body as { error: string }).error, expected, name)
  }
  const raw: [string, string, Buffer | string, RegExp][] = [
    ['empty', CHARTS, '', /empty/],
    ['text', CHARTS, 'hello', /not a gzip archive/],
    ['a traversing name', CHARTS, await archiveOf([{ name: 'x/Chart.yaml', body: chartYaml('../../org2/x', '1.0.0') }]), /no valid name/],
    ['a text that is no provenance', PROV, 'hello', /not a signed message/]
  ]
  for (const [name, path, body, expected] of raw) {
    const answer = await post(gateway, path, body)
    t.equal(answer.status, 400, name)
    t.match((answer.body as { error: string }).error, expected, name)
  }
  const form = formOf([part('chart', chart)])
  t.match((await post(gateway, PROV, form.body, form.contentType)).body, { error: /not as a form/ })
  t.same(stub.seen, [])
  t.same(await spooled(gateway), [])
})

await t.test('a form may have texts and inputs without a file beside its chart', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = { field: 'chart', filename: 'x', body: await chartOf(NAME, VERSION) }
  const nobody = (field: string): { field: string, filename: string, body: string } => ({ field, filename: '', body: '' })
  const forms: [string, Parameters<typeof formOf>[0]][] = [
    ['a text', [{ field: 'force', body: 'true' }, chart, { field: 'submit', body: 'Upload' }]],
    ['an empty input', [nobody('prov'), chart, nobody('chart'), nobody('other')]],
    ['a file without a name', [{ ...chart, filename: '' }]]
  ]
  for (const [name, parts] of forms) {
    stub.seen.length = 0
    const form = formOf(parts)
    t.same(await post(gateway, CHARTS, form.body, form.contentType), { status: 201, body: { saved: true } }, name)
    t.same(stub.seen.filter(({ method }) => method === 'POST').map(({ body }) => Buffer.compare(body, chart.body)), [0], name)
  }
  const refused: [string, Parameters<typeof formOf>[0], RegExp][] = [
    ['two files, one without a name', [chart, { ...chart, filename: '' }], /two parts named chart/],
    ['a file of another name, without one', [chart, { field: 'other', filename: '', body: 'x' }], /a part named "other": send the chart as chart/],
    ['a long name', [{ ...chart, field: 'f'.repeat(100) }], /a part named "f{40}…"/],
    ['a chart as a text', [{ field: 'chart', body: 'x.tgz' }], /chart as a text that is not a file: .*curl -F chart=@FILE\.tgz/],
    ['nothing but an empty input', [nobody('chart')], /no package or provenance file found .*curl -F/],
    ['many parts', [chart, ...Array.from({ length: 40 }, () => ({ field: 'a', body: 'b' }))], /more than 32 parts/]
  ]
  for (const [name, parts, expected] of refused) {
    const form = formOf(parts)
    const answer = await post(gateway, CHARTS, form.body, form.contentType)
    t.equal(answer.status, 400, name)
    t.match((answer.body as { error: string }).error, expected, name)
  }
  t.same(await spooled(gateway), [])
})

await t.test('a provenance file agrees with its chart, and is stored only under the name that it is asked for by', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const chart = { field: 'chart', filename: 'x', body: await chartOf(NAME, VERSION) }
  const prov = (body: string): { field: string, filename: string, body: string } => ({ field: 'prov', filename: 'x', body })
  const plain = provenanceOf(NAME, VERSION)
  const cases: [string, string, RegExp | undefined, RegExp | undefined][] = [
    ['as it is', plain, undefined, undefined],
    ['with a subchart in it', provenanceOf(NAME, `${VERSION}\napiVersion: v2\nname: sub\nversion: 1.0.0`), undefined, undefined],
    ['in quotes', provenanceOf(`"${NAME}"`, `"${VERSION}" # x.y.z`), /would store the provenance file as "\\"mychart\\"-\\"1.2.3\\" # x.y.z.tgz.prov", which nobody asks for: write/, undefined],
    ['with CRLF', plain.replaceAll('\n', '\r\n'), /mychart\\r-1.2.3\\r.tgz.prov/, undefined],
    ['with a long comment', provenanceOf(NAME, `${VERSION} # ${'x'.repeat(300)}`), /x…", which/, undefined],
    ['of another', provenanceOf('"other"', VERSION), /another chart or version/, /another chart or version/]
  ]
  const inFront = await startApp(t, { origin: stub.origin })
  const embedded = await startApp(t, { origin: stub.origin, config: config => ({ ...config, upstream: { ...config.upstream, url: undefined } }) })
  for (const [name, text, museum, own] of cases) {
    for (const [gateway, expected] of [[inFront, museum], [embedded, own]] as const) {
      const form = formOf([chart, prov(text)])
      const answer = await post(gateway, CHARTS, form.body, form.contentType)
      t.equal(answer.status, expected === undefined ? 201 : 400, `${name} ${JSON.stringify(answer.body)}`)
      if (expected !== undefined) t.match((answer.body as { error: string }).error, expected, name)
    }
  }
  const alone = await post(inFront, PROV, provenanceOf(NAME, `${VERSION}\nname: sub`))
  t.match(alone, { status: 400, body: { error: /must name one chart and one version: send it with its chart/ } })
})

await t.test('what is sent instead of a chart is told apart, with the command that works', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf(NAME, VERSION)
  const tar = gunzipSync(chart)
  const urlencoded = 'application/x-www-form-urlencoded'
  const cases: [string, string, Buffer | string, string, RegExp][] = [
    ['a zip', CHARTS, Buffer.from('PK\x03\x04abc'), '', /a zip file: .*helm package/],
    ['a tar', CHARTS, tar, '', /tar archive that is not compressed: .*tar czf/],
    ['bzip2', CHARTS, 'BZh91AY', '', /bzip2/], ['xz', CHARTS, Buffer.from('\xfd7zXZ\0', 'latin1'), '', /xz/], ['zstd', CHARTS, Buffer.from('\x28\xb5\x2f\xfd', 'latin1'), '', /zstd/],
    ['a provenance file', CHARTS, provenanceOf(NAME, VERSION), '', /a provenance file: send it with its chart .*api\/TENANT\/prov/],
    ['a chart as a provenance file', PROV, chart, '', /a chart: send it to \/api\/TENANT\/charts/],
    ['what curl -d makes of a chart', CHARTS, Buffer.from(chart.filter(byte => byte !== 0 && byte !== 10 && byte !== 13)), urlencoded, /\(with curl: --data-binary @FILE, not -d\)$/],
    ['the name of a file', CHARTS, 'mychart.tgz', `${urlencoded}; charset=utf-8`, /not a gzip archive.*--data-binary/],
    ['another fault of what curl sent', CHARTS, await archiveOf([{ name: 'x/a' }]), urlencoded, /no Chart.yaml in its folder$/]
  ]
  for (const [name, path, body, contentType, expected] of cases) {
    const answer = await post(gateway, path, body, contentType === '' ? 'application/octet-stream' : contentType)
    t.equal(answer.status, 400, name)
    t.match((answer.body as { error: string }).error, expected, name)
  }
  t.same(stub.seen, [])
})

await t.test('a body over the limit is 413 in JSON, declared or chunked, and the connection closes', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, maxUploadSize: 500 } }) })
  const head = `POST ${CHARTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n`
  const declared = await sendRaw(gateway.port, `${head}Content-Length: 501\r\nExpect: 100-continue\r\n\r\n`)
  const chunked = await sendRaw(gateway.port, `${head}Transfer-Encoding: chunked\r\n\r\n${'1f4\r\n' + 'x'.repeat(500) + '\r\n'}1\r\nx\r\n`)
  for (const answer of [declared, chunked]) {
    t.equal(answer.status, 413)
    t.same(JSON.parse(answer.body), { error: 'request too large: at most 500 bytes' })
    t.same(answer.headers['connection'], ['close'])
  }
  t.same(stub.seen, [])
  t.same(await spooled(gateway), [])
})

await t.test('Expect: 100-continue is met only for who may upload', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf(NAME, VERSION)
  const head = `POST ${CHARTS} HTTP/1.1\r\nHost: x\r\nContent-Length: ${chart.length}\r\n`
  const refused = await sendRaw(gateway.port, `${head}Expect: 100-continue\r\n\r\n`)
  t.equal(refused.status, 401, 'no 100 before it')
  t.same(refused.headers['connection'], ['close'])
  const other = await sendRaw(gateway.port, `${head}Authorization: Bearer ${gateway.masterKey}\r\nExpect: miracles\r\n\r\n`)
  t.equal(other.status, 417)
  const allowed = await sendRaw(gateway.port, Buffer.concat([Buffer.from(`${head}Authorization: Bearer ${gateway.masterKey}\r\nExpect: 100-continue\r\nKeep-Alive: timeout=9\r\n\r\n`), chart]), { quiet: 300 })
  t.equal(allowed.status, 100)
  t.match(allowed.text, 'HTTP/1.1 201 Created')
})

await t.test('an upload that is broken off leaves nothing behind', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const gateway = await startApp(t, { origin: stub.origin })
  const socket = connect(gateway.port, '127.0.0.1')
  socket.on('error', () => {})
  socket.write(`POST ${CHARTS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(1000)}`)
  while ((await spooled(gateway)).length === 0) await sleep(5)
  socket.destroy()
  while ((await spooled(gateway)).length > 0 || !gateway.log.some(line => line['decision'] === 'aborted')) await sleep(5)
  t.same(stub.seen, [])
})

await t.test('uploads that find no room wait for another time', async t => {
  const stub = await startStubUpstream(t)
  holding(stub)
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, charts: { ...config.charts, spool: { maxBytes: 10 } } }) })
  const chart = await chartOf(NAME, VERSION)
  const answer = await fetch(gateway.url + CHARTS, { method: 'POST', body: chart, headers: { authorization: `Bearer ${gateway.masterKey}` } })
  t.equal(answer.status, 503)
  t.equal(answer.headers.get('retry-after'), '5')
  const form = formOf([{ field: 'chart', filename: 'x', body: chart }])
  t.equal((await post(gateway, CHARTS, form.body, form.contentType)).status, 503)
})

await t.test('what the upstream says to an upload comes out in our form', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const chart = await chartOf(NAME, VERSION)
  const cases: [number, string, number, string][] = [
    [409, '{"error":"file already exists"}', 409, 'file already exists'],
    [507, '{"error":"repo has reached storage limit"}', 507, 'repo has reached storage limit'],
    [507, '', 507, 'the repository has no room left'],
    [400, '{"error":"bad chart"}', 400, 'bad chart'],
    [500, '', 502, 'the chart repository gave an answer that makes no sense'],
    [200, '{"saved":true}', 502, 'the chart repository gave an answer that makes no sense']
  ]
  for (const [status, body, expected, error] of cases) {
    stub.answer = seen => seen.method === 'GET' ? { status: 404, body: '{"error":"object not found"}' } : { status, body }
    t.same(await post(gateway, CHARTS, chart), { status: expected, body: { error } })
  }
  stub.answer = () => ({ status: 500 })
  t.equal((await post(gateway, CHARTS, chart)).status, 502, 'nobody knows whether it exists')
  stub.server.close()
  stub.server.closeAllConnections()
  t.same(await post(gateway, CHARTS, chart), { status: 502, body: { error: 'the chart repository cannot be reached' } })
})
