// What is refused, and in which words? Archives that are none, requests at the edges,
// tokens that do not count, and a disk that says no.
import { mkdirSync, readdirSync, utimesSync, writeFileSync } from 'node:fs'
import { createHash, createHmac, generateKeyPairSync } from 'node:crypto'
import { connect } from 'node:net'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { pack, type Header } from 'tar-stream'
import { failure } from '../../src/repository/answer.ts'
import { createAuthoriser } from '../../src/repository/authorise.ts'
import { createCatalog } from '../../src/repository/catalog.ts'
import { makeEntry, timeText } from '../../src/repository/entries.ts'
import { readFormParts } from '../../src/repository/parts.ts'
import { compareKeys, entryYaml } from '../../src/repository/index-yaml.ts'
import { createMemory } from '../../src/repository/memory.ts'
import { provenanceFileName, readPackage } from '../../src/repository/package.ts'
import { openRepository } from '../../src/repository/repository.ts'
import { route } from '../../src/repository/routing.ts'
import { isFull, isMissing, openStore } from '../../src/repository/store.ts'
import { readPlainTar } from '../../src/repository/tar.ts'
import { parseVersion } from '../../src/repository/versions.ts'
import { createUploads } from '../../src/repository/uploads.ts'
import { KEYS, REALM, SERVICE, exchange, mint } from './recordings.ts'
import { OPEN, startEmbedded } from './servers.ts'
import { testFolder } from '../helpers/folder.ts'

type Entry = readonly [header: string | (Partial<Header> & { name: string }), data?: string | Buffer]
const META = 'apiVersion: v2\nname: a\nversion: 1.0.0\n'

async function tgz (...entries: readonly Entry[]): Promise<Buffer> {
  const tar = pack()
  for (const [header, data = ''] of entries) tar.entry(typeof header === 'string' ? { name: header } : header, data)
  tar.finalize()
  return gzipSync(await buffer(tar))
}

const long = 'a/' + 'x'.repeat(120)

void t.test('an archive is refused in the words of Helm and Go', async t => {
  const good = await tgz(['a/Chart.yaml', META])
  const bigFile = Buffer.alloc(5 * 1024 * 1024 + 1)
  const cases: readonly (readonly [Buffer, string])[] = [
    [Buffer.alloc(0), 'EOF'],
    [Buffer.from('hello'), 'unexpected EOF'],
    [Buffer.from('hello, this is text'), 'gzip: invalid header'],
    [good.subarray(0, 60), 'unexpected EOF'],
    [Buffer.concat([good.subarray(0, 10), Buffer.from([0xff, 0xff, 0xff]), good.subarray(13)]), 'flate: corrupt input'],
    [gzipSync(Buffer.alloc(2048, 'x')), 'archive/tar: invalid tar header'],
    [gzipSync('x'), 'unexpected EOF'],
    [await tgz(['a/values.yaml', 'x: 1']), 'Chart.yaml file is missing'],
    [await tgz(['a/Chart.yaml', 'a: [']), 'cannot load Chart.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content'],
    [await tgz(['a/Chart.yaml', META], ['a/requirements.yaml', ': [']), 'cannot load requirements.yaml: error converting YAML to JSON: yaml: did not find expected key'],
    [await tgz(['Chart.yaml', META]), 'chart illegally contains content outside the base directory: "Chart.yaml"'],
    [await tgz(['Chart.yaml/x', META]), 'chart yaml not in base directory'],
    [await tgz(['a//etc/passwd', META]), 'chart illegally contains absolute paths'],
    [await tgz(['a/../../x', META]), 'chart illegally references parent directory'],
    [await tgz(['a/c:/x', META]), 'chart contains illegally named files'],
    [await tgz(['a/Chart.yaml', META], ['a/big', bigFile]), `decompressed chart file "a/big" is larger than the maximum file size ${5 * 1024 * 1024}`],
    [await tgz(['a/Chart.yaml', META], ...Array.from({ length: 21 }, (_, i): Entry => [`a/${i}`, bigFile.subarray(1)])), `decompressed chart is larger than the maximum file size ${100 * 1024 * 1024}`]
  ]
  const path = join(testFolder(t), 'x.tgz')
  for (const [bytes, message] of cases) {
    writeFileSync(path, bytes)
    t.strictSame(await readPackage(path), { ok: false, message }, message)
  }
  await t.rejects(readPackage(join(path, 'nothing')), { code: 'ENOTDIR' })
})

