// Does it load what Helm loads, and list what ChartMuseum lists? What the world packs, with
// what ChartMuseum 0.16.5 said of it; archives with damaged and rare headers, with what Helm
// 3.21.4 said; and what is bounded here.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { isDeepStrictEqual } from 'node:util'
import { gunzipSync, gzipSync, deflateRawSync, crc32 } from 'node:zlib'
import t from 'tap'
import { goJson } from '../../src/repository/go-json.ts'
import { gunzip } from '../../src/repository/gunzip.ts'
import { provenanceFileName, readBytes, readPackage } from '../../src/repository/package.ts'
import { paxEntry, paxRecords, rawTar, rawTgz, type RawEntry } from '../helpers/archives.ts'
import { testFolder } from '../helpers/folder.ts'
import { dataUrl } from '../helpers/data.ts'

interface RecordedUpload {
  readonly file: string
  readonly right: 'accept' | 'refuse' | 'either'
  readonly chartmuseum: { readonly status: number, readonly error?: string, readonly entries?: readonly unknown[] }
}
type RecordedArchive = { readonly base64: string } & ({ readonly error: string } | { readonly metadata: unknown })

const WORLD = dataUrl('world/')
const linesOf = (url: URL): string[] => readFileSync(url, 'utf8').trimEnd().split('\n')
const UPLOADS = linesOf(new URL('uploads.jsonl', WORLD)).map(line => JSON.parse(line) as RecordedUpload)
const ARCHIVES = linesOf(dataUrl('chartmuseum/archives.jsonl')).map(line => JSON.parse(line) as RecordedArchive)

