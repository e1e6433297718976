// Is what was answered 201 there, whole, and nothing else? Uploads at once, changes
// behind its back, a process that is killed, a disk that is full, and a ChartMuseum on
// the same folder.
import { spawn, spawnSync } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { pathToFileURL } from 'node:url'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { pack } from 'tar-stream'
import { createCatalog } from '../../src/repository/catalog.ts'
import { openStore } from '../../src/repository/store.ts'
import { exchange, sameEverywhere } from './recordings.ts'
import { OPEN, findChartMuseum, startChartMuseum, startEmbedded } from './servers.ts'
import { testFolder } from '../helpers/folder.ts'
import { notTried } from '../helpers/not-tried.ts'
import { ROOT } from '../helpers/processes.ts'

/** A chart with so many bytes that no compression makes smaller. */
async function chart (name: string, version: string, bytes = 64, more = ''): Promise<Buffer> {
  const tar = pack()
  tar.entry({ name: `${name}/Chart.yaml` }, `apiVersion: v2\nname: ${name}\nversion: "${version}"\n${more}`)
  tar.entry({ name: `${name}/noise` }, randomBytes(bytes))
  tar.finalize()
  return gzipSync(await buffer(tar))
}

const UPLOAD = '/api/org1/repo1/charts'
const INDEX = '/org1/repo1/index.yaml'

async function push (port: number, body: Buffer, target = UPLOAD): Promise<number> {
  return (await exchange(port, 'POST', target, {}, body)).status
}

async function index (port: number, target = INDEX): Promise<string> {
  return (await exchange(port, 'GET', target)).body
}

/** Asks until the answer is right. */
async function until (what: () => Promise<boolean> | boolean): Promise<boolean> {
  for (let tries = 0; tries < 200; tries++) {
    if (await what()) return true
    await new Promise(resolve => setTimeout(resolve, 50))
  }
  return false
}

const files = (folder: string): string[] => existsSync(folder) ? readdirSync(folder).sort() : []
const drafts = (dir: string): string[] => files(join(dir, '.chartgate', 'tmp'))

void t.test('of many uploads of one version at once, one is let in', async t => {
  const dir = testFolder(t)
  const { port } = await startEmbedded(t, dir, OPEN)
  const bodies = await Promise.all(Array.from({ length: 10 }, async () => await chart('same', '1.0.0')))
  const statuses = await Promise.all(bodies.map(async body => await push(port, body)))
  t.strictSame(statuses.sort(), [201, ...Array<number>(9).fill(409)])
  t.ok(bodies.some(body => body.equals(readFileSync(join(dir, 'org1/repo1/same-1.0.0.tgz')))), 'and it is whole')
  t.strictSame(drafts(dir), [])
})

void t.test('two charts that share a file name do not mix', async t => {
  const { port } = await startEmbedded(t, testFolder(t), OPEN)
  t.equal(await push(port, await chart('foo', '1-1.0')), 201)
  t.equal(await push(port, await chart('foo-1', '1.0')), 409)
  t.equal((await exchange(port, 'GET', '/api/org1/repo1/charts/foo-1/1.0')).body, '{"error":"no chart name found"}')
  const refused = await exchange(port, 'DELETE', '/api/org1/repo1/charts/foo-1/1.0')
  t.strictSame([refused.status, refused.body], [404, '{"error":"foo-1-1.0.tgz holds foo 1-1.0: that is deleted with DELETE /api/org1/repo1/charts/foo/1-1.0"}'])
  t.equal((await exchange(port, 'DELETE', '/api/org1/repo1/charts/foo/1-1.0')).status, 200)
})