void t.test('whatever Helm packages is read, the quick way or the long one', async t => {
  const path = join(testFolder(t), 'x.tgz')
  const charts: readonly Buffer[] = [
    await tgz([{ name: 'a/', type: 'directory' }], ['a/Chart.yaml', '\ufeff' + META], ['a/values.yaml', 'x: 1']),
    await tgz(['a\\Chart.yaml', META], ['a\\values.yaml', 'x: 1']),
    await tgz([{ name: 'a', type: 'directory' }], [long, 'x'], ['a/./Chart.yaml', META], ['a/x/../values.yaml', 'x: 1']),
    await tgz(['a/Chart.yaml', META], [`a/${'d'.repeat(80)}/${'f'.repeat(60)}`, 'x'], ['a/values.yaml', 'x: 1']),
    await tgz([{ name: 'a/link', type: 'symlink', linkname: 'x' }], ['a/Chart.yaml', META], ['a/values.yaml', 'x: 1']),
    await tgz(['a/Chart.yaml', META], ['a/noise', Buffer.from(Array.from({ length: 400_000 }, () => Math.floor(Math.random() * 256)))], ['a/values.yaml', 'x: 1']),
    await tgz(['a/Chart.yaml', 'name: a\nversion: 1.0.0\n'], ['a/requirements.yaml', 'dependencies:\n- name: b\n'], ['a/values.yaml', 'x: 1'])
  ]
  for (const bytes of charts) {
    writeFileSync(path, bytes)
    const read = await readPackage(path, 'values')
    t.match(read, { ok: true, chart: { metadata: { name: 'a', version: '1.0.0' }, files: [{ name: 'values.yaml' }] } })
  }
  const plain = Buffer.from(await buffer((() => { const tar = pack(); tar.entry({ name: 'a/Chart.yaml' }, META); tar.finalize(); return tar })()))
  const changed = (change: (tar: Buffer) => void): Buffer => { const copy = Buffer.from(plain); change(copy); return copy }
  t.equal(readPlainTar(plain)?.length, 1)
  t.equal(readPlainTar(changed(tar => { tar[0] = 0x62 })), undefined, 'a wrong checksum')
  const sealed = (change: (tar: Buffer) => void): Buffer => changed(tar => {
    change(tar)
    tar.fill(' ', 148, 156)
    tar.write(tar.subarray(0, 512).reduce((sum, byte) => sum + byte, 0).toString(8).padStart(6, '0') + '\0 ', 148, 'latin1')
  })
  t.equal(readPlainTar(sealed(() => {}))?.length, 1)
  t.equal(readPlainTar(sealed(tar => { tar.write('77777777777', 124) })), undefined, 'more bytes than there are')
  t.equal(readPlainTar(sealed(tar => { tar[156] = 0x35 })), undefined, 'a folder with bytes')
  t.equal(readPlainTar(sealed(tar => { tar.write('folder/\0', 0) })), undefined, 'a file that is called like a folder')
  t.equal(readPlainTar(sealed(tar => { tar[156] = 0; tar.fill(0, 257, 345) }))?.length, 1, 'the oldest form')
  t.equal(readPlainTar(sealed(tar => { tar.fill('n', 0, 100) }))?.[0]?.name.length, 100, 'a name that fills its place')
  t.equal(readPlainTar(plain.subarray(0, 600)), undefined, 'an end that comes too soon')
  t.equal(readPlainTar(plain.subarray(0, 1024)), undefined, 'no end')
  t.equal(readPlainTar(changed(tar => { tar[124] = 0x80 })), undefined, 'a size in another form')
  t.equal(provenanceFileName('-----BEGIN PGP SIGNED MESSAGE-----\n\nname: "a"\r\nversion: 1.0.0\r\n'), 'a-1.0.0.tgz.prov')
  t.equal(provenanceFileName('-----BEGIN PGP SIGNED MESSAGE-----\n\nname: a\n'), undefined)
  t.equal(provenanceFileName("-----BEGIN PGP SIGNED MESSAGE-----\n\nname: 'a'\nversion: \"1.0.0\" # a comment\n"), 'a-1.0.0.tgz.prov')
  t.equal(provenanceFileName('-----BEGIN PGP SIGNED MESSAGE-----\n\nname: a # b\nversion:  1.0.0  #\n'), 'a-1.0.0.tgz.prov')
})

