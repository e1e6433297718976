// Is it what Go makes of it? Tables that Masterminds/semver v3.4.0, sigs.k8s.io/yaml
// v1.6.0 and Helm v3.20.0 (chart.Metadata, repo.ChartVersion) printed, as ChartMuseum
// 0.16.5 links them: versions and constraints, YAML scalars and keys, Chart.yaml.
import { readFileSync } from 'node:fs'
import fc from 'fast-check'
import t from 'tap'
import { parse, stringify } from 'yaml'
import { checkMetadata, LOCK, METADATA } from '../../src/repository/chart-metadata.ts'
import { goFloat, goJson, goJsonString, compareBytes, type GoStruct, type GoValue } from '../../src/repository/go-json.ts'
import { atOnce } from '../../src/lib/steps.ts'
import { readGoYaml, readWholeYaml, yamlBudget } from '../../src/repository/go-yaml.ts'
import { compareKeys, entryYaml, indexYaml } from '../../src/repository/index-yaml.ts'
import { readSimpleYaml } from '../../src/repository/simple-yaml.ts'
import { ANY_MAP, unmarshalValue, type GoType } from '../../src/repository/unmarshal.ts'
import { newestFirst, parseConstraint, parseVersion, type Version } from '../../src/repository/versions.ts'
import { dataUrl } from '../helpers/data.ts'

const load = (name: string): unknown => JSON.parse(readFileSync(dataUrl(`chartmuseum/${name}`), 'utf8'))

interface SemverTable {
  readonly versions: readonly string[]
  readonly invalid: readonly string[]
  readonly newestFirst: readonly string[]
  readonly constraints: readonly { readonly constraint: string, readonly error?: string, readonly matches: readonly string[] }[]
}
interface YamlTable {
  readonly scalars: readonly { readonly text: string, readonly value: string, readonly item: string, readonly key: string }[]
  readonly keys: readonly string[]
  readonly sorted: string
}
type MetadataTable = readonly { readonly chartYaml: string, readonly error?: string, readonly json?: string, readonly yaml?: string }[]

const semver = load('semver.json') as SemverTable
const yaml = load('yaml.json') as YamlTable
const metadata = load('metadata.json') as MetadataTable

/** Both ways to read YAML, the long one last. */
const READERS = [readGoYaml, readWholeYaml] as const
const readAll = (text: string): { readonly ok: boolean, readonly value?: unknown, readonly message?: string } => atOnce(readWholeYaml(Buffer.from(text), yamlBudget()))
const valueOf = (text: string): unknown => readAll(text).value
const metadataOf = (bytes: Buffer, read: typeof readGoYaml): ReturnType<typeof checkMetadata> => {
  const found = unmarshalValue(atOnce(read(bytes, yamlBudget())), METADATA, {})
  return found.ok ? checkMetadata({ ...found.value as GoStruct, apiVersion: (found.value as GoStruct)['apiVersion'] || 'v1' }) : found
}

const versionOf = (text: string): Version => parseVersion(text) as Version

void t.test('versions are those of Masterminds/semver, and in its order', async t => {
  for (const text of semver.versions) t.ok(parseVersion(text), text)
  for (const text of semver.invalid) t.equal(parseVersion(text), undefined, text)
  t.strictSame([...semver.versions].sort((a, b) => newestFirst(versionOf(a), versionOf(b))), semver.newestFirst)
  t.ok(newestFirst(undefined, versionOf('1.0.0')) > 0, 'what is no version comes last')
  t.ok(newestFirst(versionOf('1.0.0'), undefined) < 0)
  t.equal(newestFirst(undefined, undefined), 0)
  t.equal(parseVersion('1'.repeat(1_000_000)), undefined, 'a number that is too long is not looked at')
  t.match(parseVersion(`${'0'.repeat(40)}.${'0'.repeat(40)}1`), { major: 0n, minor: 1 })
})

