// Class 39: a header, a form or a file of a few kilobytes that costs seconds, or the whole
// process. A quadratic expression (CVE-2024-45296 of path-to-regexp, CVE-2024-4068 of
// braces), a form of nothing but boundaries, YAML that is all levels. How each of
// them grows with its length is measured in test/properties/linear-input.test.ts.
import { connect } from 'node:net'
import t, { type Test } from 'tap'
import { request } from 'undici'
import { startApp } from '../helpers/app.ts'
import { cpuOf } from '../helpers/cpu.ts'
import { startGateway } from '../helpers/gateway.ts'
import { archiveOf, chartOf, chartYaml, formOf, provenanceOf } from '../helpers/packages.ts'
import { answersIn, askRaw, openRaw } from '../helpers/raw.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { EMPTY_INDEX, startStubUpstream } from '../helpers/stub-upstream.ts'
import { OPEN, startEmbedded } from '../repository/servers.ts'
import { testFolder } from '../helpers/folder.ts'
import { WORKER_COUNTS } from '../helpers/in-short.ts'

const INDEX = '/org1/repo1/index.yaml'
const CHARTS = '/api/org1/repo1/charts'
const MIB = 1024 * 1024
/** How many times what a harmless text of the same length costs; a slow one costs thousands. */
const MOST_TIMES = 25

const stub = await startStubUpstream(t)
stub.answer = ({ method, target }) => target.endsWith('index.yaml')
  ? { headers: { 'content-type': 'application/x-yaml' }, body: EMPTY_INDEX + '#'.repeat(2_000) }
  : method === 'GET' ? { status: 404, body: '{"error":"not found"}' } : { status: 201, body: '{"saved":true}' }
const gateway = await startApp(t, { origin: stub.origin })
const auth = `Host: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n`

async function statusOf (head: string): Promise<number> {
  return (await askRaw(gateway.port, `GET ${INDEX} HTTP/1.1\r\n${auth}${head}\r\n\r\n`)).status
}

await t.test('a weight of 15,000 digits costs what as many letters cost', async t => {
  const cost = async (value: string): Promise<number> => await cpuOf(async () => { t.equal(await statusOf(`Accept-Encoding: ${value}`), 200) })
  const base = Math.max(await cost('x'.repeat(15_000)), 1)
  for (const value of [`gzip;q=0.${'1'.repeat(15_000)}x`, `gzip;q=0.${'0'.repeat(15_000)}`, `gzip${' '.repeat(15_000)}x`, `gzip;q=${'.1'.repeat(7_500)}`]) {
    const times = await cost(value) / base
    t.ok(times < MOST_TIMES, `${value.slice(0, 12)}: ${times.toFixed(1)} times`)
  }
})

await t.test('a list of entity tags is read in one way at every door', async t => {
  const doors = ['/.well-known/jwks.json', INDEX]
  for (const path of doors) {
    const ask = async (ifNoneMatch?: string): Promise<{ statusCode: number, etag: string }> => {
      const { statusCode, headers, body } = await request(gateway.url + path, { headers: { authorization: `Bearer ${gateway.masterKey}`, ...(ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }) } })
      await body.dump()
      return { statusCode, etag: String(headers['etag']) }
    }
    const { etag } = await ask()
    const cases: [header: string, status: number][] = [
      [etag, 304], [`W/${etag}`, 304], ['*', 304], [`"b", ${etag}`, 304], [`"b,",W/"c",, ${etag} ,`, 304], [`"x,y",${etag}`, 304],
      ['', 200], ['"b"', 200], [etag.slice(1), 200], [etag.slice(0, -1), 200], [`w/${etag}`, 200],
      // What is no list names nothing, wherever it breaks off.
      [`"a,${etag}`, 200], [`*, ${etag}`, 200], [`${etag}, *`, 200], [`${etag}"`, 200], [`${etag} ${etag}`, 200], [`b, ${etag}`, 200], [`W/ ${etag}`, 200]
    ]
    for (const [header, status] of cases) t.equal((await ask(header)).statusCode, status, `${path}: ${header}`)
  }
})

/** Sends what there is of a body that says to be longer, and waits for the answer. */
async function answerTo (t: Test, contentType: string, body: Buffer): Promise<{ readonly status: number | undefined, readonly closes: boolean, readonly detail: string, readonly isClosed: boolean }> {
  const connection = await openRaw(t, gateway.port)
  connection.socket.write(`POST ${CHARTS} HTTP/1.1\r\n${auth}Content-Type: ${contentType}\r\nContent-Length: ${10 * MIB}\r\n\r\n`)
  connection.socket.write(body)
  const timer = setTimeout(() => { connection.socket.destroy() }, 5_000)
  await connection.received(/"error":"[^"]*"}/)
  await connection.closed
  clearTimeout(timer)
  const [answer] = connection.text() === '' ? [] : answersIn(connection.text())
  return { status: answer?.status, closes: answer?.headers['connection']?.[0] === 'close', detail: answer?.body ?? '', isClosed: connection.socket.destroyed }
}