void t.test('a delete by a file name removes that file, unless another version has it for its own', async t => {
  const dir = testFolder(t)
  const { port } = await startEmbedded(t, dir, { ...OPEN, depth: 0, contextPath: '/ctx' })
  const charts = '/ctx/api/charts'
  for (const file of ['foo-1.0.0+b.tgz', 'foo-1.0.0+b (1).tgz', 'copy-1.tgz']) writeFileSync(join(dir, file), await chart('foo', '1.0.0+b'))
  writeFileSync(join(dir, 'broken-1.0.0.tgz'), 'x')
  const remove = async (path: string): Promise<unknown[]> => {
    const { status, body } = await exchange(port, 'DELETE', `${charts}/${path}`)
    return [status, body]
  }
  t.strictSame(await remove('foo/1.0.0%2Bb%20(1)'), [200, '{"deleted":true}'], 'what is no version speaks of its file')
  t.strictSame(await remove('broken/1.0.0'), [200, '{"deleted":true}'])
  t.strictSame(await remove('foo/1.0.0+b'), [200, '{"deleted":true}'], 'its own file first')
  t.strictSame(readdirSync(dir).filter(file => file.endsWith('.tgz')), ['copy-1.tgz'])
  t.strictSame(await remove('copy/1'), [404, `{"error":"copy-1.tgz holds foo 1.0.0+b: that is deleted with DELETE ${charts}/foo/1.0.0+b"}`])
  t.strictSame(await remove('foo/1.0.0+b'), [200, '{"deleted":true}'], 'and then the copy')
  t.strictSame(await remove('foo/1.0.0+b'), [404, '{"error":"object not found"}'])
  writeFileSync(join(dir, 'foo-1-x.tgz'), await chart('foo', '1-x'))
  t.strictSame(await remove('foo-1/x'), [404, `{"error":"foo-1-x.tgz holds foo 1-x: that is deleted with DELETE ${charts}/foo/1-x"}`])
})

void t.test('what happens behind its back is noticed', async t => {
  const dir = testFolder(t)
  const folder = join(dir, 'org1/repo1')
  const { port } = await startEmbedded(t, dir, OPEN)
  t.notMatch(await index(port), 'urls', 'nothing there yet')
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'a-1.0.0.tgz'), await chart('a', '1.0.0'))
  t.ok(await until(async () => (await index(port)).includes('a-1.0.0.tgz')), 'a chart in a new folder')
  writeFileSync(join(folder, 'b-1.0.0.tgz'), await chart('b', '1.0.0'))
  t.ok(await until(async () => (await index(port)).includes('b-1.0.0.tgz')), 'a second chart')
  writeFileSync(join(folder, 'a-1.0.0.tgz'), await chart('a', '1.0.0', 64, 'description: overwritten where it lies\n'))
  t.ok(await until(async () => (await index(port)).includes('overwritten')), 'one that is overwritten where it lies')
  writeFileSync(join(folder, 'b-1.0.0.tgz'), 'no chart')
  t.ok(await until(async () => !(await index(port)).includes('b-1.0.0.tgz')), 'one that is no chart any more')
  t.equal((await exchange(port, 'GET', '/org1/repo1/charts/b-1.0.0.tgz')).body, 'no chart', 'but can be downloaded, as from ChartMuseum')
  t.equal((await exchange(port, 'DELETE', '/api/org1/repo1/charts/b/1.0.0')).status, 200, 'and deleted')
  writeFileSync(join(folder, 'copy.tgz'), readFileSync(join(folder, 'a-1.0.0.tgz')))
  writeFileSync(join(folder, 'zcopy.tgz'), readFileSync(join(folder, 'a-1.0.0.tgz')))
  rmSync(join(folder, 'a-1.0.0.tgz'))
  t.ok(await until(async () => (await index(port)).includes('charts/copy.tgz')), 'one under another name')
  t.notMatch(await index(port), 'zcopy', 'but a version is listed once')
  renameSync(join(folder, 'zcopy.tgz'), join(folder, 'a-1.0.0.tgz'))
  t.ok(await until(async () => (await index(port)).includes('charts/a-1.0.0.tgz')), 'by preference under its own')
  rmSync(folder, { recursive: true })
  t.ok(await until(async () => (await index(port)).includes('entries: {}')), 'a folder that is gone')
  writeFileSync(join(dir, 'org1/repo1'), 'a file')
  t.match(await index(port), 'entries: {}', 'a file in its place')
})