void t.test('constraints take what they take there, and are refused in the same words', async t => {
  for (const { constraint, error, matches } of semver.constraints) {
    const parsed = parseConstraint(constraint)
    if (parsed.ok) t.strictSame(semver.versions.filter(version => parsed.matches(versionOf(version))), error === undefined ? matches : error, constraint)
    else t.equal(parsed.message, error, constraint)
  }
  t.notOk(parseConstraint('1'.repeat(257)).ok, 'a very long one is not tried')
})

void t.test('scalars are quoted as sigs.k8s.io/yaml does, as values, items and keys', async t => {
  const inTable = (entry: GoStruct): string => `entries:\n  a:\n${entryYaml(entry)}`
  for (const { text, value, item, key } of yaml.scalars) {
    t.equal(inTable({ v: text }), value, encodeURIComponent(text))
    t.equal(inTable({ v: [text, 'z'] }), item, `item ${encodeURIComponent(text)}`)
    if (key !== '') t.equal(inTable({ [text]: 'z' }), key, `key ${encodeURIComponent(text)}`)
  }
  t.equal(inTable(Object.fromEntries(yaml.keys.map(key => [key, 'v']))), yaml.sorted, 'the order of keys')
})

void t.test('Chart.yaml becomes the same metadata, in the API and in the index', async t => {
  for (const { chartYaml, error, json, yaml } of metadata) {
    for (const read of READERS) {
      const result = metadataOf(Buffer.from(chartYaml), read)
      if (error !== undefined) {
        t.notOk(result.ok, chartYaml)
        if (!result.ok && error.startsWith('validation:')) t.equal(result.message, error)
        continue
      }
      if (!result.ok) {
        t.fail(`${chartYaml}: ${result.message}`)
        continue
      }
      const entry = { ...result.metadata, urls: ['charts/x.tgz'], created: '0001-01-01T00:00:00Z', digest: 'd' }
      t.equal(goJson(entry), json)
      t.equal(`entries:\n  a:\n${entryYaml(JSON.parse(goJson(entry)) as GoStruct)}`, yaml)
    }
  }
})

