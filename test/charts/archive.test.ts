import { Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import t from 'tap'
import { readChartArchive, readProvenance, type ArchiveFault, type ArchiveResult } from '../../src/charts/archive.ts'
import { archiveOf, chartOf, chartYaml, provenanceOf, type Entry } from '../helpers/packages.ts'

const read = async (bytes: Buffer, strict = true): Promise<ArchiveResult> => await readChartArchive(Readable.from([bytes].filter(each => each.length > 0)), { strict, keep: path => path === 'values.yaml' })
const yaml = (body: string): Entry[] => [{ name: 'x/Chart.yaml', body }]
const good: Entry = { name: 'x/Chart.yaml', body: chartYaml('x', '1.0.0') }

await t.test('a chart says its name, version and metadata, and keeps the files that were asked for', async t => {
  for (const strict of [true, false]) {
    const result = await read(await chartOf('mychart', '1.2.3+b', [{ name: 'mychart/charts/sub/Chart.yaml', body: chartYaml('sub', '9.0.0') }, { name: 'mychart/crds', type: 'directory' }]), strict)
    t.match(result, { ok: true, chart: { name: 'mychart', version: '1.2.3+b', metadata: { description: 'a <chart> & more' } } })
    if (result.ok) t.same([...result.chart.files].map(([path, body]) => [path, body.toString()]), [['values.yaml', 'replicas: 1\n']])
  }
})

await t.test('everything that two readers could read differently is refused', async t => {
  const many = Array.from({ length: 10_001 }, (_, i) => ({ name: `x/${i}` }))
  const cases: [string, Buffer, ArchiveFault][] = [
    ['nothing', Buffer.alloc(0), 'empty'],
    ['text', Buffer.from('hello, I am no archive'), 'not_gzip'],
    ['no tar', gzipSync(Buffer.from('x'.repeat(2000))), 'corrupt'],
    ['a truncated archive', (await chartOf('x', '1.0.0')).subarray(0, 100), 'corrupt'],
    ['a bomb', gzipSync(Buffer.alloc(101 * 1024 * 1024)), 'too_large'],
    ['a large Chart.yaml', await archiveOf(yaml('#'.repeat(6 * 1024 * 1024))), 'too_large'],
    ['too many entries', await archiveOf(many), 'too_many_entries'],
    ['an absolute name', await archiveOf([{ name: '/x/Chart.yaml', body: chartYaml('x', '1.0.0') }]), 'unsafe_name'],
    ['a dot segment', await archiveOf([good, { name: 'x/../../y' }]), 'unsafe_name'],
    ['a leading dot', await archiveOf([{ name: './x/Chart.yaml', body: chartYaml('x', '1.0.0') }]), 'unsafe_name'],
    ['an empty segment', await archiveOf([{ name: 'x//Chart.yaml', body: chartYaml('x', '1.0.0') }]), 'unsafe_name'],
    ['a backslash', await archiveOf([good, { name: 'x\\..\\y' }]), 'unsafe_name'],
    ['a link', await archiveOf([good, { name: 'x/l', type: 'symlink', linkname: '/etc/passwd' }]), 'forbidden_entry'],
    ['a hard link', await archiveOf([good, { name: 'x/l', type: 'link', linkname: 'x/Chart.yaml' }]), 'forbidden_entry'],
    ['two folders', await archiveOf([good, { name: 'y/Chart.yaml' }]), 'several_roots'],
    ['a file beside the folder', await archiveOf([good, { name: 'x' }]), 'several_roots'],
    ['two Chart.yaml', await archiveOf([good, good]), 'several_chart_yaml'],
    ['the same file twice', await archiveOf([good, { name: 'x/a' }, { name: 'x/a' }]), 'unsafe_name'],
    ['no Chart.yaml', await archiveOf([{ name: 'x/values.yaml' }]), 'missing_chart_yaml'],
    ['broken YAML', await archiveOf(yaml('a: [')), 'invalid_chart_yaml'],
    ['a duplicate key', await archiveOf(yaml(chartYaml('x', '1.0.0') + 'name: y\n')), 'invalid_chart_yaml'],
    ['a list', await archiveOf(yaml('- a\n')), 'invalid_chart_yaml'],
    ['no name', await archiveOf(yaml('version: 1.0.0\n')), 'invalid_name'],
    ['a name with a path', await archiveOf(yaml(chartYaml('../../org2/x', '1.0.0'))), 'invalid_name'],
    ['no version', await archiveOf(yaml('name: x\n')), 'invalid_version'],
    ['a version that is a number', await archiveOf(yaml('name: x\nversion: 1.10\n')), 'invalid_version'],
    ['a version with a path', await archiveOf(yaml(chartYaml('x', '1.0.0/../y'))), 'invalid_version']
  ]
  for (const [name, bytes, fault] of cases) {
    const result = await read(bytes)
    t.match(result, { ok: false, fault }, name)
    if (!result.ok) t.ok(result.detail.length > 10)
  }
})

await t.test('the lenient reader takes what Helm reads, and no name that leaves its place', async t => {
  t.match(await read(await archiveOf([{ name: 'other/' + 'Chart.yaml', body: chartYaml('x', 'v1.2') }, { name: 'beside' }]), false), { ok: true, chart: { name: 'x', version: 'v1.2' } })
  t.match(await read(await archiveOf(yaml(chartYaml('../x', '1.0.0'))), false), { ok: false, fault: 'invalid_name' })
})

await t.test('a provenance file names one chart', t => {
  t.same(readProvenance(provenanceOf('mychart', '1.2.3')), { ok: true, name: 'mychart', version: '1.2.3' })
  t.same(readProvenance(provenanceOf('"mychart"', "'1.2.3'")), { ok: true, name: 'mychart', version: '1.2.3' })
  const bad = ['', 'hello', provenanceOf('../x', '1.0.0'), provenanceOf('x', '1.0.0/..'), provenanceOf('x', '1.0.0\nname: y'), provenanceOf('x', '1.0.0\nversion: 2.0.0'), provenanceOf('x', '1.0.0').replace('\nname:', '\nother:')]
  for (const text of bad) t.equal(readProvenance(text).ok, false, text.slice(0, 80))
  t.end()
})