void t.test('a target that is no route is 404, whatever it looks like', async t => {
  const cases: readonly (readonly [string, string, 0 | 1 | 2 | 'dynamic', string])[] = [
    ['GET', '/a/%ff/index.yaml', 2, 'not found'], ['GET', '/a%2Fb/c/index.yaml', 2, 'not found'], ['GET', '/a/%00/index.yaml', 2, 'not found'],
    ['GET', '/:repo/index.yaml', 0, 'not found'], ['GET', '/.chartgate/index.yaml', 1, 'not found'], ['GET', '/a', 2, 'not found'],
    ['GET', '/api', 0, 'not found'], ['GET', '/org1/x/y', 'dynamic', 'not found'], ['GET', '/a/charts/', 'dynamic', 'not found'], ['POST', '/', 2, 'not found'],
    ['GET', '/%z', 2, 'bad request']
  ]
  for (const [method, target, depth, expected] of cases) t.equal(route(method, target, depth, ''), expected, `${method} ${target} at depth ${depth}`)
  const found: readonly (readonly [string, 0 | 1 | 2 | 'dynamic', string, string, object])[] = [
    ['GET /info', 'dynamic', 'welcome', 'info', {}], ['GET /info/', 'dynamic', 'welcome', 'info', {}], ['GET /info', 0, 'info', '', {}], ['GET /a/', 1, 'welcome', 'a', {}],
    ['GET /api/a/charts/charts', 'dynamic', 'list', 'a/charts', {}], ['GET /api/index.yaml', 1, 'index', 'api', {}],
    ['GET /api/a/b/charts/c/1.0.0/values', 'dynamic', 'values', 'a/b', { name: 'c', version: '1.0.0' }], ['GET /charts/a-1.tgz', 'dynamic', 'object', '', { file: 'a-1.tgz' }]
  ]
  for (const [line, depth, handler, tenant, rest] of found) t.match(route(...line.split(' ') as [string, string], depth, ''), { handler, tenant, ...rest }, line)
})

void t.test('a token counts only when it is one of RS256 with an end and a list of rights', async t => {
  const now = 1_800_000_000
  const authorise = createAuthoriser({ publicKey: KEYS.publicKey, realm: REALM, service: SERVICE, now: () => now })
  const times = { exp: now + 60, iat: now - 10, nbf: now - 10 }
  const token = (claims: object): string => `Bearer ${mint(['pull'], { ...times, ...claims })}`
  const good = token({})
  t.strictSame(authorise(good, 'org1/repo1', 'pull'), { ok: true })
  t.strictSame(authorise(good.replace('Bearer', 'bearer'), 'org1/repo1', 'pull'), { ok: true }, 'remembered, and in lower case')
  t.strictSame(authorise(good, '', 'pull'), { ok: true }, 'the root is called repo')
  t.strictSame(authorise(good, 'org1/other', 'pull'), { ok: false, challenge: `Bearer realm="${REALM}",service="${SERVICE}",scope="artifact-repository:org1/other:pull"` })
  const entry = { type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }
  const refused: readonly (readonly [string, string | undefined])[] = [
    ['no header', undefined], ['no scheme', good.slice(7)], ['another scheme', good.replace('Bearer', 'Token')], ['expired', token({ exp: now })], ['no end', token({ exp: undefined })],
    ['from the future', token({ iat: now + 5 })], ['not yet', token({ nbf: now + 5 })], ['no rights', token({ access: undefined })], ['rights that are no list', token({ access: entry })],
    ['text for rights', token({ access: [{ ...entry, actions: 'pull' }] })], ['another type', token({ access: [{ ...entry, type: 'repository' }] })], ['nothing in the list', token({ access: [null] })],
    ['text for a time', token({ exp: 'tomorrow' })], ['too long', `Bearer ${'a'.repeat(17_000)}`], ['two parts', 'Bearer a.b'], ['four parts', `${good}.x`], ['rubbish', 'Bearer a.b.c'], ['a number', 'Bearer MQ.MQ.MQ']
  ]
  for (const [what, header] of refused) t.notOk(authorise(header, 'org1/repo1', 'pull').ok, what)
  t.notOk(authorise(good, 'org1/repo1', 'push').ok, 'pull is not push')
  const [head, body] = good.slice(7).split('.') as [string, string]
  const none = Buffer.from('{"alg":"none"}').toString('base64url')
  const hs256 = `${Buffer.from('{"alg":"HS256"}').toString('base64url')}.${body}`
  t.notOk(authorise(`Bearer ${none}.${body}.x`, 'org1/repo1', 'pull').ok, 'none')
  t.notOk(authorise(`Bearer ${hs256}.${createHmac('sha256', KEYS.publicKey.export({ type: 'spki', format: 'pem' })).update(hs256).digest('base64url')}`, 'org1/repo1', 'pull').ok, 'the public key as a secret')
  t.notOk(createAuthoriser({ publicKey: generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey, realm: '', service: '', now: () => now })(good, 'org1/repo1', 'pull').ok, 'another key')
  t.ok(head)
  for (let i = 0; i < 1_001; i++) authorise(token({ jti: i }), 'org1/repo1', 'pull')
  t.ok(authorise(good, 'org1/repo1', 'pull').ok, 'one that was forgotten counts again')
})

