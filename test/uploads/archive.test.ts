import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { readChartArchive, type ArchiveResult } from '../../src/uploads/archive.ts'
import type { ArchiveFault } from '../../src/uploads/archive/fault.ts'
import { readPackage } from '../../src/repository/package.ts'
import { AMBIGUOUS, CHART, HARMLESS, ORDINARY, OTHER, YAML } from '../helpers/archive-corpus.ts'
import { paxEntry, paxRecords, rawEntry, rawTar, rawTgz, TAR_END, type RawEntry } from '../helpers/archives.ts'
import { testFolder } from '../helpers/folder.ts'
import { chartOf, chartYaml } from '../helpers/packages.ts'

async function read (bytes: Buffer, chunk = bytes.length): Promise<ArchiveResult> {
  const chunks = Array.from({ length: Math.ceil(bytes.length / chunk) }, (_, i) => bytes.subarray(i * chunk, (i + 1) * chunk))
  return await readChartArchive(Readable.from(chunks), bytes.length)
}

/** The gateway and the embedded repository find the same chart in it. */
async function readByBoth (t: Test, name: string, bytes: Buffer): Promise<void> {
  t.same(await read(bytes), { ok: true, name: 'x', version: '1.0.0' }, name)
  const file = join(testFolder(t), 'x.tgz')
  await writeFile(file, bytes)
  t.match(await readPackage(file), { ok: true, chart: { metadata: { name: 'x', version: '1.0.0' } } }, `${name}, in the embedded repository`)
}

await t.test('a chart says its name and version', async t => {
  const more = [{ name: 'mychart/charts/sub/Chart.yaml', body: chartYaml('sub', '9.0.0') }, { name: 'mychart/crds', type: 'directory' as const }, { name: 'mychart/.helmignore' }]
  t.same(await read(await chartOf('mychart', '1.2.3+b', more)), { ok: true, name: 'mychart', version: '1.2.3+b' })
})

await t.test('every form in which packers write a chart is read', async t => {
  for (const [name, bytes] of ORDINARY) await readByBoth(t, name, bytes)
})

await t.test('what readers take differently is read where the chart is the same to all of them', async t => {
  for (const [name, bytes] of HARMLESS) await readByBoth(t, name, bytes)
})

await t.test('an empty value in an extended header says nothing', async t => {
  for (const key of ['GNU.sparse.name', 'uid', 'size', 'mtime', 'uname']) t.match(await read(rawTgz([paxEntry([key, '']), CHART])), { ok: true, name: 'x' }, key)
})

await t.test('what readers take for another chart is refused', async t => {
  for (const { what, bytes } of AMBIGUOUS) t.match(await read(bytes), { ok: false }, what)
})