void t.test('without a watcher every file is looked at now and then', async t => {
  const dir = testFolder(t, { org1: { 'a-1.0.0.tgz': await chart('a', '1.0.0') } })
  const events: object[] = []
  const catalog = createCatalog({ store: await openStore(dir), contextPath: '', log: event => { events.push(event) }, sweepEvery: 0, watchFolder: () => { throw Object.assign(new Error(), { code: 'EMFILE' }) } })
  t.match((await catalog.view('org1')).index().body.toString(), 'charts/a-1.0.0.tgz')
  writeFileSync(join(dir, 'org1/a-1.0.0.tgz'), await chart('a', '1.0.0', 64, 'description: overwritten\n'))
  t.ok(await until(async () => (await catalog.view('org1')).index().body.includes('overwritten')))
  t.match(events[0], { event: 'folder_not_watched', tenant: 'org1', code: 'EMFILE' })
  await catalog.close()
})

void t.test('a watcher that lost count has the folder listed again', async t => {
  const dir = testFolder(t, { org1: { 'a-1.0.0.tgz': await chart('a', '1.0.0') } })
  let tell: (name: string | null) => void = () => {}
  const catalog = createCatalog({ store: await openStore(dir), contextPath: '', log: () => {}, watchFolder: (_folder, changed) => { tell = changed; return { close () {} } } })
  const view = await catalog.view('org1')
  tell(null)
  tell('notes.txt')
  rmSync(join(dir, 'org1/a-1.0.0.tgz'))
  tell('a-1.0.0.tgz')
  t.match((await catalog.view('org1')).index().body.toString(), 'entries: {}')
  t.match(view.index().body.toString(), 'charts/a-1.0.0.tgz', 'an older view stays what it was')
  await catalog.close()
})