void t.test('requests at the edges', async t => {
  const dir = testFolder(t)
  const { port } = await startEmbedded(t, dir, { ...OPEN, maxUploadSize: 100_000 })
  const post = async (body: Buffer, target = '/api/a/b/charts', headers: Record<string, string> = {}): Promise<string> => {
    const { status, body: text } = await exchange(port, 'POST', target, headers, body)
    return `${status} ${text}`
  }
  const get = async (target: string): Promise<string> => {
    const { status, body } = await exchange(port, 'GET', target)
    return `${status} ${body}`
  }
  const provenance = (name: string): Buffer => Buffer.from(`-----BEGIN PGP SIGNED MESSAGE-----\n\nname: ${name}\nversion: 1.0.0\n`)
  const form = (...parts: readonly (readonly [string, Buffer])[]): Buffer => Buffer.concat([...parts.flatMap(([name, data]) => [Buffer.from(`--b\r\nContent-Disposition: form-data; name="${name}"; filename="x"\r\n\r\n`), data, Buffer.from('\r\n')]), Buffer.from('--b--\r\n')])
  const multipart = { 'Content-Type': 'multipart/form-data; boundary=b' }

  t.equal(await post(await tgz(['a/Chart.yaml', META])), '201 {"saved":true}')
  t.equal(await get('/api/a/b/charts/a/1.0.0/values'), '404 {"error":"values.yaml not found"}')
  t.equal(await get('/api/a/b/charts/a/1.0.0/templates'), '200 {"templates":null,"values":null}')
  t.equal(await post(await tgz(['a/Chart.yaml', META], ['a/values.yaml', ''], ['a/templates/b.yaml', 'x']), '/api/a/b/charts?force'), '201 {"saved":true}')
  t.equal(await get('/api/a/b/charts/a/1.0.0/templates'), '200 {"templates":[{"name":"templates/b.yaml","data":"eA=="}],"values":{}}')
  t.equal(await post(await tgz(['a/Chart.yaml', META], ['a/values.yaml', 'a: ['])), '400 {"error":"cannot load values.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content"}')
  t.match(await post(await tgz(['a/Chart.yaml', META], ['a/values.yaml', '- a'])), /400 .*cannot load values.yaml: error unmarshaling JSON/)
  t.match(await post(await tgz(['a/Chart.yaml', META.replace('name: a', `name: ${'n'.repeat(300)}`)])), /400 .*is improperly formatted/)
  t.match(await post(provenance('../a'), '/api/a/b/prov'), /400 .*is improperly formatted/)
  t.equal(await post(form(['chart', await tgz(['a/Chart.yaml', META])], ['prov', provenance('a')]), '/api/a/c/charts', multipart), '201 {"saved":true}')
  t.equal(await post(form(['chart', await tgz(['a/Chart.yaml', META.replace('1.0.0', '2.0.0')])], ['prov', provenance('a')]), '/api/a/c/charts', multipart), '409 {"error":"chart already exists"}')
  t.strictSame(readdirSync(join(dir, 'a/c')).filter(name => name.startsWith('a-')), ['a-1.0.0.tgz', 'a-1.0.0.tgz.prov'], 'none of two when one is taken')
  t.equal(await post(form(['chart', Buffer.alloc(50)]).subarray(0, 80), '/api/a/b/charts', multipart), '400 {"error":"no package or provenance file found in form fields chart and prov"}', 'a form that ends early')
  t.equal(await post(form(['prov', provenance('z')], ['chart', await tgz(['z/Chart.yaml', META.replace('name: a', 'name: z')])]), '/api/a/c/charts', multipart), '201 {"saved":true}')
  mkdirSync(join(dir, 'd/d'), { recursive: true })
  writeFileSync(join(dir, 'd/d/a-1.0.0.tgz'), await tgz(['a/Chart.yaml', META], ['a/values.yaml', 'a: [']))
  t.equal(await get('/api/d/d/charts/a/1.0.0/templates'), '404 {"error":"no chart name found"}', 'a chart that is none is in no index')
  t.equal((await exchange(port, 'DELETE', '/api/d/d/charts/a/1.0.0')).status, 200, 'and is deleted by its file name')
  t.equal(await post(form(['chart', await tgz(['a/Chart.yaml', META])], ['prov', Buffer.alloc(500)]).subarray(0, -30), '/api/a/b/charts', multipart), '400 {"error":"no package or provenance file found in form fields chart and prov"}', 'a form that ends in its second part')
  t.equal((await exchange(port, 'POST', '/nope', { 'Transfer-Encoding': 'chunked' }, Buffer.alloc(100_000))).status, 404)
  t.equal((await exchange(port, 'POST', '/nope', {}, Buffer.alloc(6 * 1024 * 1024))).status, 404)
  t.equal(await get('/a/b/charts/..tgz'), '404 {"error":"object not found"}')
  t.equal(await get(`/a/b/charts/${'x'.repeat(300)}.tgz`), '404 {"error":"object not found"}')
  mkdirSync(join(dir, 'a/b/folder-1.0.0.tgz'))
  writeFileSync(join(dir, 'a/b/empty-1.0.0.tgz'), '')
  t.equal(await get('/a/b/charts/folder-1.0.0.tgz'), '404 {"error":"object not found"}', 'a folder is no chart')
  t.equal(await get('/a/b/charts/empty-1.0.0.tgz'), '200 ')
  t.equal(await get('/api/a/b/charts/a/99999999999999999999'), '404 {"error":"constraint parser error"}')
  t.equal(await get('/api/a/b/charts?offset=1'), '200 {}')
  t.equal(await get('/api/a/b/charts?limit=5&offset=%2B0').then(text => text.slice(0, 9)), '200 {"a":')
  t.equal((await exchange(port, 'DELETE', '/api/a/b/charts/x%2Fy/1.0.0')).status, 404)
  t.equal((await exchange(port, 'DELETE', `/api/a/b/charts/${'x'.repeat(300)}/1.0.0`)).status, 404)
  writeFileSync(join(dir, 'a/b/a-1.0.0.tgz'), 'broken now')
  t.match(await get('/api/a/b/charts/a/1.0.0/values'), /^(?:500|404) /)
  const echoed = await fetch(`http://127.0.0.1:${port}/health`, { headers: { 'x-request-id': 'mine' } })
  t.equal(echoed.headers.get('x-request-id'), 'mine')
  const replaced = await fetch(`http://127.0.0.1:${port}/health`, { headers: { 'x-request-id': 'x'.repeat(200) } })
  t.match(replaced.headers.get('x-request-id'), /^[0-9a-f-]{36}$/)
  t.equal((await exchange(port, 'POST', '/api/a/b/charts', { 'Transfer-Encoding': 'chunked' }, Buffer.alloc(6 * 1024 * 1024))).status, 413)

  // A client that goes away in the middle of a body leaves nothing.
  await new Promise<void>(resolve => {
    const socket = connect(port, '127.0.0.1', () => { socket.write('POST /api/a/b/charts HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nabc', () => { setTimeout(() => { socket.destroy(); resolve() }, 50) }) })
  })
  await new Promise(resolve => setTimeout(resolve, 100))
  t.strictSame(readdirSync(join(dir, '.chartgate/tmp')), [])
})

