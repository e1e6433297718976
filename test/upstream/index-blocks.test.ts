// The form in which ChartMuseum writes an index, read line by line: whatever charts are
// called and say of themselves, it is read in this way, at any size, and what is left out
// takes nothing else with it. The embedded repository's writer stands for Go's, which
// it follows byte for byte.
import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { entryYaml, indexYaml } from '../../src/repository/index-yaml.ts'
import { rewriteBlocks, type Rewritten } from '../../src/upstream/index-blocks.ts'
import type { IndexPlace } from '../../src/upstream/index-links.ts'

interface Version { readonly version: string, readonly urls: readonly string[], readonly [key: string]: unknown }
type Charts = Readonly<Record<string, readonly Version[]>>

const AT: IndexPlace = { tenantPath: 'org1/repo1', basePath: '' }
const AWAY = 'https://evil.example.test/'

function write (charts: Charts): string {
  const texts = Object.entries(charts).map(([name, versions]) => [name, versions.map(version => entryYaml({ name, ...version } as Parameters<typeof entryYaml>[0]))] as const)
  return indexYaml({ charts: texts, generated: new Date(0), contextPath: '' })
}

function read (text: string): Record<string, unknown[]> {
  return (parse(text, { schema: 'failsafe', uniqueKeys: false }) as { entries: Record<string, unknown[]> }).entries
}

function rewrite (charts: Charts): Rewritten {
  const result = rewriteBlocks(write(charts), AT)
  if (result === undefined) throw new Error('it is taken for another form')
  return result
}

const LONG = 'n'.repeat(129)
const version = (version: string, url: string): Version => ({ apiVersion: 'v2', version, urls: [url] })

await t.test('a chart with a long name is written ? name, and read as any other', t => {
  const charts = { [LONG]: [version('1.0.0', `charts/${LONG}-1.0.0.tgz`), version('2.0.0', `charts/${LONG}-2.0.0 (1).tgz`)], after: [version('1.0.0', 'charts/after-1.0.0.tgz')] }
  t.match(write(charts), new RegExp(`^ {2}\\? ${LONG}\\n {2}: - apiVersion: v2$`, 'm'), 'this is what Go writes')
  const { text, leftOut } = rewrite(charts)
  t.strictSame(leftOut, [])
  t.equal(text, write({ ...charts, [LONG]: [charts[LONG]?.[0] as Version, version('2.0.0', `charts/${LONG}-2.0.0%20%281%29.tgz`)] }))
  t.end()
})

await t.test('a version that is left out leaves an index as it would be without it', t => {
  const good = (name: string, number: string): Version => version(number, `charts/${name}-${number}.tgz`)
  const bad = version('9.9.9', AWAY)
  for (const name of ['chart', LONG, '1e1', '---', '<<', `a ${'b '.repeat(80)}c`]) {
    const file = name.replaceAll(' ', '-').replaceAll('<', 'x')
    const [first, second, neighbour] = [good(file, '1.0.0'), good(file, '2.0.0'), good('z', '1.0.0')]
    for (const [versions, left] of [[[bad, first, second], [first, second]], [[first, bad, second], [first, second]], [[first, second, bad], [first, second]], [[bad, first, bad, second, bad], [first, second]], [[bad], []], [[bad, bad], []]] as const) {
      const { text, leftOut } = rewrite({ [name]: versions, z: [neighbour] })
      const expected = left.length === 0 ? write({ z: [neighbour] }) : write({ [name]: left, z: [neighbour] })
      t.equal(text, expected.replace(/^ {2}<<:$/m, '  "<<":'), `${name.slice(0, 9)}: ${versions.map(({ version }) => version).join()}`)
      t.equal(leftOut.length, versions.length - left.length)
    }
  }
  t.equal(rewrite({ a: [bad], [LONG]: [bad, bad] }).text, write({}), 'an index without entries')
  t.end()
})