void t.test('created survives a restart, and so does everything else', async t => {
  const dir = testFolder(t)
  const first = await startEmbedded(t, dir, OPEN)
  for (const version of ['1.0.0', '1.1.0']) t.equal(await push(first.port, await chart('kept', version)), 201)
  writeFileSync(join(dir, 'org1/repo1/broken-1.0.0.tgz'), 'no chart')
  await until(async () => (await index(first.port)).includes('kept-1.1.0'))
  const before = await index(first.port)
  await first.stop()
  t.ok(existsSync(join(dir, '.chartgate/index/org1@repo1.json')), 'what was read is remembered')
  const entries = (text: string): string => text.replace(/generated: "\d{4}/, 'generated: "')
  const second = await startEmbedded(t, dir, OPEN)
  t.equal(entries(await index(second.port)), entries(before), 'a warm start')
  await second.stop()
  rmSync(join(dir, '.chartgate'), { recursive: true })
  const state = join(dir, 'org1/repo1/index-cache.yaml')
  writeFileSync(state, readFileSync(state, 'utf8').replaceAll(/created: "\d{4}/g, 'created: "2001'))
  const third = await startEmbedded(t, dir, OPEN)
  t.equal(entries(await index(third.port)), entries(before).replaceAll(/created: "\d{4}/g, 'created: "2001'), 'times that ChartMuseum remembers are kept')
  await third.stop()
  writeFileSync(join(dir, '.chartgate/index/org1@repo1.json'), '"chartgate index 3"\nrubbish\n')
  const fourth = await startEmbedded(t, dir, OPEN)
  t.match(await index(fourth.port), 'kept-1.1.0.tgz', 'a damaged memory costs only time')
  for (const version of ['1.0.0', '1.1.0']) t.equal((await exchange(fourth.port, 'DELETE', `${UPLOAD}/kept/${version}`)).status, 200)
  rmSync(join(dir, 'org1/repo1/broken-1.0.0.tgz'))
  t.ok(await until(async () => (await index(fourth.port)).includes('entries: {}')))
  t.ok(await until(() => !existsSync(state)), 'an empty tenant leaves no state')
})

void t.test('an index keeps its bytes over a restart and in each process, and says when the newest chart came', async t => {
  const dir = testFolder(t, { org1: { repo1: {}, empty: {} } })
  const first = await startEmbedded(t, dir, OPEN)
  for (const version of ['1.0.0', '1.1.0']) t.equal(await push(first.port, await chart('kept', version)), 201)
  for (const [i, version] of ['1.0.0', '1.1.0'].entries()) utimesSync(join(dir, `org1/repo1/kept-${version}.tgz`), 1_700_000_000, 1_700_000_000 + 60 * i)
  t.ok(await until(async () => (await index(first.port)).includes('generated: "2023-11-14T22:14:20Z"')))
  t.match(await index(first.port, '/org1/empty/index.yaml'), 'generated: "1970-01-01T00:00:00Z"')
  const etag = async (port: number, target = INDEX): Promise<string | null> => (await fetch(`http://127.0.0.1:${port}${target}`)).headers.get('etag')
  const before = await etag(first.port)
  t.equal(before, `"${createHash('sha256').update(await index(first.port)).digest('hex')}"`)
  const second = await startEmbedded(t, dir, OPEN)
  t.equal(await etag(second.port), before, 'another process')
  for (const { stop } of [first, second]) await stop()
  const third = await startEmbedded(t, dir, OPEN)
  t.equal(await etag(third.port), before, 'a warm start')
  await third.stop()
  rmSync(join(dir, '.chartgate'), { recursive: true })
  rmSync(join(dir, 'org1/repo1/index-cache.yaml'))
  const fourth = await startEmbedded(t, dir, OPEN)
  t.equal(await etag(fourth.port), before, 'a cold start')
})

void t.test('after kill -9 every chart that was answered 201 is there and whole, and nothing else', async t => {
  const built = pathToFileURL(join(ROOT, 'dist/src/repository/repository.js'))
  const dir = testFolder(t)
  const { NODE_OPTIONS: _, ...env } = process.env
  const script = `
    const { openRepository } = await import(${JSON.stringify(built.href)})
    const opened = await openRepository({ dir: process.argv[1], depth: 2, contextPath: '', maxUploadSize: () => 1e8 })
    opened.repository.server.listen(0, '127.0.0.1', () => { console.log(opened.repository.server.address().port) })`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, dir], { stdio: ['ignore', 'pipe', 'inherit'], env })
  t.teardown(() => child.kill('SIGKILL'))
  const ended = once(child, 'exit')
  const early = ended.then(([code]) => { throw new Error(`it ended with ${String(code)} before it listened`) })
  early.catch(() => {}) // later its end is what is wanted
  const [line] = await Promise.race([once(child.stdout, 'data'), early]) as [Buffer]
  const port = Number(line)
  const sent = new Map<string, Buffer>()
  for (let i = 0; i < 50; i++) sent.set(`many-1.0.${i}.tgz`, await chart('many', `1.0.${i}`, 200_000))
  const saved: string[] = []
  const uploads = [...sent].map(async ([file, body]) => {
    if (await push(port, body).catch(() => 0) !== 201) return
    saved.push(file)
    if (saved.length === 5) child.kill('SIGKILL')
  })
  await Promise.all(uploads)
  child.kill('SIGKILL') // also when so many were refused that none was the fifth
  await ended
  t.ok(saved.length >= 5 && saved.length < 50, `killed in the middle: ${saved.length} of 50 were answered`)

  const again = await startEmbedded(t, dir, OPEN)
  const listed = await index(again.port)
  for (const file of saved) {
    t.match(listed, `charts/${file}`)
    t.ok(sent.get(file)?.equals(readFileSync(join(dir, 'org1/repo1', file))), `${file} is whole`)
  }
  for (const file of files(join(dir, 'org1/repo1')).filter(name => name !== 'index-cache.yaml')) t.ok(sent.get(file)?.equals(readFileSync(join(dir, 'org1/repo1', file))), `${file} is whole, answered or not`)
  t.strictSame(drafts(dir), [], 'no temporary file stays')
  t.strictSame(files(dir), ['.chartgate', 'org1'])
})

void t.test('a full disk is 507, and nothing is lost', async t => {
  const dir = mkdtempSync(join(tmpdir(), 'chartgate-full-'))
  t.teardown(() => { rmSync(dir, { recursive: true, force: true }) })
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dir]).status !== 0) {
    await notTried(t, 'a full disk', 'a tmpfs cannot be mounted here')
    return
  }
  t.teardown(() => { spawnSync('umount', ['-l', dir]) })
  const { port, stop } = await startEmbedded(t, dir, OPEN)
  const sent = new Map<string, Buffer>()
  let full = { status: 0, body: '' }
  for (let i = 0; i < 20 && full.status === 0; i++) {
    const body = await chart('big', `1.0.${i}`, 150_000)
    const answer = await exchange(port, 'POST', UPLOAD, {}, body)
    if (answer.status === 201) sent.set(`big-1.0.${i}.tgz`, body)
    else full = answer
  }
  t.match(full, { status: 507, body: '{"error":"no space left for charts"}' })
  t.ok(sent.size > 2)
  const { contentType, body } = await exchange(port, 'POST', UPLOAD, { 'Content-Type': 'multipart/form-data; boundary=b' }, Buffer.concat([Buffer.from('--b\r\nContent-Disposition: form-data; name="chart"; filename="x"\r\n\r\n'), await chart('big', '2.0.0', 300_000), Buffer.from('\r\n--b--\r\n')]))
  t.strictSame([contentType, body], ['application/json; charset=utf-8', '{"error":"no space left for charts"}'])
  t.strictSame(drafts(dir), [])
  const listed = await index(port)
  for (const [file, bytes] of sent) {
    t.match(listed, `charts/${file}`)
    t.ok(bytes.equals(readFileSync(join(dir, 'org1/repo1', file))))
  }
  t.equal((await exchange(port, 'DELETE', `${UPLOAD}/big/1.0.0`)).status, 200)
  t.equal((await exchange(port, 'DELETE', `${UPLOAD}/big/1.0.1`)).status, 200)
  t.equal(await push(port, await chart('big', '3.0.0', 150_000)), 201, 'and there is room again')
  await stop()
})