void t.test('when another process is quicker with one of two files, the other one is withdrawn', async t => {
  const dir = testFolder(t, { a: { 'a-1.0.0.tgz.prov': 'theirs' } })
  const store = await openStore(dir)
  const catalog = createCatalog({ store, contextPath: '', log: () => {} })
  const uploads = createUploads({ catalog, store: { ...store, exists: async () => false }, allowOverwrite: false, contextPath: '', log: () => {} })
  const body = Buffer.concat([Buffer.from('--b\r\nContent-Disposition: form-data; name="chart"; filename="x"\r\n\r\n'), await tgz(['a/Chart.yaml', META]),
    Buffer.from('\r\n--b\r\nContent-Disposition: form-data; name="prov"; filename="x"\r\n\r\n-----BEGIN PGP SIGNED MESSAGE-----\n\nname: a\nversion: 1.0.0\n\r\n--b--\r\n')])
  const match = { handler: 'upload', tenant: 'a', name: '', version: '', file: '', query: new URLSearchParams() } as const
  t.match(await uploads.chart(match, { contentType: 'multipart/form-data; boundary=b', bytes: Readable.from([body]) }), { status: 409 })
  t.strictSame(readdirSync(join(dir, 'a')), ['a-1.0.0.tgz.prov'])
  t.match((await catalog.view('a')).index().body.toString(), 'entries: {}')
  await catalog.close()
})