await t.test('of several links those that lead here stay', t => {
  const { text, leftOut } = rewrite({ a: [{ version: '1', urls: [AWAY, 'charts/a-1.tgz', 'charts/b\\c.tgz', 'charts/a-1 (1).tgz', 'https://x/a-1.tgz', 'https://x/a-1%20%281%29.tgz'] }] })
  t.strictSame(read(text)['a'], [{ name: 'a', version: '1', urls: ['charts/a-1.tgz', 'charts/a-1%20%281%29.tgz', 'charts/a-1.tgz', 'charts/a-1%20%281%29.tgz'] }])
  t.match(leftOut, [{ chart: 'a', version: '1', file: '', reason: 'leads_elsewhere' }, { file: 'b\\c.tgz', reason: 'unsayable_name' }])
  t.end()
})

await t.test('a link that goes on below is read to its end', t => {
  const lines = (urls: string): string => `apiVersion: v1\nentries:\n  a:\n  - name: a\n    urls:\n${urls}    version: "1"\nserverInfo: {}\n`
  const cases: [urls: string, rewritten: string][] = [
    ['    - charts/a-1\n      (1).tgz\n', '    - charts/a-1%20%281%29.tgz\n'],
    ['    - charts/a-1.tgz\n    - charts/b-1.tgz\n      c\n      d.tgz\n    - charts/e-1.tgz\n', '    - charts/a-1.tgz\n    - charts/b-1.tgz%20c%20d.tgz\n    - charts/e-1.tgz\n'],
    ['    - charts/a-1.tgz\n    - charts/b-1.tgz\n      c\n', '    - charts/a-1.tgz\n'],
    ["    - 'https://x/org1/repo1/charts/a: b\n      c.tgz'\n", '    - charts/a%3A%20b%20c.tgz\n']
  ]
  for (const [urls, rewritten] of cases) t.equal(rewriteBlocks(lines(urls), AT)?.text, lines(rewritten), urls)
  t.equal(rewriteBlocks(lines('      charts/a-1.tgz\n'), AT), undefined)
  t.end()
})

await t.test('an entry without links is none of our business', t => {
  for (const urls of ['    urls: []\n', '']) {
    const text = `apiVersion: v1\nentries:\n  a:\n  - name: a\n${urls}    version: 1.0.0\n  b: []\n  c:\nserverInfo: {}\n`
    t.strictSame(rewriteBlocks(text, AT), { text, leftOut: [] })
  }
  t.end()
})

await t.test('<< is a text, as a name and as a key, and never takes the index from a reader', t => {
  const text = write({ '<<': [version('1.0.0', 'charts/<<-1.0.0.tgz')], a: [{ annotations: { '<<': 'x', b: '<<: y' }, version: '1', urls: ['charts/a-1.tgz'] }], b: [{ description: 'x\n<<: y', annotations: { x: 'a\n<<: b' }, version: '1', urls: ['charts/b-1.tgz'] }] })
  t.match(text, /^ {6}<<: x$/m, 'Go writes it so, and takes it for the key of a merge')
  const entries = parse(rewriteBlocks(text, AT)?.text ?? '', { version: '1.1', merge: true }) as { entries: Charts }
  t.strictSame(entries.entries['<<']?.[0]?.urls, ['charts/%3C%3C-1.0.0.tgz'])
  t.strictSame(entries.entries['a']?.[0]?.['annotations'], { '<<': 'x', b: '<<: y' })
  t.match(entries.entries['b']?.[0], { description: 'x\n<<: y', annotations: { x: 'a\n<<: b' } })
  for (const values of [[{ '<<': 1 }], [[{ '<<': 1 }]], [{ [LONG]: { '<<': 1 } }]]) {
    const { text, leftOut } = rewrite({ a: [{ dependencies: [{ name: 'x', 'import-values': values }], version: '1', urls: ['charts/a-1.tgz'] }], b: [version('1', 'charts/b-1.tgz')] })
    t.strictSame([Object.keys(read(text)), leftOut.map(({ chart, file, reason }) => [chart, file, reason])], [['b'], [['a', 'a-1.tgz', 'unreadable']]])
  }
  t.end()
})