// What Helm 3.21.4 read of them (sigs.k8s.io/yaml v1.6.0), into the type that is named.
interface RecordedYaml { readonly type: 'any' | 'map' | 'lock' | 'metadata', readonly text?: string, readonly base64?: string, readonly error?: string, readonly json?: unknown }
const TYPES: Readonly<Record<RecordedYaml['type'], GoType>> = { any: 'any', map: ANY_MAP, lock: LOCK, metadata: METADATA }
/** Where ours do not go on: with values of the file, or with which part of a time it is. */
const SAME = /^.*(?:invalid map key: |unsupported map key of type: |parsing time ")/

void t.test('YAML is read as Helm reads it, and refused in its words', async t => {
  const documents = readFileSync(dataUrl('chartmuseum/yaml-documents.jsonl'), 'utf8').trimEnd().split('\n').map(line => JSON.parse(line) as RecordedYaml)
  for (const { type, text, base64, error, json } of documents) {
    const bytes = text === undefined ? Buffer.from(base64 as string, 'base64') : Buffer.from(text)
    const what = `${type} ${encodeURIComponent(bytes.toString('latin1')).slice(0, 80)}`
    for (const read of READERS) {
      const found = type === 'metadata' ? metadataOf(bytes, read) : unmarshalValue(atOnce(read(bytes, yamlBudget())), TYPES[type], type === 'map' ? new Map() : null)
      if (error !== undefined) {
        const same = SAME.exec(error)?.[0]
        t.equal(found.ok ? 'it is read' : found.message.slice(0, same?.length), same ?? error, what)
      } else if (!found.ok) t.fail(`${what}: ${found.message}`)
      else if (type !== 'lock') t.strictSame(JSON.parse(goJson('metadata' in found ? found.metadata : found.value)), json, what)
    }
  }
})

void t.test('a scalar is what Go takes it for, and what says what it is must be that', async t => {
  const read = (scalar: string): unknown => (valueOf(`a: ${scalar}\n`) as ReadonlyMap<string, unknown> | undefined)?.get('a')
  const scalars: readonly (readonly [string, unknown])[] = [
    ['0_x10', 16n], ['1e_5', 100000], ['e1', 'e1'], ['2001-99-99', '2001-99-99'], ['1:30', '1:30'], ['', null], ['"0x10"', '0x10'], ["'yes'", 'yes'],
    ['!!int 0x10', 16n], ['!!int "16"', 16n], ['!!int e1', undefined], ['!!float 1e3', 1000], ['!!float 5', 5], ['!!float yes', undefined], ['!!bool "yes"', true], ['!!bool 1', undefined], ['!!null ~', null], ['!!null x', undefined],
    ['!!str 5', '5'], ['! 5', '5'], ['!!timestamp 2001-01-01', '2001-01-01'], ['!!binary eA==', 'x']
  ]
  for (const [scalar, value] of scalars) t.same(read(scalar), value, scalar)
  t.strictSame(valueOf('e1: a\n0x10: b\n<<: {c: d}\n'), new Map<unknown, unknown>([['e1', 'a'], [16n, 'b'], ['c', 'd']]))
})

void t.test('the quick reader of YAML sees what the whole one sees, or nothing', async t => {
  for (const { chartYaml } of metadata) {
    const quick = readSimpleYaml(chartYaml)
    if (quick !== undefined) t.strictSame(quick, valueOf(chartYaml), chartYaml)
  }
  for (const text of ['a:\n- b\n- c: d\n  e: f\ng:\n  h:\n  - i\nj: ""\n', '# x\n\na: "b: c"\nb: \'d\'\nc:\nd: 1.2.3\n', '- a\n- b: c\n', 'a:\n  - b\n  - c\nd: ~1.2\n', 'a:\nb: c', '# é 😀\na: b\n']) {
    t.strictSame(readSimpleYaml(text), valueOf(text), text)
    t.not(readSimpleYaml(text), undefined, `${text} is simple`)
  }
  t.equal(readSimpleYaml(Array.from({ length: 300 }, (_, i) => `${' '.repeat(i)}a:`).join('\n')), undefined)
  for (const text of ['', '\ta: b', 'a: b\r\n', 'a: |\n  x\n', 'a: *b', 'a:  b', 'a: b\n  c\n', 'yes: 1', 'a: 1.5', 'a: [b]', 'a: b # c', 'a: b\n c: d', '- - a', '  a: b\nc: d', 'a: b\n- c', 'a: "x\\n"', '-a: b', 'a:\n    - b\n  - c', `${'k'.repeat(2000)}: b`, '# \u2028b: c\na: b\n', '# \x07\na: b\n', '\ufeffa: b', 'a: b\n# \ufffd']) t.equal(readSimpleYaml(text), undefined, encodeURIComponent(text.slice(0, 20)))
  const scalar = fc.oneof(fc.constantFrom('a', 'true', 'y', '1.2', '1.2.3', '~1', '"q"', "'q'", '', ' ', 'a b', 'x: y', '#c', 'a #c', '- z', '>=1', '[]', '{}', '1.x', 'http://x/y', 'null', '2020-01-01', '|', '12:30:45'), fc.string({ maxLength: 8 }))
  const line = fc.tuple(fc.constantFrom('', '  ', '    ', '- ', '  - '), fc.constantFrom('a: ', 'b: ', 'c:', 'k-1: ', ''), scalar).map(parts => parts.join(''))
  fc.assert(fc.property(fc.array(line, { maxLength: 8 }), lines => {
    const text = lines.join('\n') + '\n'
    const quick = readSimpleYaml(text)
    if (quick !== undefined) t.strictSame(quick, valueOf(text))
  }), { numRuns: 2_000 })
})

void t.test('of more YAML than anybody has nothing is made', async t => {
  const most = 'exceeded max depth of 1000'
  const deep = (levels: number): string => '['.repeat(levels) + ']'.repeat(levels)
  t.ok(readAll(deep(1000)).ok, 'a thousand levels are some')
  const cases: readonly (readonly [string, string])[] = [
    [deep(1001), most], ['? '.repeat(20_000), most], ['['.repeat(20_000), most],
    [`- &a ${deep(990)}\n- [[[[[[[[[[[[*a]]]]]]]]]]]]\n`, most],
    ['- a\n'.repeat(260_000), 'more YAML than a chart has'],
    [`- &a "${'x'.repeat(1_000_000)}"\n${'- *a\n'.repeat(17)}`, 'document contains excessive aliasing']
  ]
  for (const [text, message] of cases) t.strictSame(readAll(text), { ok: false, message: `yaml: ${message}` })
  t.ok(readAll(`- &a [${'x, '.repeat(100)}]\n${'- b\n'.repeat(100_000)}${'- *a\n'.repeat(3_500)}`).ok, 'of a large file many nodes may be aliases')
})

void t.test('whatever is in an entry, a YAML 1.1 reader gets it back from the index', async t => {
  const text = fc.string({ unit: fc.oneof(fc.constantFrom(...'abc01.:-# \n\'"|>&*!%@`[]{},?~\\'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 })), maxLength: 12 }).filter(value => !/^[-+]?[._]+$|[\r\u0085\u2028\u2029\ufeff]/.test(value))
  const value = fc.letrec(tie => ({ any: fc.oneof({ maxDepth: 3 }, text, fc.boolean(), fc.constant(null), fc.integer(), fc.array(tie('any'), { maxLength: 3 }), fc.dictionary(text.filter(key => key !== '__proto__'), tie('any'), { maxKeys: 3 })) })).any
  fc.assert(fc.property(value, found => {
    const entry = { name: 'a', value: found } as GoStruct
    const index = indexYaml({ charts: [['a', [entryYaml(entry)]]], generated: new Date(0), contextPath: '' })
    const read = parse(index, { version: '1.1', uniqueKeys: false }) as { entries: { a: unknown[] } }
    t.same(read.entries.a[0], entry)
  }), { numRuns: 500 })
  t.match(stringify(parse(indexYaml({ charts: [], generated: new Date(1_499), contextPath: '/ctx' }))), 'contextPath: /ctx')
})