void t.test('a form of more parts than anybody sends is read no further, and has none', async t => {
  const dir = testFolder(t)
  const store = await openStore(dir)
  const part = Buffer.from('--b\r\nContent-Disposition: form-data; name="chart"; filename="x"\r\n\r\nx\r\n')
  const bytes = Readable.from([part, Buffer.from('--b\r\n\r\n\r\n'.repeat(200)), Buffer.from('--b--\r\n')])
  t.strictSame(await readFormParts('multipart/form-data; boundary=b', bytes, store), [])
  t.strictSame(readdirSync(join(dir, '.chartgate/tmp')), [])
})

void t.test('bytes that break off are no form, and leave nothing', async t => {
  const dir = testFolder(t)
  const store = await openStore(dir)
  async function * bytes (): AsyncGenerator<Uint8Array> {
    yield Buffer.from('--b\r\nContent-Disposition: form-data; name="chart"; filename="x"\r\n\r\nxxx')
    throw new Error('the client has gone')
  }
  await t.rejects(readFormParts('multipart/form-data; boundary=b', bytes(), store), { message: 'the client has gone' })
  t.strictSame(readdirSync(join(dir, '.chartgate/tmp')), [])
})

void t.test('small things that a start meets', async t => {
  const dir = testFolder(t, { a: {}, '.chartgate': { index: { 'a.json': 'of another program\n' } } })
  for (let i = 0; i < 20; i++) writeFileSync(join(dir, 'a', `c${i}.tgz`), await tgz(['a/Chart.yaml', META.replace('1.0.0', `1.0.0+b${i}`)]))
  utimesSync(join(dir, 'a'), 1, 1)
  const catalog = createCatalog({ store: await openStore(dir), contextPath: '', log: () => {}, watchFolder: () => { throw new Error() } })
  const views = await Promise.all([catalog.view('a'), catalog.view('a')])
  for (const { charts } of views) t.equal(charts.get('a')?.length, 20, 'builds of one version stand side by side')
  await catalog.close()
  t.equal(timeText(0n), '1970-01-01T00:00:00Z')
  t.notOk(isMissing(new Error('no code')) || isFull(new Error('no code')))
  t.strictSame(parseVersion('0000000000000001.0.0'), { major: 1, minor: 0, patch: 0, pre: '' })
  t.equal(entryYaml({ a: '1900-02-29', b: '2000-02-29' }), '  - a: 1900-02-29\n    b: "2000-02-29"\n')
  t.ok(compareKeys('a00', 'a0-') !== 0)
  t.ok(compareKeys('00', '0-') !== 0)
  t.ok(compareKeys('100', '10-') > 0, 'a zero behind other digits is a digit')
})

void t.test('a large chart that is found in a folder is read in pieces', async t => {
  const noise = Buffer.from(Array.from({ length: 400_000 }, () => Math.floor(Math.random() * 256)))
  const bytes = await tgz(['a/Chart.yaml', META], ['a/noise', noise])
  const dir = testFolder(t, { a: { b: { 'a-1.0.0.tgz': bytes } } })
  const { port } = await startEmbedded(t, dir, OPEN)
  t.match((await exchange(port, 'GET', '/a/b/index.yaml')).body, createHash('sha256').update(bytes).digest('hex'))
})

void t.test('a provenance file of more than a mebibyte is none', async t => {
  const { port } = await startEmbedded(t, testFolder(t), OPEN)
  t.match(await exchange(port, 'POST', '/api/a/b/prov', {}, Buffer.alloc(1_100_000)), { status: 500, body: '{"error":"invalid provenance file"}' })
})