await t.test('what is no chart, or another one to another reader, is refused with a sentence', async t => {
  const good = rawTgz([CHART])
  const tar = rawTar([CHART])
  const pax = (...records: [string, string][]): Buffer => rawTgz([paxEntry(...records), CHART])
  const header = (patch: RawEntry['patch']): Buffer => rawTgz([{ ...CHART, patch: patch as NonNullable<typeof patch> }])
  const cases: [string, Buffer, ArchiveFault][] = [
    // gzip
    ['nothing', Buffer.alloc(0), 'empty'],
    ['text', Buffer.from('hello, I am no archive'), 'not_gzip'],
    ['a truncated file', good.subarray(0, 60), 'truncated'],
    ['a truncated checksum', good.subarray(0, -3), 'truncated'],
    ['a wrong checksum', Buffer.concat([good.subarray(0, -8), Buffer.alloc(4), good.subarray(-4)]), 'corrupt'],
    ['a sparse file without a size', pax(['GNU.sparse.major', '1'], ['GNU.sparse.minor', '0'], ['GNU.sparse.realsize', 'x']), 'corrupt'],
    ['two members', Buffer.concat([gzipSync(tar.subarray(0, 512)), gzipSync(tar.subarray(512))]), 'corrupt'],
    ['an empty second member', Buffer.concat([good, gzipSync('')]), 'corrupt'],
    ['a second archive', Buffer.concat([good, rawTgz([OTHER])]), 'corrupt'],
    ['zeros behind the end', Buffer.concat([good, Buffer.alloc(200_000)]), 'corrupt'],
    ['junk behind the end', Buffer.concat([good, Buffer.from('junk')]), 'not_gzip'],
    ['a bomb', gzipSync(Buffer.alloc(129 * 1024 * 1024)), 'too_large'],
    ['a bomb in a file', gzipSync(Buffer.concat([rawEntry({ name: 'x/a', size: 101 * 1024 * 1024 }), Buffer.alloc(101 * 1024 * 1024)])), 'too_large'],
    // tar
    ['no tar', gzipSync('x'.repeat(2000)), 'not_tar'],
    ['less than a header', gzipSync('x'.repeat(20)), 'truncated'],
    ['a wrong header checksum', rawTgz([{ ...CHART, checksum: false }]), 'not_tar'],
    ['a wrong header checksum later', rawTgz([CHART, { name: 'x/a', checksum: false }]), 'corrupt'],
    ['no end', gzipSync(rawEntry(CHART)), 'truncated'],
    ['half an end', rawTgz([CHART], Buffer.alloc(512)), 'truncated'],
    ['an end after a long name', rawTgz([CHART, paxEntry(['path', 'x/a'])]), 'truncated'],
    ['an entry cut off', gzipSync(rawEntry({ ...CHART, size: 5000 })), 'truncated'],
    ['an entry cut off at its start', gzipSync(rawEntry({ name: 'x/Chart.yaml', size: 5000 })), 'truncated'],
    ['an unread entry cut off', gzipSync(rawEntry({ name: 'x/a', size: 5000 })), 'truncated'],
    ['one empty block in the middle', rawTgz([CHART], Buffer.concat([Buffer.alloc(512), rawEntry(OTHER), TAR_END])), 'corrupt'],
    ['an entry behind the end', rawTgz([], Buffer.concat([TAR_END, rawEntry(CHART), TAR_END])), 'corrupt'],
    ['a size with a sign', header({ 124: '+3' }), 'corrupt'],
    ['a size behind a NUL', header({ 124: '\0 0000000052' }), 'corrupt'],
    ['a size behind many NULs', header({ 124: '\0\0\x0012\0 7' }), 'corrupt'],
    ['a size below nothing', header({ 124: Buffer.alloc(12, 0xff) }), 'corrupt'],
    ['a size beyond all', header({ 124: Buffer.from([0x80, 0, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]) }), 'corrupt'],
    ['a size beyond 64 bits', header({ 124: Buffer.from([0x80, 1, 0, 0, 0x40, 0, 0, 0, 0, 0, 0, 0]) }), 'corrupt'],
    ...[100, 108, 116, 136, 329, 337].map((at): [string, Buffer, ArchiveFault] => [`no number at ${at}`, header({ [at]: '0x1' }), 'corrupt']),
    ['a number that goes on behind a space', header({ 108: '12 \0 34' }), 'corrupt'],
    ['no time of Schilling\'s', header({ 476: 'x', 508: 'tar\0' }), 'corrupt'],
    ['a sparse file of another form', rawTgz([CHART, { name: 'x/s', type: 'S' }]), 'corrupt'],
    ['a sparse file of GNU without a size', rawTgz([CHART, { name: 'x/s', type: 'S', magic: 'ustar  \0', patch: { 483: 'x' } }]), 'corrupt'],
    ['files of more than Helm reads', rawTgz([CHART, ...Array.from({ length: 20 }, (_, i) => ({ name: `x/${i}`, body: Buffer.alloc(5 * 1024 * 1024) }))]), 'too_large'],
    // extended headers
    ['a damaged pax header', rawTgz([{ type: 'x', body: '99 path=x\n' }, CHART]), 'corrupt'],
    ['a pax record without a length', rawTgz([{ type: 'x', body: 'path=x\n' }, CHART]), 'corrupt'],
    ['a pax record without a value', rawTgz([{ type: 'x', body: '8 paths\n' }, CHART]), 'corrupt'],
    ['a pax record without an end', rawTgz([{ type: 'x', body: '9 path=xy' }, CHART]), 'corrupt'],
    ['a pax record that is too short', rawTgz([{ type: 'x', body: '4 a=\n' }, CHART]), 'corrupt'],
    ['a pax record that counts in another way', rawTgz([{ type: 'x', body: '+8 a=bc\n' }, CHART]), 'corrupt'],
    ['a pax record without a key', rawTgz([{ type: 'x', body: '6 =ab\n' }, CHART]), 'corrupt'],
    ['a NUL in a key of pax', pax(['a\0b', 'c']), 'corrupt'],
    ...['linkpath', 'uname', 'gname'].map((key): [string, Buffer, ArchiveFault] => [`a NUL in a ${key} of pax`, pax([key, 'a\0b']), 'corrupt']),
    ...['uid', 'gid', 'size', 'atime', 'mtime', 'ctime'].flatMap(key => ['abc', '1e3', '-', '0x1', '9223372036854775808', '99999999999999999999'].map((value): [string, Buffer, ArchiveFault] => [`the ${key} ${value} of pax`, pax([key, value]), 'corrupt'])),
    ['a time of pax with a letter in its end', pax(['mtime', '1.5x']), 'corrupt'],
    ['a time of pax with two ends', pax(['mtime', '1.5.5']), 'corrupt'],
    ['a time of pax without seconds', pax(['mtime', '.5']), 'corrupt'],
    ['a size of pax below nothing', pax(['size', '-1']), 'corrupt'],
    ['a size of pax that is another', pax(['size', '3']), 'forbidden_entry'],
    ['a map of a sparse file that begins with its second half', pax(['GNU.sparse.numbytes', '3']), 'corrupt'],
    ['a map of a sparse file with a comma', pax(['GNU.sparse.offset', '0,3']), 'corrupt'],
    ['a sparse Chart.yaml', rawTgz([paxEntry(['GNU.sparse.name', 'x/Chart.yaml'], ['GNU.sparse.map', '0,3']), { ...CHART, name: 'x/a' }]), 'forbidden_entry'],
    ['a Chart.yaml that is sparse to others', rawTgz([CHART, paxEntry(['GNU.sparse.name', 'x/Chart.yaml'], ['GNU.sparse.major', '7']), { name: 'x/a' }]), 'several_chart_yaml'],
    ['a sparse size for all files', rawTgz([{ type: 'g', body: paxRecords([['GNU.sparse.size', '1']]) }, CHART]), 'forbidden_entry'],
    ['a pax header with two names', pax(['path', 'x/a'], ['path', 'x/b']), 'unsafe_name'],
    ['a pax header with an empty name', pax(['path', '']), 'unsafe_name'],
    ['a pax name with a NUL', pax(['path', 'x/a\0b']), 'corrupt'],
    ['a name for all files', rawTgz([{ type: 'g', body: paxRecords([['path', 'x/Chart.yaml']]) }, CHART]), 'forbidden_entry'],
    ['two pax headers', rawTgz([paxEntry(['path', 'x/a']), paxEntry(['path', 'x/b']), CHART]), 'forbidden_entry'],
    ['a pax header and a long name', rawTgz([paxEntry(['path', 'x/a']), { type: 'L', body: 'x/b\0' }, CHART]), 'several_chart_yaml'],
    ['a name over that of a Chart.yaml', rawTgz([CHART, paxEntry(['path', 'x/a']), CHART]), 'several_chart_yaml'],
    ['a Chart.yaml with a name of pax and one of GNU', rawTgz([paxEntry(['path', 'x/a']), { type: 'L', body: 'x/Chart.yaml\0' }, { ...CHART, name: 'x/c' }]), 'several_chart_yaml'],
    ['a Chart.yaml with a prefix that Go does not take', rawTgz([{ ...CHART, magic: 'ustar 00', patch: { 345: 'y' } }]), 'several_chart_yaml'],
    ['a Chart.yaml with a prefix that only Go takes', rawTgz([{ name: 'Chart.yaml', body: YAML, magic: 'ustar  \0', patch: { 345: 'x' } }]), 'several_chart_yaml'],
    ['a Chart.yaml with a prefix that goes on for others', rawTgz([{ name: 'Chart.yaml', body: YAML, patch: { 345: 'x'.repeat(131), 476: '1', 508: 'tar\0' } }]), 'several_chart_yaml'],
    ['two targets of links', rawTgz([{ type: 'K', body: 'x/a\0' }, { type: 'K', body: 'x/b\0' }, CHART]), 'forbidden_entry'],
    ['two long names', rawTgz([{ type: 'L', body: 'x/a\0' }, { type: 'L', body: 'x/b\0' }, CHART]), 'forbidden_entry'],
    ['a global header between a name and its file', rawTgz([paxEntry(['path', 'x/a']), { type: 'g', body: paxRecords([['comment', 'c']]) }, CHART]), 'forbidden_entry'],
    ['an empty extended header', rawTgz([{ type: 'x' }, CHART]), 'corrupt'],
    ['an endless extended header', rawTgz([{ type: 'x', body: 'x'.repeat(1024 * 1024 + 1) }, CHART]), 'too_large'],
    ['an extended header of more records than any has', rawTgz([{ type: 'x', body: '6 a=b\n'.repeat(10_001) }, CHART]), 'too_large'],
    ['one for all files', rawTgz([{ type: 'g', body: '6 a=b\n'.repeat(10_001) }, CHART]), 'too_large'],
    ['as many as may be, and then one that is none', rawTgz([{ type: 'x', body: `${'6 a=b\n'.repeat(9_999)}4 a=\n` }, CHART]), 'corrupt'],
    // kinds of entries
    ...['3', '4', '6'].map((type): [string, Buffer, ArchiveFault] => [`an entry of type ${type}`, rawTgz([CHART, { name: 'x/l', type }]), 'forbidden_entry']),
    ...['1', '2', 'A', 'V'].map((type): [string, Buffer, ArchiveFault] => [`a Chart.yaml of type ${type}`, rawTgz([{ ...CHART, type, body: '' }]), 'forbidden_entry']),
    ['a Chart.yaml with the mode of a folder', rawTgz([{ ...CHART, mode: 0o40644 }]), 'forbidden_entry'],
    ['a folder with content', rawTgz([{ name: 'x/d', type: '5', body: rawEntry(CHART) }, CHART]), 'forbidden_entry'],
    ['a folder of 1979 with content', rawTgz([{ name: 'x/d/', type: '\0', body: rawEntry(CHART) }, CHART]), 'forbidden_entry'],
    ['a link with content', rawTgz([{ name: 'x/l', type: '1', body: rawEntry(CHART) }, CHART]), 'forbidden_entry'],
    // names
    ...['/x/a', '\\x\\a', 'x/../a', '../a', 'x\\..\\a', 'x/..\\a', 'x/C:/a', 'x/..a', 'x//a', 'x\\/a'].map((name): [string, Buffer, ArchiveFault] => [`the name ${JSON.stringify(name)}`, rawTgz([CHART, { name }]), 'unsafe_name']),
    ...['x/./Chart.yaml', 'x\\Chart.yaml', './Chart.yaml', 'y/Chart.yaml', 'x/a\\Chart.yaml', 'x/chart.YAML'].map((name): [string, Buffer, ArchiveFault] => [`the name ${JSON.stringify(name)} beside a Chart.yaml`, rawTgz([CHART, { ...OTHER, name }]), 'several_chart_yaml']),
    ['a name that a pax header changes', rawTgz([paxEntry(['path', '../../y']), CHART]), 'unsafe_name'],
    ['a folder above its own', rawTgz([CHART, { name: 'x/../y/', type: '5' }]), 'unsafe_name'],
    ['a folder named Chart.yaml', rawTgz([{ name: 'Chart.yaml/Chart.yaml', body: YAML }]), 'unsafe_name'],
    ['a folder with the name of a file', rawTgz([CHART, { name: 'x/Chart.yaml', type: '5' }]), 'forbidden_entry'],
    ['a Chart.yaml in other letters', rawTgz([{ name: 'x/chart.YAML', body: YAML }, CHART]), 'several_chart_yaml'],
    ['only one in other letters', rawTgz([{ name: 'x/chart.yaml', body: YAML }]), 'several_chart_yaml'],
    ['two requirements.yaml', rawTgz([CHART, { name: 'x/requirements.yaml' }, { name: 'y/requirements.yaml' }]), 'several_chart_yaml'],
    ['a requirements.yaml that is a folder', rawTgz([CHART, { name: 'x/requirements.yaml', type: '5' }]), 'forbidden_entry'],
    ['a file beside the folder', rawTgz([CHART, { name: 'x' }]), 'several_roots'],
    ['a file without a name', rawTgz([CHART, { name: '' }]), 'several_roots'],
    ['a file with a long name beside the folder', rawTgz([CHART, { type: 'L', body: 'n'.repeat(300) }, { name: 'n' }]), 'several_roots'],
    ['a file without a folder', rawTgz([{ name: 'Chart.yaml', body: YAML }]), 'several_roots'],
    ['two Chart.yaml', rawTgz([CHART, OTHER]), 'several_chart_yaml'],
    ['a second Chart.yaml by a pax header', rawTgz([CHART, paxEntry(['path', 'x/Chart.yaml']), { ...OTHER, name: 'x/a' }]), 'several_chart_yaml'],
    ['no Chart.yaml', rawTgz([{ name: 'x/values.yaml' }]), 'missing_chart_yaml'],
    ['only one of a subchart', rawTgz([{ name: 'x/charts/y/Chart.yaml', body: YAML }]), 'missing_chart_yaml'],
    ['no entries', rawTgz([]), 'missing_chart_yaml'],
    ['a file that Helm does not read', rawTgz([CHART, { name: 'x/a', body: Buffer.alloc(5 * 1024 * 1024 + 1) }]), 'too_large'],
    ['a large Chart.yaml', rawTgz([{ ...CHART, body: YAML + '#'.repeat(1024 * 1024) }]), 'too_large']
  ]
  for (const [name, bytes, fault] of cases) {
    const result = await read(bytes)
    t.match(result, { ok: false, fault }, name)
    if (!result.ok) t.match(result.detail, /^(the (archive|upload)|Chart.yaml) .{5,}[^.]$/)
  }
})