void t.test('numbers, text and order are written as Go writes them', async t => {
  const floats: readonly [number, 32 | 64, string][] = [
    [1.1, 32, '1.1'], [1.16, 32, '1.16'], [2.123456789, 32, '2.1234567'], [1e6, 64, '1e+06'], [1234567.5, 64, '1.2345675e+06'], [1e-5, 64, '1e-05'],
    [0.0001, 64, '0.0001'], [-0, 64, '-0'], [1e300, 64, '1e+300'], [1e300, 32, '+Inf'], [-Infinity, 64, '-Inf'], [NaN, 64, 'NaN'], [100000, 32, '100000']
  ]
  for (const [value, bits, text] of floats) t.equal(goFloat(value, bits), text)
  t.equal(goJsonString('<a & b>\u2028\u2029'), '"\\u003ca \\u0026 b\\u003e\\u2028\\u2029"')
  t.equal(goJson(new Map<string, GoValue>([['b', 1], ['a', [true, null]], ['10', { z: 'x', a: 2.5 }]])), '{"10":{"z":"x","a":2.5},"a":[true,null],"b":1}')
  t.ok(compareBytes('\ufffd', '\u{10000}') < 0, 'by code points, not by UTF-16')
  t.equal(compareBytes('a', 'a'), 0)
  t.ok(compareKeys('a', 'a') === 0)
  t.equal(entryYaml({ half: 1.5, big: 1e21 }), '  - big: 1e+21\n    half: 1.5\n')
})