void t.test('what the disk refuses is said without a path, and memory is not needed', async t => {
  t.match(failure(Object.assign(new Error('EIO: /secret/path'), { code: 'EIO' })).body, '{"error":"internal server error"}')
  t.match(failure(Object.assign(new Error('x'), { code: 'EDQUOT' })), { status: 507 })
  const dir = testFolder(t, { file: 'x' })
  const opened = await openRepository({ dir: join(dir, 'file'), depth: 2, contextPath: '', maxUploadSize: () => 1 })
  t.match(opened, { ok: false, message: /cannot be used/ })
  t.match(failure(Object.assign(new Error('EROFS: /secret/path'), { code: 'EROFS' })), { status: 507, body: '{"error":"the disk for charts is read-only"}' })
  const store = await openStore(dir)
  await t.rejects(store.replace(join(dir, 'nowhere/x'), ['x']), { code: 'ENOENT' })
  t.strictSame(readdirSync(join(dir, '.chartgate/tmp')), [], 'an aside that could not be placed is gone')
  for (const refused of [store.exists('x\0', 'y'), store.remove('x\0', 'y'), store.read('x\0', 'y')] as Promise<unknown>[]) await t.rejects(refused)
  const draft = await store.draft([Buffer.from('x')] as unknown as AsyncIterable<Uint8Array>)
  await t.rejects(store.publish(draft, 'x\0', 'y', false))
  await t.rejects(store.publish({ ...draft, path: join(dir, 'nowhere') }, 'a', 'y', false), { code: 'ENOENT' })
  const events: object[] = []
  const memory = createMemory({ ...store, replace: async () => { throw Object.assign(new Error(), { code: 'EROFS' }) } }, event => { events.push(event) })
  memory.invalidate('x\0')
  await memory.save('a', new Map([['a-1.tgz', { stamp: '1:1:1', entry: makeEntry('a-1.tgz', { name: 'a', version: '1' }, 'd', 'c') }]]), Buffer.from(''))
  t.match(events.at(-1), { event: 'index_not_saved', code: 'EROFS' })
  const many = new Map(Array.from({ length: 450 }, (_, i) => [`${i}.tgz`, { stamp: `${i}:1:1` }]))
  const working = createMemory(store, () => {})
  mkdirSync(join(dir, 'many'))
  await working.save('many', many, Buffer.from(''))
  t.strictSame(await working.recall('many'), many)
})