await t.test('a chart is the same in chunks of any size, and a broken source is an error', async t => {
  const bytes = rawTgz([{ name: 'x/templates/a', body: Buffer.alloc(5000, 'a') }, CHART, { name: 'x/b', body: Buffer.alloc(200_000, 'b') }])
  const trailing = Buffer.concat([bytes, Buffer.alloc(500)])
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: bytes.length }), async chunk => {
    return (await read(bytes, chunk)).ok && !(await read(trailing, chunk)).ok
  }), { numRuns: 30 })
  t.match(await read(Buffer.concat([bytes, Buffer.alloc(300_000)]), 20_000), { ok: false, fault: 'corrupt' }, 'more behind the end than is read at once')
  const faulty = rawTgz([{ name: '/' }, ...Array.from({ length: 300 }, () => ({ name: 'x/a', body: randomBytes(1024) }))])
  t.match(await read(faulty, 2000), { ok: false, fault: 'unsafe_name' }, 'a fault long before the end')
  const broken = Readable.from((async function * () {
    yield bytes.subarray(0, 50)
    throw new Error('the disk went away')
  })())
  await t.rejects(readChartArchive(broken, bytes.length), { message: 'the disk went away' })
})

await t.test('whatever bytes are flipped, the answer is a chart or a fault', async () => {
  const tar = rawTar([{ name: 'x/', type: '5' }, CHART, paxEntry(['path', 'x/longer']), { name: 'x/a', body: 'a' }])
  await fc.assert(fc.asyncProperty(fc.array(fc.tuple(fc.nat(tar.length - 1), fc.nat(255)), { minLength: 1, maxLength: 4 }), async flips => {
    const bytes = Buffer.from(tar)
    for (const [at, value] of flips) bytes[at] = value
    const result = await read(gzipSync(bytes))
    return result.ok || result.detail !== ''
  }), { numRuns: 300 })
  const file = gzipSync(tar)
  await fc.assert(fc.asyncProperty(fc.nat(file.length - 1), fc.nat(255), async (at, value) => {
    const bytes = Buffer.from(file)
    bytes[at] = value
    const result = await read(bytes)
    return !result.ok || gunzipSync(bytes).equals(tar)
  }), { numRuns: 200 })
})