await t.test('line ends of YAML 1.1 in the text of one chart cost no other one the index', t => {
  const b = [version('1', 'charts/b-1.tgz')]
  const outcome = (annotation: string, more: object = {}): unknown => {
    const { text, leftOut } = rewrite({ a: [{ annotations: { x: annotation }, version: '1', urls: ['charts/a-1.tgz'], ...more }], b })
    t.ok(read(text)['b'], 'the neighbour is there')
    return leftOut.length === 0 ? 'there' : leftOut[0]?.reason
  }
  for (const end of ['\u2028', '\u2029']) {
    t.equal(outcome(`a${end}b`), 'there', 'its indentation follows')
    t.equal(outcome(`a${end}`), 'there', 'its closing quote follows')
    t.equal(outcome(`a${end}    urls:${end}    - ${AWAY}`), 'there', 'an escape')
    t.equal(outcome(`a\n${end}b`), 'unreadable', 'some readers see the end of a text here')
    t.equal(outcome('a', { urls: [`charts/a${end}-1.tgz`] }), 'unreadable')
    const hidden = write({ a: [version('1', 'charts/a-1.tgz')], b }).replace('apiVersion: v2', `apiVersion: v2${end}    home: x`)
    t.match(rewriteBlocks(hidden, AT)?.leftOut, [{ chart: 'a', reason: 'unreadable' }], 'a key that only some see')
    t.equal(rewriteBlocks(write({ a: b }).replace('  a:', `  a:${end}`), AT), undefined, 'beside the charts')
    t.equal(rewriteBlocks(write({ a: b }).replace('generated: ', `generated: x${end}`), AT), undefined, 'below them')
    t.equal(rewriteBlocks(write({ a: b }).replace('    - charts', `${end}    - charts`), AT), undefined, 'a link that stands in two places')
  }
  t.end()
})

await t.test('another form is not taken for this one', t => {
  const forms = [
    'apiVersion: v1\nentries:\n  a:\n  - name: a\nother: x\n', 'apiVersion: v1\nentries:\n  a:\n    - name: a\n', 'apiVersion: v1\nentries:\n  a: x\n', 'apiVersion: v1\nentries:\n  - a\n', 'apiVersion: v1\nentries:\n    a:\n', 'apiVersion: v1\nentries:\n  a:\n  - {}\n', 'apiVersion: v1\nentries:\n  a:\n  - name\n',
    'apiVersion: v1\nentries:\n  [a]:\n  - name: a\n', 'apiVersion: v1\nentries:\n  "a" "b":\n  - name: a\n', 'apiVersion: v1\nentries:\n  a: b:\n  - name: a\n', 'apiVersion: v1\nentries:\n  ? a\n', 'apiVersion: v1\nentries:\n  ? a\n  : b\n', 'apiVersion: v1\nentries:\n  ? [a]\n  : - name: a\n', 'apiVersion: v1\nentries:\n  ? a\ngenerated: x\n', 'apiVersion: v1\nentries:\n  ? a\n  : - name: a\n  - name: b\n',
    'apiVersion: v1\nentries:\n  a:\n  - name: a\n    ? b\n    : c\n', 'apiVersion: v1\nentries:\n  a:\n  - name: a\n   x: y\n', 'apiVersion: v1\nentries:\n  a:\n  - name: a\n    urls:\n      - x\n', 'apiVersion: v1\nentries:\n  a:\n  - name: a\n    urls:\n    -\n', 'apiVersion: v1\nentries:\n  a:\n  - name: a\n    urls:\n    - x\n\n    version: 1\n', 'apiVersion: v1\nentries:\n  a:\n  - name: a\n    urls: x\n', 'apiVersion: v1\nentries:\n  a:\n  - urls:\n    - x\n',
    'apiVersion: v1\nentries: {}\nserverInfo:\n  other: x\n', 'apiVersion: v1\nentries: {}\ngenerated:\n  x\n', 'apiVersion: v1\nentries: {}\nserverInfo: {}\ngenerated: x\n', 'apiVersion: v1\nentries: {}\r\n', 'entries: {}\n'
  ]
  for (const text of forms) t.equal(rewriteBlocks(text, AT), undefined, JSON.stringify(text))
  t.equal(rewriteBlocks('apiVersion: v1\nentries: {}\n', { ...AT, basePath: '/helm' }), undefined, 'where a key would have to be added')
  for (const text of ['apiVersion: v1\nentries:\n  a:\n  - keywords:\n    -\n    name: a\n', 'apiVersion: v1\nentries:\n\n  a:\n\n  - name: a\n\n    version: 1\n', 'apiVersion: v1\nentries:\n  a:\n  - name: a\n    urls:\n    - charts/a.tgz\n']) t.equal(rewriteBlocks(text, AT)?.text, text, JSON.stringify(text))
  t.end()
})