void t.test('a file is had once: again only when it has changed, or in the part that is missing', async t => {
  const small = await tgz(['a/Chart.yaml', META])
  const noise = Buffer.from(Array.from({ length: 100_000 }, (_, i) => i * 7919 % 251 ^ i >> 8 & 0xff))
  const large = await tgz(['b/Chart.yaml', META.replace('name: a', 'name: b')], ['b/noise', noise], ['b/more', Buffer.from(Array.from({ length: 90_000 }, () => Math.floor(Math.random() * 256)))])
  const dir = testFolder(t, { o: { r: { 'a-1.0.0.tgz': small, 'a-1.0.0.tgz.prov': 'signed', 'b-1.0.0.tgz': large, 'x-1.0.0.tgz': Buffer.alloc(70_000), 'empty-1.0.0.tgz': '' } } })
  const modified = new Date(1_700_000_000_500)
  for (const file of readdirSync(join(dir, 'o/r'))) utimesSync(join(dir, 'o/r', file), modified, modified)
  const { port } = await startEmbedded(t, dir, OPEN)
  const ask = async (target: string, headers: Record<string, string> = {}, method = 'GET'): Promise<{ status: number, body: Buffer, header: (name: string) => string | null }> => {
    const response = await fetch(`http://127.0.0.1:${port}${target}`, { method, headers: { ...headers, 'accept-encoding': 'identity' } })
    return { status: response.status, body: Buffer.from(await response.arrayBuffer()), header: name => response.headers.get(name) }
  }
  const tagOf = (bytes: Buffer | string): string => `"${createHash('sha256').update(bytes).digest('hex')}"`
  const date = 'Tue, 14 Nov 2023 22:13:20 GMT'
  for (const [file, bytes] of [['b-1.0.0.tgz', large], ['a-1.0.0.tgz', small], ['a-1.0.0.tgz.prov', Buffer.from('signed')], ['empty-1.0.0.tgz', Buffer.alloc(0)]] as const) {
    const target = `/o/r/charts/${file}`
    const whole = await ask(target)
    t.strictSame([whole.status, whole.header('etag'), whole.header('last-modified'), whole.header('accept-ranges'), whole.body.equals(bytes)], [200, tagOf(bytes), date, 'bytes', true], file)
    const head = await ask(target, {}, 'HEAD')
    t.strictSame([head.status, head.header('etag'), head.header('content-length'), head.body.length], [200, tagOf(bytes), String(bytes.length), 0], `HEAD ${file}`)
    for (const headers of [{ 'if-none-match': tagOf(bytes) }, { 'if-none-match': `"x", W/${tagOf(bytes)}` }, { 'if-none-match': '*' }, { 'if-modified-since': date }] as Record<string, string>[]) {
      const none = await ask(target, headers)
      t.strictSame([none.status, none.header('etag'), none.body.length], [304, tagOf(bytes), 0], JSON.stringify(headers))
    }
    t.equal((await ask(target, { 'if-none-match': '"x"', 'if-modified-since': date })).status, 200, 'a date does not count beside a tag')
    t.equal((await ask(target, { 'if-modified-since': 'Mon, 13 Nov 2023 22:13:20 GMT' })).status, 200)
    t.equal((await ask(target, { 'if-modified-since': 'yesterday' })).status, 200)
  }
  const size = large.length
  const part = async (range: string, headers: Record<string, string> = {}): Promise<unknown> => {
    const { status, body, header } = await ask('/o/r/charts/b-1.0.0.tgz', { range, ...headers })
    const from = Number(/^bytes (\d+)-/.exec(header('content-range') ?? '')?.[1] ?? 0)
    return [status, header('content-range'), body.length, status === 416 || body.equals(large.subarray(from, from + body.length))]
  }
  const parts: readonly (readonly [string, Record<string, string>, readonly [number, string | null, number]])[] = [
    ['bytes=0-9', {}, [206, `bytes 0-9/${size}`, 10]], ['bytes=100-', {}, [206, `bytes 100-${size - 1}/${size}`, size - 100]], ['bytes=-5', {}, [206, `bytes ${size - 5}-${size - 1}/${size}`, 5]],
    ['bytes=0-99999999', {}, [206, `bytes 0-${size - 1}/${size}`, size]], ['bytes=-99999999', {}, [206, `bytes 0-${size - 1}/${size}`, size]], [`bytes=${size}-`, {}, [416, `bytes */${size}`, 0]], ['bytes=-0', {}, [416, `bytes */${size}`, 0]],
    ['bytes=9-0', {}, [200, null, size]], ['bytes=-', {}, [200, null, size]], ['bytes=0-1,3-4', {}, [200, null, size]], ['lines=0-1', {}, [200, null, size]],
    ['bytes=0-9', { 'if-range': tagOf(large) }, [206, `bytes 0-9/${size}`, 10]], ['bytes=0-9', { 'if-range': date }, [200, null, size]], ['bytes=0-9', { 'if-range': '"x"' }, [200, null, size]], ['bytes=0-9', { 'if-range': 'Mon, 13 Nov 2023 22:13:20 GMT' }, [200, null, size]]
  ]
  for (const [range, headers, [status, contentRange, length]] of parts) t.strictSame(await part(range, headers), [status, contentRange, length, true], `${range} ${JSON.stringify(headers)}`)
  const unknown = await ask('/o/r/charts/x-1.0.0.tgz')
  t.strictSame([unknown.status, unknown.header('etag'), unknown.header('last-modified')], [200, null, date], 'what is large and no chart has no tag')
  for (const target of ['/o/r/index.yaml', '/api/o/r/charts', '/api/o/r/charts/a', '/api/o/r/charts/a/1.0.0', '/api/o/r/charts/a/1.0.0/templates']) {
    const whole = await ask(target)
    const etag = tagOf(whole.body)
    t.strictSame([whole.header('etag'), whole.header('last-modified'), whole.header('accept-ranges')], [etag, null, null], target)
    t.equal((await ask(target, { 'if-none-match': etag })).status, 304, target)
    t.equal((await ask(target, { range: 'bytes=0-1' })).status, 200, target)
    const head = await ask(target, {}, 'HEAD')
    t.strictSame([head.status, head.header('etag'), head.header('content-length')], [200, etag, String(whole.body.length)], `HEAD ${target}`)
  }
})