await t.test('a form is answered at its first fault, without the rest of it', async t => {
  const head = (disposition: string): Buffer => Buffer.from(`--b\r\nContent-Disposition: form-data; ${disposition}\r\n\r\nx\r\n`)
  const cases: [what: string, body: Buffer, detail: RegExp][] = [
    ['nothing but boundaries', Buffer.from('--b\r\n'.repeat(80_000)), /more than 32 parts/],
    ['empty parts', Buffer.from('--b\r\n\r\n\r\n'.repeat(40_000)), /more than 32 parts/],
    ['a part that is neither', head('name="other"; filename="x"'), /a part named/],
    ['a field', head('name="chart"'), /not a file/],
    ['two of a name', Buffer.concat([head('name="chart"; filename="x"'), head('name="chart"; filename="x"')]), /two parts named chart/]
  ]
  for (const [what, body, detail] of cases) {
    // The boundary behind a part is its end.
    const answer = await answerTo(t, 'multipart/form-data; boundary=b', Buffer.concat([body, Buffer.from('--b\r\n')]))
    t.match(answer, { status: 400, closes: true, detail, isClosed: true }, what)
  }
  const good = formOf([{ field: 'chart', filename: 'x', body: await chartOf('a', '1.0.0') }, { field: 'prov', filename: 'x', body: provenanceOf('a', '1.0.0') }])
  const answer = await request(gateway.url + CHARTS, { method: 'POST', body: good.body, headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': good.contentType } })
  t.equal(answer.statusCode, 201)
  await answer.body.dump()
})

async function push (url: string, key: string, body: Buffer): Promise<number> {
  const answer = await request(url + CHARTS, { method: 'POST', body, headers: { authorization: `Bearer ${key}` } })
  await answer.body.dump()
  return answer.statusCode
}

/** Each level one column further right. */
function stairs (levels: number, step: string, tread: string): string {
  return Array.from({ length: levels }, (_, i) => step.repeat(i) + tread).join('\n')
}

const DEEP: readonly (readonly [string, string])[] = [
  ['keys that are mappings, below each other', stairs(400, '  ', '? : a')],
  ['keys that are keys', stairs(600, ' ', '? ')],
  ['lists in lists', stairs(600, ' ', '- ')],
  ['keys on one line', '? '.repeat(4_000)],
  ['brackets', '['.repeat(4_900)],
  ['brackets that were closed before', ']'.repeat(4_900) + '['.repeat(4_900)],
  ['brackets and keys', '[? '.repeat(3_000)]
]

await t.test('a Chart.yaml that is all levels costs what a flat one costs', async t => {
  const flat = Array.from({ length: 600 }, (_, i) => `key${i}: value`).join('\n')
  const archive = async (text: string): Promise<Buffer> => await archiveOf([{ name: 'a/Chart.yaml', body: `${chartYaml('a', '1.0.0')}x:\n${text.replace(/^/gm, ' ')}` }])
  const cost = async (text: string, status: number): Promise<number> => {
    const body = await archive(text)
    return await cpuOf(async () => { t.equal(await push(gateway.url, gateway.masterKey, body), status) })
  }
  const base = Math.max(await cost(flat, 201), 5)
  for (const [what, text] of DEEP) {
    const times = await cost(text, 400) / base
    t.ok(times < MOST_TIMES, `${what}: ${times.toFixed(1)} times`)
  }
})

for (const workers of WORKER_COUNTS) {
  await t.test(`no YAML of a chart ends the process, in front of the embedded repository (workers: ${workers})`, async t => {
    const key = newMasterKey()
    const program = await startGateway(t, { workers, masterKey: key })
    const port = Number(new URL(program.url).port)
    while (!(await fetch(`${program.adminUrl}/readyz`)).ok) await new Promise(resolve => setTimeout(resolve, 20))
    // Near the end of the stack V8 cannot compile an expression, and then it ends the process: each depth is another place.
    const depths = Array.from({ length: 45 }, (_, i) => Math.round(500 * 1.05 ** i))
    for (const file of ['Chart.yaml', 'values.yaml']) {
      for (const depth of [...depths, 20_000]) {
        const text = file === 'Chart.yaml' ? ']'.repeat(depth) + '['.repeat(depth) : `a: ${'['.repeat(depth)}`
        const body = await archiveOf([...(file === 'Chart.yaml' ? [] : [{ name: 'a/Chart.yaml', body: chartYaml('a', `1.0.${depth}`) }]), { name: `a/${file}`, body: text }])
        for (let i = 0; i < 2; i++) {
          const status = await push(program.url, key, body).catch((error: unknown) => String(error))
          if (status !== 400) t.fail(`${file}, ${depth} levels: ${status}`)
        }
      }
    }
    t.equal(await push(program.url, key, await chartOf('b', '1.0.0')), 201)
    await new Promise<void>((resolve, reject) => { connect(port, '127.0.0.1', resolve).once('error', reject).once('connect', function (this: ReturnType<typeof connect>) { this.destroy() }) })
    t.notMatch(program.stdout() + program.stderr(), /ended|FATAL/, 'and no worker had to be replaced')
  })
}

await t.test('a range of versions that none is costs no more than one that is', async t => {
  const { port } = await startEmbedded(t, testFolder(t), OPEN)
  const chart = await chartOf('a', '1.0.0')
  t.equal((await askRaw(port, Buffer.concat([Buffer.from(`POST ${CHARTS} HTTP/1.1\r\nHost: x\r\nContent-Length: ${chart.length}\r\n\r\n`), chart]))).status, 201)
  const cost = async (version: string): Promise<number> => await cpuOf(async () => { t.equal((await askRaw(port, `GET ${CHARTS}/a/${encodeURIComponent(version)} HTTP/1.1\r\nHost: x\r\n\r\n`)).status, 404) })
  const base = Math.max(await cost('9'.repeat(200)), 1)
  for (const version of [`${'1'.padEnd(30)}${' , 1'.repeat(7)}!`, `1${' '.repeat(250)}!`, `${'1   '.repeat(60)}!`, `${'1.x '.repeat(60)}!`, `${'=  '.repeat(80)}!`, `${'1-a.'.repeat(60)}!`, `${'|'.repeat(250)}!`]) {
    const times = await cost(version) / base
    t.ok(times < MOST_TIMES, `${version.slice(0, 12)}: ${times.toFixed(1)} times`)
  }
})