/** Ours are shorter where a value of the file, a place in it or a part of a time would follow. */
const SHORTER = /^.*(?:invalid map key: |unsupported map key of type: |parsing time ")|flate: corrupt input/

const META = 'apiVersion: v2\nname: a\nversion: 1.0.0\n'
const chart = (...entries: readonly (readonly [name: string, body: string | Buffer])[]): Buffer => rawTgz([{ name: 'a/Chart.yaml', body: META }, ...entries.map(([name, body]): RawEntry => ({ name: `a/${name}`, body }))])

await t.test('what the world packs is loaded and listed as ChartMuseum does, or refused in its words', async t => {
  const seen = { quick: 0, 201: 0, 400: 0 }
  for (const { file, chartmuseum: { status, error = '', entries } } of UPLOADS) {
    const path = new URL(`uploads/${file}`, WORLD)
    const quick = readBytes(readFileSync(path))
    const read = await readPackage(path.pathname)
    if (quick !== undefined) {
      seen.quick++
      if (!isDeepStrictEqual(quick, read)) t.strictSame(quick, read, file)
    }
    seen[status as 201 | 400]++
    if (read.ok) {
      const { metadata } = read.chart
      const entry = JSON.parse(goJson({ ...metadata, urls: [`charts/${metadata.name}-${metadata.version}.tgz`] })) as unknown
      t.equal(status, 201, file)
      if (!isDeepStrictEqual([entry], entries)) t.strictSame([entry], entries, file)
    } else {
      const said = SHORTER.exec(error)?.[0] ?? error
      t.strictSame({ status: 400, error: read.message.slice(0, said.length) }, { status, error: said }, file)
    }
  }
  t.ok(seen.quick > 300 && seen[201] > 200 && seen[400] > 50, JSON.stringify(seen))
})

await t.test('what was signed with a chart is named after it', async t => {
  const signed = UPLOADS.filter(({ file }) => existsSync(new URL(`uploads/${file}.prov`, WORLD)))
  t.ok(signed.length > 10)
  for (const { file, chartmuseum: { entries } } of signed) {
    const [{ name, version }] = entries as unknown as readonly [{ name: string, version: string }]
    t.equal(provenanceFileName(readFileSync(new URL(`uploads/${file}.prov`, WORLD), 'utf8')), `${name}-${version}.tgz.prov`, file)
  }
})

await t.test('damaged and rare archives are what Helm says', async t => {
  const path = join(testFolder(t), 'x.tgz')
  for (const [i, { base64, ...helm }] of ARCHIVES.entries()) {
    writeFileSync(path, Buffer.from(base64, 'base64'))
    const read = await readPackage(path)
    if ('error' in helm) {
      const said = SHORTER.exec(helm.error)?.[0] ?? helm.error
      // Bytes of names that are no UTF-8 are written in another way.
      if (!read.ok && said.includes('\\x')) continue
      t.equal(read.ok ? 'it is loaded' : read.message.slice(0, said.length), said, String(i))
    } else t.strictSame(read.ok ? JSON.parse(goJson(read.chart.metadata)) : read.message, helm.metadata, String(i))
  }
})

await t.test('a chart is its folder, with values, templates, locks and subcharts', async t => {
  const path = join(testFolder(t), 'x.tgz')
  const sub = chart(['values.yaml', 'a: ['])
  const load = async (bytes: Buffer): Promise<string> => {
    writeFileSync(path, bytes)
    const read = await readPackage(path)
    return read.ok ? 'ok' : read.message
  }
  const fault = 'cannot load values.yaml: error converting YAML to JSON: yaml: line 1: did not find expected node content'
  const cases: readonly (readonly [Buffer, string])[] = [
    [chart(['charts/a.tgz', chart(['charts/b.tgz', sub])]), `error unpacking subchart a.tgz in a: error unpacking subchart b.tgz in a: ${fault}`],
    [chart(['charts/b/Chart.yaml', META], ['charts/b/values.yaml', 'a: [']), `error unpacking subchart b in a: ${fault}`],
    [chart(['charts/a.tgz', sub], ['charts/a.tgz', chart()]), `error unpacking subchart a.tgz in a: ${fault}`],
    [chart(['charts/a.tgz', chart()], ['charts/a.tgz', sub]), 'ok'],
    [chart(['charts/a.tgz/Chart.yaml', META]), 'error unpacking subchart tar in a: expected a.tgz, got a.tgz/Chart.yaml'],
    [chart(['charts/_x/values.yaml', 'a: ['], ['charts/.x.tgz', ''], ['charts/x.prov', 'x'], ['charts/b/x.prov', 'x']), 'ok'],
    [chart(['charts/b.tgz', rawTgz([paxEntry(['mtime', '1.5']), { name: 'a/Chart.yaml', body: META }])]), 'ok'],
    [chart(['charts/README.md', 'x']), 'error unpacking subchart README.md in a: Chart.yaml file is missing'],
    [chart(['charts/a.tgz', 'x'.repeat(20)]), 'error unpacking subchart a.tgz in a: gzip: invalid header'],
    [rawTgz([{ name: 'a/Chart.yaml', body: `${META}description: &d ${'x'.repeat(60_000)}\nkeywords: [${Array(9).fill('*d').join()}]\n` }]), 'Chart.yaml says more than 524288 characters, which would be in every index'],
    [chart(['charts/a.tgz', Buffer.alloc(0)]), 'error unpacking subchart a.tgz in a: EOF'],
    [rawTgz([{ name: 'a/requirements.lock', body: '' }]), 'validation: chart.metadata.apiVersion is required'],
    [rawTgz([{ name: 'a/requirements.yaml', body: 'name: a' }]), 'validation: chart.metadata.apiVersion is required'],
    [rawTgz([{ name: 'a/requirements.yaml', body: 'dependencies: [a]' }, { name: 'a/Chart.yaml', body: META }]), 'cannot load requirements.yaml: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal string into Go struct field Metadata.dependencies of type chart.Dependency'],
    [rawTgz([{ name: 'a/Chart.lock', body: '- x' }, { name: 'a/Chart.yaml', body: META }]), 'cannot load Chart.lock: error unmarshaling JSON: while decoding JSON: json: cannot unmarshal array into Go value of type chart.Lock'],
    [chart(['Chart.yaml', 'name: b\n']), 'ok'],
    [rawTgz([{ name: 'a/', type: '5' }]), 'no files in chart archive']
  ]
  for (const [bytes, message] of cases) t.equal(await load(bytes), message, message)
  writeFileSync(path, rawTgz([
    { name: 'a/Chart.yaml', body: 'apiVersion: v1\nname: a\nversion: 1.0.0\nmaintainers: [{name: x, email: w}, {name: z}]\nannotations: {a: b, c: d}\ndeprecated: true\nkeywords: [k, l]\n' },
    { name: 'a/requirements.yaml', body: 'dependencies: [{name: b, enabled: true, tags: [t]}]\nmaintainers: [{name: q}]\nannotations: {c: e}\nkeywords: ~\nhome: ~\n' }
  ]))
  const merged = await readPackage(path)
  t.same(merged.ok && JSON.parse(goJson(merged.chart.metadata)), { name: 'a', version: '1.0.0', maintainers: [{ name: 'q', email: 'w' }], apiVersion: 'v1', deprecated: true, annotations: { a: 'b', c: 'e' }, dependencies: [{ name: 'b', repository: '', tags: ['t'], enabled: true }] }, 'fields of requirements.yaml win, as encoding/json merges them')
})

await t.test('a long text is read in a thread, with the same result', async t => {
  const path = join(testFolder(t), 'x.tgz')
  const values = Array.from({ length: 20_000 }, (_, i) => `k${i}: v\n`).join('')
  writeFileSync(path, chart(['values.yaml', `\ufeff${values}`], ['templates/x.yaml', 'x'], ['templates/y.yaml', '\ufeffy']))
  const templates = await readPackage(path, 'templates')
  t.match(templates, { ok: true, chart: { metadata: { name: 'a' }, files: [{ name: 'templates/x.yaml', data: Buffer.from('x') }, { name: 'templates/y.yaml', data: Buffer.from('y') }] } })
  t.same(templates.ok && Object.keys(JSON.parse(templates.chart.values) as object).length, 20_000)
  writeFileSync(path, chart(['charts/b.tgz', chart(['values.yaml', `${values}a: [`])]))
  t.match(await readPackage(path), { ok: false, message: 'error unpacking subchart b.tgz in a: cannot load values.yaml: error converting YAML to JSON: yaml: line 20001: did not find expected node content' })
})

await t.test('what no packer writes is what Go makes of it', async t => {
  const path = join(testFolder(t), 'x.tgz')
  const header = 'archive/tar: invalid tar header'
  const pax = (body: string | Buffer, type = 'x'): RawEntry => ({ name: 'pax', type, body })
  const number = (value: string): Buffer => Buffer.from(value.padEnd(12, '\0'), 'latin1')
  const old = (size: string, extended = '\0'): RawEntry => ({ name: 'a/old', type: 'S', body: 'hello', magic: 'ustar  \0', patch: { 386: number('00000000000'), 398: number('00000000005'), 410: '\0', 482: extended, 483: number(size) } })
  const chain = (blocks: number): Buffer => Buffer.concat([rawTar([old('00000000005', '\x01')], Buffer.alloc(0)).subarray(0, 512), ...Array.from({ length: blocks }, (_, i) => { const block = Buffer.alloc(512); block[504] = i < blocks - 1 ? 1 : 0; return block }), rawTar([{ name: 'x', body: 'hello' }]).subarray(512)])
  const sparse = (body: Buffer | string, size = '5'): RawEntry[] => [pax(paxRecords([['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.name', 'a/s'], ['GNU.sparse.realsize', size]])), { name: 'a/GNU', body }]
  const meta: RawEntry = { name: 'a/Chart.yaml', body: META }
  const cases: readonly (readonly [string, readonly RawEntry[] | Buffer, string])[] = [
    ...['no-space', '\n', 'x a=b\n', '4 a\n', '99 a=b\n', '6 a=bb', '6 abc\n', '5 =b\n', '99999999999999999999 a=b\n', '5     ', '9 a\0b=c\n', '12 path=a\0b\n', '30 GNU.sparse.numbytes=0000005\n', '29 GNU.sparse.offset=1,23456\n'].map((body): [string, RawEntry[], string] => [`a record ${JSON.stringify(body)}`, [pax(body), meta], header]),
    ['a number that is too large', [pax(paxRecords([['uid', '9999999999999999999']])), meta], header],
    ['a fraction of no second', [pax(paxRecords([['mtime', '1.x']])), meta], header],
    ['times with fractions', [pax(paxRecords([['mtime', '1.5'], ['atime', '-1.'], ['ctime', '7'], ['uid', '5'], ['gid', '']])), meta], 'ok'],
    ['a global header, after which nothing of before counts', [pax(paxRecords([['path', 'q']])), pax(paxRecords([['path', 'r']]), 'g'), meta], 'ok'],
    ['a broken global header', [pax('x', 'g'), meta], header],
    ['a size below zero', [meta, { name: 'a/x', patch: { 124: Buffer.alloc(12, 0xff) } }], header],
    ['a link with a size', [meta, { name: 'a/x', type: '2', size: 5 }], 'decompressed chart is larger than the maximum file size 104857600'],
    ['a header that is too long', [{ name: 'x', type: 'L', body: Buffer.alloc(1024 * 1024 + 1, 'x') }, meta], 'archive/tar: header field too long'],
    ['a file that is cut short', rawTar([meta, { name: 'a/x', body: 'x'.repeat(5000) }]).subarray(0, 3000), 'unexpected EOF'],
    ['an old sparse file', [meta, old('00000000011')], 'ok'],
    ['of another format', [meta, { ...old('00000000005'), magic: 'ustar\x0000' }], header],
    ['with its map in more blocks', Buffer.concat([rawTar([meta], Buffer.alloc(0)), chain(3)]), 'ok'],
    ['with a map without an end', Buffer.concat([rawTar([meta], Buffer.alloc(0)), chain(2100)]), 'archive/tar: sparse map too long'],
    ['a sparse file', [meta, ...sparse(Buffer.concat([Buffer.from('1\n0\n5\n'.padEnd(512, '\0')), Buffer.from('hello')]))], 'ok'],
    ['with less data', [meta, ...sparse('1\n0\n5\n'.padEnd(512, '\0'))], 'archive/tar: sparse file references non-existent data'],
    ['with more data', [meta, ...sparse('0\n'.padEnd(520, '\0'))], 'archive/tar: sparse file contains unreferenced data'],
    ['with half a map', [meta, ...sparse('1\n')], 'unexpected EOF'],
    ['with a map of no numbers', [meta, ...sparse('x\n'.padEnd(512, '\0'))], header],
    ['with a map of fewer than none', [meta, ...sparse('-1\n'.padEnd(512, '\0'))], header],
    ['with a map that has no lines', [meta, ...sparse(Buffer.alloc(1024 * 1024 + 512, 'x'))], 'archive/tar: sparse map too long'],
    ['with parts that overlap', [meta, ...sparse(Buffer.concat([Buffer.from('2\n0\n3\n2\n2\n'.padEnd(512, '\0')), Buffer.from('hello')]))], header],
    ['below zero', [meta, ...sparse(Buffer.concat([Buffer.from('1\n0\n-1\n'.padEnd(512, '\0')), Buffer.from('hello')]))], header],
    ['behind its end', [meta, ...sparse(Buffer.concat([Buffer.from('1\n0\n9\n'.padEnd(512, '\0')), Buffer.from('hello')]))], header],
    ['of a negative size', [meta, ...sparse('0\n'.padEnd(512, '\0'), '-5')], header],
    ['that is a link', [meta, pax(paxRecords([['GNU.sparse.major', '0'], ['GNU.sparse.minor', '0'], ['GNU.sparse.numblocks', '0'], ['GNU.sparse.map', '']])), { name: 'a/x', type: '2' }], header]
  ]
  for (const [what, entries, message] of cases) {
    writeFileSync(path, gzipSync(Buffer.isBuffer(entries) ? entries : rawTar(entries as readonly RawEntry[])))
    const read = await readPackage(path)
    t.equal(read.ok ? 'ok' : read.message, message, what)
  }
})

await t.test('a disk that fails is no archive that is wrong', async t => {
  const bytes = gzipSync('x')
  const failing = (): Readable => new Readable({ read () { this.destroy(Object.assign(new Error('EIO'), { code: 'EIO' })) } })
  await t.rejects(gunzip({ from: start => start === 0 ? Readable.from([bytes]) : failing() }).next(), { code: 'EIO' })
})

await t.test('what nobody has is not unpacked', async t => {
  const path = join(testFolder(t), 'x.tgz')
  const load = async (bytes: Buffer): Promise<string> => {
    writeFileSync(path, bytes)
    const read = await readPackage(path)
    return read.ok ? 'ok' : read.message
  }
  const EMPTY = gzipSync('')
  let nested = chart()
  for (let i = 0; i < 40; i++) nested = chart(['charts/a.tgz', nested])
  t.match(await load(nested), /^error unpacking subchart a\.tgz in a: .*…(?:.* a: )subcharts in more than 32 levels$/)
  t.equal(await load(chart(...Array.from({ length: 1001 }, (_, i) => [`charts/c${i}/Chart.yaml`, META] as const))), 'more than 1000 subcharts')
  const longName: RawEntry = { name: 'x', type: 'L', body: Buffer.alloc(1024 * 1024, 'x') }
  const wide = gzipSync(rawTar([...Array.from({ length: 105 }, () => longName), { name: 'x', type: 'L', body: 'a/x\0' }, { name: 'a/x' }, { name: 'a/Chart.yaml', body: META }]), { level: 1 })
  t.equal(await load(chart(['charts/b.tgz', wide])), 'ok')
  t.equal(await load(chart(['charts/b.tgz', wide], ['charts/c.tgz', wide])), 'error unpacking subchart c.tgz in a: chart and subcharts inflate to more than 209715200 bytes')
  t.equal(await load(rawTgz([{ name: 'a/Chart.yaml', body: `${META}# ${'x'.repeat(1024 * 1024)}\n` }])), 'Chart.yaml is larger than 1048576 bytes')
  t.equal(await load(rawTgz([{ name: 'a/Chart.yaml', body: `${META}description: ${'x'.repeat(600_000)}\n` }])), 'Chart.yaml says more than 524288 characters, which would be in every index')
  t.match(await load(rawTgz([{ name: 'x', type: 'L', body: 'x'.repeat(1000) }, { name: 'y' }])), /^chart illegally contains content outside the base directory: "x+…x+"$/, 'what is quoted is cut')
  t.equal(await load(Buffer.concat(Array.from({ length: 4097 }, () => EMPTY))), 'gzip: more than 4096 files in one')
})

await t.test('gzip is read as Go reads it: heads with everything, members behind each other, and no further than the end', async t => {
  const path = join(testFolder(t), 'x.tgz')
  const load = async (bytes: Buffer): Promise<string> => {
    writeFileSync(path, bytes)
    const read = await readPackage(path)
    return read.ok ? 'ok' : read.message
  }
  const tar: Buffer = gunzipSync(chart())
  const noEnd = rawTar([{ name: 'a/Chart.yaml', body: META }], Buffer.alloc(0))
  const member = (flags: number, head: Buffer, content: Buffer = tar): Buffer => {
    const start = Buffer.concat([Buffer.from([0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 3]), head])
    const sum = Buffer.alloc((flags & 2) === 0 ? 0 : 2)
    if (sum.length > 0) sum.writeUInt16LE(crc32(start) & 0xffff)
    const trailer = Buffer.alloc(8)
    trailer.writeUInt32LE(crc32(content), 0)
    trailer.writeUInt32LE(content.length, 4)
    return Buffer.concat([start, sum, deflateRawSync(content), trailer])
  }
  const extra = Buffer.from([3, 0, 1, 2, 3])
  const damaged = (bytes: Buffer, at: number): Buffer => { const copy = Buffer.from(bytes); copy[at] = (copy[at] as number) ^ 0xff; return copy }
  const cases: readonly (readonly [string, Buffer, string])[] = [
    ['all of a head', member(2 + 4 + 8 + 16, Buffer.concat([extra, Buffer.from('name\0comment\0')])), 'ok'],
    ['a wrong sum of the head', damaged(member(2, Buffer.alloc(0)), 10), 'gzip: invalid header'],
    ['a long name', member(8, Buffer.from('n'.repeat(600) + '\0')), 'gzip: invalid header'],
    ['a name without an end', Buffer.concat([Buffer.from([0x1f, 0x8b, 8, 8, 0, 0, 0, 0, 0, 3]), Buffer.from('name')]), 'unexpected EOF'],
    ['extra fields without an end', Buffer.from([0x1f, 0x8b, 8, 4, 0, 0, 0, 0, 0, 3, 9, 9, 1]), 'unexpected EOF'],
    ['two members', Buffer.concat([member(0, Buffer.alloc(0), tar.subarray(0, 700)), member(0, Buffer.alloc(0), tar.subarray(700))]), 'ok'],
    ['something behind the end', Buffer.concat([member(0, Buffer.alloc(0)), Buffer.from('something else')]), 'ok'],
    ['something behind an archive without one', Buffer.concat([member(0, Buffer.alloc(0), noEnd), Buffer.from('something else')]), 'gzip: invalid header'],
    ['an archive without an end', member(0, Buffer.alloc(0), noEnd), 'ok'],
    ['a wrong sum behind the end', damaged(member(0, Buffer.alloc(0)), member(0, Buffer.alloc(0)).length - 8), 'ok'],
    ['a wrong sum without an end', damaged(member(0, Buffer.alloc(0), noEnd), member(0, Buffer.alloc(0), noEnd).length - 8), 'gzip: invalid checksum'],
    ['a wrong length without an end', damaged(member(0, Buffer.alloc(0), noEnd), member(0, Buffer.alloc(0), noEnd).length - 1), 'gzip: invalid checksum'],
    ['no trailer', member(0, Buffer.alloc(0), noEnd).subarray(0, -5), 'unexpected EOF'],
    ['half of its data', member(0, Buffer.alloc(0), noEnd).subarray(0, 40), 'unexpected EOF'],
    ['wrong data', Buffer.concat([member(0, Buffer.alloc(0), noEnd).subarray(0, 10), Buffer.alloc(50, 0xff)]), 'flate: corrupt input']
  ]
  for (const [what, bytes, message] of cases) t.equal(await load(bytes), message, what)
})