await t.test('name and version are found as they are written, and nowhere else', t => {
  const cases: [name: string, lines: string, url: string][] = [
    ["it's: x", '  - name: \'it\'\'s: x\'\n', "https://x/it's: x-1.tgz"],
    ['folded', `  - description: |-\n      x\n      name: evil\n    name: ${'a '.repeat(50).trim()}\n      b\n`, `https://x/${'a '.repeat(50)}b-1.tgz`],
    ['behind others', '  - dependencies:\n    - name: evil\n      version: 2\n    name: a\n', 'https://x/a-1.tgz'],
    ['not at all', '  - apiVersion: v2\n    name: |-\n      evil\n', 'https://x/-1.tgz']
  ]
  for (const [name, lines, url] of cases) {
    const result = rewriteBlocks(`apiVersion: v1\nentries:\n  c:\n${lines}    urls:\n    - ${JSON.stringify(url)}\n    version: "1"\n`, AT)
    t.strictSame(result?.leftOut, [], name)
  }
  t.end()
})

await t.test('whatever a chart is called and says of itself, its index is read line by line, and the rest stays as it was', async () => {
  const unit = fc.oneof(fc.constantFrom(...'ab01.:-# \n\'"|>&*!%@`[]{},?~\\<\u2028\t'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }))
  const text = fc.oneof(fc.string({ unit, maxLength: 10 }), fc.string({ unit: fc.constantFrom(...'ab -'), minLength: 70, maxLength: 150 }), fc.constantFrom('<<', 'null', '1e1', '---', 'urls:', '    urls:\n    - https://evil.example.test/x.tgz', 'x\u2028    urls:\u2028    - https://evil.example.test/x.tgz', '\n\u2028x'))
  const oneLine = text.map(text => text.replace(/\s/gu, ' ')) // what Helm cleans
  const name = fc.oneof(fc.string({ unit: fc.constantFrom(...'aZ09._-'), minLength: 1, maxLength: 6 }), fc.string({ unit: fc.constantFrom(...'a.-'), minLength: 126, maxLength: 180 }), oneLine).filter(name => name !== '' && !['__proto__', '<<'].includes(name))
  const chart = fc.record({ annotations: fc.dictionary(text.filter(key => key !== '__proto__' && key !== '<<'), text, { minKeys: 1, maxKeys: 3 }), apiVersion: text, description: oneLine, keywords: fc.array(oneLine, { maxLength: 2 }), version: fc.constantFrom('1.0.0', '1', '1.1'), end: fc.constantFrom('', '', ' (1)', '\u2028', ' b'.repeat(50)) })
  fc.assert(fc.property(fc.dictionary(name, fc.array(chart, { minLength: 1, maxLength: 2 }), { minKeys: 1, maxKeys: 5 }), found => {
    const charts = Object.fromEntries(Object.entries(found).map(([name, versions]) => [name, versions.map(({ end, ...chart }) => ({ ...chart, urls: [`charts/${name}-${chart.version}${end}.tgz`] }))]))
    const { text, leftOut } = rewrite(charts)
    const versions = Object.entries(charts).flatMap(([, versions]) => versions).length
    const urls = [...text.matchAll(/^ {4}(?: {2})?urls:\n((?: {4,6}- .*\n)*)/gm)].flatMap(match => (match[1] as string).trimEnd().split('\n'))
    return urls.length === versions - leftOut.length && urls.every(line => /^ +- charts\/[A-Za-z0-9._~+%-]+\.tgz$/.test(line))
  }), { numRuns: 500 })
})