const chartMuseum = findChartMuseum()
void t.test('a ChartMuseum on the same folder sees the same charts, and the other way round', { skip: chartMuseum === undefined ? 'no chartmuseum on PATH or in CHARTMUSEUM' : false }, async t => {
  const dir = testFolder(t)
  const entries = (text: string): string => text.replace(/generated: "\d{4}/, 'generated: "')
  const ours = await startEmbedded(t, dir, OPEN)
  t.equal(await push(ours.port, await chart('ours', '1.0.0', 64, 'appVersion: 1.10\nannotations:\n  changes: |\n    - one\n    - two\n')), 201)
  const before = await index(ours.port)
  await ours.stop()
  const theirs = await startChartMuseum(t, dir, OPEN)
  t.equal(entries(await index(theirs.port)), entries(before), 'byte for byte, from what we remembered for it')
  t.equal(await push(theirs.port, await chart('theirs', '1.0.0')), 201)
  await until(async () => (await index(theirs.port)).includes('theirs'))

  const both = await startEmbedded(t, dir, OPEN)
  t.equal(sameEverywhere(await index(both.port)), sameEverywhere(await index(theirs.port)), 'and what it added, while it runs')
  t.equal(await push(theirs.port, await chart('theirs', '2.0.0')), 201)
  t.ok(await until(async () => (await index(both.port)).includes('theirs-2.0.0.tgz')), 'noticed')
  t.equal(await push(theirs.port, await chart('theirs', '2.0.0', 64, 'description: forced\n'), `${UPLOAD}?force`), 201)
  t.ok(await until(async () => (await index(both.port)).includes('forced')), 'overwritten by it')
  t.equal((await exchange(theirs.port, 'DELETE', `${UPLOAD}/theirs/1.0.0`)).status, 200)
  t.ok(await until(async () => !(await index(both.port)).includes('theirs-1.0.0.tgz')), 'removed by it')
  await theirs.stop()
  const after = await index(both.port)
  await both.stop()
  const last = await startChartMuseum(t, dir, OPEN)
  t.equal(entries(await index(last.port)), entries(after), 'a new ChartMuseum agrees')
  rmSync(join(dir, 'org1/repo1/index-cache.yaml'), { force: true })
  await last.stop()
  const fresh = await startChartMuseum(t, dir, OPEN)
  t.equal(sameEverywhere(await index(fresh.port)), sameEverywhere(after), 'also from the files alone')
})
