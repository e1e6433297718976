import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { rewriteIndex, type RewriteResult } from '../../src/upstream/index-rewrite.ts'
import type { IndexPlace } from '../../src/upstream/index-links.ts'
import { RECORDINGS } from '../repository/recordings.ts'

const AT: IndexPlace = { tenantPath: 'org1/repo1', basePath: '' }
const rewrite = (text: string, place: IndexPlace = AT): RewriteResult => rewriteIndex(Buffer.from(text), place)

function rewritten (text: string, place: IndexPlace = AT): string {
  const result = rewrite(text, place)
  return result.ok ? result.body.toString() : `refused: ${result.cause}`
}

const index = (urls: string, more = '', end = 'generated: "2026-11-23T23:16:33Z"\nserverInfo: {}\n'): string => `apiVersion: v1
entries:
  mychart:
  - apiVersion: v2
    created: "2026-11-23T23:15:59.165048847Z"
    dependencies:
    - name: sub
      repository: https://dependencies.example.test/
      urls:
      - https://not-looked-at.example.test/
    description: |-
      a chart
        urls:
        - https://evil.example.test/
    home: https://example.test/mychart
    name: mychart
    sources:
    - https://git.example.test/mychart
${more}    urls:
${urls}    version: 0.1.0
${end}`

await t.test('an index of ChartMuseum that leads nowhere else passes byte for byte', t => {
  for (const { id, response, server } of RECORDINGS.filter(({ id, response }) => /index/.test(id) && / 200 /.test(response.statusLine) && typeof response.body === 'string' && response.body !== '')) {
    const contextPath = /--context-path=(\S+)/.exec(server)?.[1] ?? ''
    const raw = Buffer.from(response.body as string)
    const result = rewriteIndex(raw, { tenantPath: 'org1/repo1', basePath: contextPath })
    t.equal(result.ok && result.body, raw, id)
  }
  const plain = index('    - charts/mychart-0.1.0.tgz\n')
  t.equal(rewritten(plain), plain)
  t.end()
})

await t.test('a line end of YAML 1.1 in what a chart says of itself passes, with the indentation that follows it', t => {
  const text = index('    - charts/a.tgz\n', '    keywords:\n    - |-\n      a\u2028      b\n')
  t.equal(rewritten(text), text)
  t.end()
})

await t.test('an absolute URL of the tenant comes out relative, and nothing beside it is touched', t => {
  const expected = index('    - charts/mychart-0.1.0.tgz\n    - charts/b.tgz\n')
  for (const [first, second] of [['https://x.example.test/org1/repo1/charts/mychart-0.1.0.tgz', '//y/org1/repo1/charts/b.tgz'], ['"http://x/org1/repo1/charts/mychart-0.1.0.tgz"', "'/org1/repo1/charts/b.tgz'"]]) {
    t.equal(rewritten(index(`    - ${first}\n    - ${second}\n`)), expected)
  }
  t.end()
})

await t.test('cm-push finds its way back to the gateway, wherever either of the two is mounted', t => {
  const ends = { none: 'serverInfo: {}\n', cm: 'serverInfo:\n  contextPath: /cm\n', helm: 'serverInfo:\n  contextPath: /helm\n' }
  for (const [basePath, end] of [['', ends.none], ['/helm', ends.helm]] as const) {
    for (const theirs of Object.values(ends)) {
      for (const make of [(end: string) => index('    - charts/a.tgz\n', '', end), (end: string) => `apiVersion: v1\nentries: {}\ngenerated: "2026-11-23T23:16:33Z"\n${end}`]) {
        t.equal(rewritten(make(theirs), { ...AT, basePath }), make(end), `${basePath} ${theirs}`)
      }
    }
  }
  const without = 'apiVersion: v1\nentries: {}\ngenerated: x\n'
  t.equal(rewritten(without), without, 'a program that says nothing of it is left alone')
  t.same(parse(rewritten(without, { ...AT, basePath: '/helm' })), { ...parse(without), serverInfo: { contextPath: '/helm' } })
  t.end()
})

await t.test('an index as JSON is an index too', t => {
  const json = (url: string, serverInfo: object): string => JSON.stringify({ apiVersion: 'v1', entries: { mychart: [{ name: 'mychart', urls: [url] }], gone: null, old: [{ name: 'old' }] }, serverInfo })
  const plain = json('charts/a.tgz', {})
  t.equal(rewritten(plain), plain)
  t.equal(rewritten(json('https://x/org1/repo1/charts/a.tgz', { contextPath: '/cm' })), plain)
  t.equal(rewritten(plain, { ...AT, basePath: '/helm' }), json('charts/a.tgz', { contextPath: '/helm' }))
  for (const bad of ['{"entries":1}', '{"entries":[]}', '{"Entries":{},"entries":{}}', '{"entries":{},"serverinfo":{}}', '{', '{}']) t.equal(rewrite(bad).ok, false, bad)
  t.equal(rewritten('{"entries":null,"serverInfo":null}'), '{"entries":null,"serverInfo":null}')
  for (const version of ['{"name":"a","urls":["https://evil/"]}', '{"URLS":["x"]}', '{"url\u017f":["x"]}', '{"urls":"x"}', '{"urls":[["charts/a.tgz"]]}', '{"urls":{}}', '{"name":7,"version":7,"urls":["charts/a\\\\b.tgz"]}', '[]', '"x"', '7']) {
    t.strictSame(JSON.parse(rewritten(`{"entries":{"a":[${version},{"name":"a","urls":["charts/a.tgz"]}],"b":[${version}],"c":[null,{"name":"c"}]}}`)), { entries: { a: [{ name: 'a', urls: ['charts/a.tgz'] }], c: [null, { name: 'c' }] } }, version)
    t.match(rewrite(`{"entries":{"b":[${version}]}}`), { ok: true, leftOut: [{ chart: String, reason: String }] }, `${version} is said`)
  }
  for (const chart of ['{"urls":["https://evil/"]}', '"x"', '7']) t.match(rewrite(`{"entries":{"b":${chart}}}`), { ok: true, body: Buffer.from('{"entries":{}}'), leftOut: [{ chart: 'b', reason: 'unreadable' }] }, `a chart that is ${chart}`)
  t.equal(rewritten('{"entries":{"a":[{"name":"a","urls":["https://evil/"]}]},"entries":{"b":[{"name":"b","urls":null}]}}'), '{"entries":{"b":[{"name":"b","urls":null}]}}', 'of a key that is there twice, what was read is what is sent')
  t.end()
})

await t.test('YAML in another form is read by a parser, to the same effect', t => {
  const flow = 'apiVersion: v1\nentries: {mychart: [{name: mychart, urls: ["https://x/org1/repo1/charts/a.tgz"]}]}\n'
  t.same(parse(rewritten(flow)), { apiVersion: 'v1', entries: { mychart: [{ name: 'mychart', urls: ['charts/a.tgz'] }] } })
  const wide = 'entries:\n    mychart:\n        - name: mychart\n          urls:\n            - charts/a.tgz\n        - name: mychart\napiVersion: v1\n'
  t.equal(rewritten(wide), wide, 'and is left as it is where nothing has to change')
  for (const odd of ['apiVersion: v1\nentries:\n  ? a\n', 'entries:\n  a:\n    - urls:\n', 'entries:\n    a:\n    - name:\n      version: 1.10\n', 'apiVersion: v1\nentries:\n', 'entries:\nserverInfo: {}\n', 'entries:\n  a:\n  - null\n', 'apiVersion: v1\nentries:\n  a:\n  - name: a\n    urls: []\n']) t.equal(rewritten(odd), odd)
  t.same(parse(rewritten('entries:\n', { ...AT, basePath: '/helm' })), { entries: null, serverInfo: { contextPath: '/helm' } })
  for (const head of ['', 'apiVersion: v1\n']) t.match(parse(rewritten(`${head}entries: {}\nserverInfo: { contextPath: /cm }\n`)), { entries: {}, serverInfo: {} })
  t.same(parse(rewritten('entries:\nserverInfo: { contextPath: /cm }\n')), { entries: null, serverInfo: {} })
  t.end()
})

/** The URLs of every version that a reader finds. */
function urlsIn (text: string): unknown[] {
  const { entries } = parse(text, { version: '1.1', uniqueKeys: false }) as { entries: Record<string, ({ urls?: unknown[] } | null)[] | null> | null }
  return Object.values(entries ?? {}).flatMap(list => list ?? []).flatMap(version => version?.urls ?? [])
}

await t.test('an entry that would send a credential away, or of which nobody can be sure, is left out, and its neighbour is not', t => {
  const evil = 'https://evil.example.test/evil.tgz'
  const good = (text: string): string => text.replace(/^(apiVersion: v1\n)?entries:\n/, head => `${head}  good:\n  - name: good\n    urls:\n    - charts/good.tgz\n`)
  const cases: [name: string, text: string, urls?: string[]][] = [
    ['another host', index(`    - ${evil}\n`)],
    ['the second of two', index(`    - charts/a.tgz\n    - ${evil}\n`), ['charts/a.tgz']],
    ['another tenant', index('    - https://x/org2/repo2/charts/evil.tgz\n')],
    ['in quotes', index(`    - "${evil}"\n`)],
    ['with an escape', index('    - "https:\\u002F/evil.example.test/evil.tgz"\n')],
    ['over two lines', index('    - >-\n      https://evil.example.test/evil.tgz\n')],
    ['folded', index('    - "https://evil.example.test\\\n      /evil.tgz"\n')],
    ['in several lines', index('    - charts/a.tgz\n\n      b\n')],
    ['behind a tag', index(`    - !!str ${evil}\n`)],
    ['a tag of what is right', index('    - !!str charts/a.tgz\n'), []],
    ['as an alias', index('    - *u\n', `    icon: &u ${evil}\n`)],
    ['as an alias in a flow', index('', `    icon: &u ${evil}\n    urls: [*u]\n`).replace('    urls:\n    version', '    version')],
    ['in a flow', index('', `    urls: [${evil}]\n`).replace('    urls:\n    version', '    version')],
    ['in a flow, beside one that is right', index('', `    urls: [${evil}, charts/a.tgz]\n`).replace('    urls:\n    version', '    version'), ['charts/a.tgz']],
    ['with a key in quotes', index('', `    "urls":\n    - ${evil}\n`).replace('    urls:\n    version', '    version')],
    ['with a key in capitals', index('    - charts/a.tgz\n', `    URLs:\n    - ${evil}\n`)],
    ['with a key that has a long s', index('    - charts/a.tgz\n', `    "url\u017f":\n    - ${evil}\n`)],
    ['with the key on a line of its own', index('', `    ? urls\n    : - ${evil}\n`).replace('    urls:\n    version', '    version')],
    ['a key twice', index(`    - ${evil}\n`, '    urls:\n    - charts/a.tgz\n')],
    ['a key twice, in a flow', index('', `    urls: [charts/a.tgz]\n    "urls": [${evil}]\n`).replace('    urls:\n    version', '    version')],
    ['as the first key', `apiVersion: v1\nentries:\n  a:\n  - urls:\n    - ${evil}\n    name: a\n`],
    ['with a merge', `apiVersion: v1\nentries:\n  a:\n  - <<: {urls: ["${evil}"]}\n    name: a\n`],
    ['in levels of more columns', `apiVersion: v1\nentries:\n  a:\n    - name: a\n      urls:\n        - ${evil}\n`],
    ['in levels of more columns, from the second chart on', index('    - charts/a.tgz\n').replace('generated:', `  b:\n    - name: b\n      urls:\n        - ${evil}\ngenerated:`), ['charts/a.tgz']],
    ['in a flow that is indented', `apiVersion: v1\nentries:\n  a:\n      [{name: a, urls: ["${evil}"]}]\n`],
    ...['\r', '\u0085', '\u2028', '\u2029'].map((end): [string, string] => [`behind the line end U+${end.charCodeAt(0).toString(16)}`, index('    - charts/a.tgz\n', `    home: x${end}    urls:${end}    - ${evil}\n`)]),
    ['a URL that is a list', index('    - [a]\n')],
    ['a URL that is a number', index('', '    urls: [7]\n').replace('    urls:\n    version', '    version')],
    ['a URL that is a list, in a flow', index('', '    urls: [[charts/a.tgz]]\n').replace('    urls:\n    version', '    version')],
    ['a name that no path says, in a flow', index('', '    urls: ["charts/a\\\\b.tgz"]\n').replace('    urls:\n    version', '    version')],
    ['URLs that are a text', index('', '    urls: x\n').replace('    urls:\n    version', '    version')],
    ['a version that is a text', 'apiVersion: v1\nentries:\n  a:\n  - x\n'],
    ['a chart that is no list', 'apiVersion: v1\nentries:\n  a: {}\n'],
    ['a chart that is a merge', `apiVersion: v1\nentries:\n  <<: {a: [{urls: ["${evil}"]}]}\n`],
    ['a chart whose name is a list', `apiVersion: v1\nentries:\n  ? [a]\n  : - urls: ["${evil}"]\n`]
  ]
  for (const [name, text, urls = []] of cases) {
    const result = rewrite(good(text))
    if (!result.ok) {
      t.fail(`${name}: ${result.cause}`)
      continue
    }
    const body = result.body.toString()
    t.strictSame(urlsIn(body), ['charts/good.tgz', ...urls], name)
    t.ok(result.leftOut.length > 0, `${name} is said`)
    t.notMatch(JSON.stringify(result.leftOut), /evil\.example/, 'without the link')
  }
  t.end()
})

await t.test('a link that could mean another file than that of its own name is left out, in every form', t => {
  const two = (own: string, other: string): Record<string, object[]> => ({ a: [{ name: 'foo', version: '1.0.0', urls: [own] }], b: [{ name: 'foo', version: '2.0.0', urls: [other] }] })
  const forms: [string, (entries: Record<string, object[]>) => string][] = [
    ['blocks', entries => `apiVersion: v1\nentries:\n${Object.entries(entries).map(([name, [version]]) => `  ${name}:\n  - name: foo\n    urls:\n    - ${(version as { urls: string[] }).urls[0]}\n    version: ${(version as { version: string }).version}\n`).join('')}generated: "x"\n`],
    ['JSON', entries => JSON.stringify({ apiVersion: 'v1', entries })],
    ['YAML', entries => `apiVersion: v1\nentries: ${JSON.stringify(entries)}\n`]
  ]
  for (const [form, write] of forms) {
    const links = (text: string): string[] => Object.values((parse(text) as { entries: Record<string, { urls: string[] }[]> }).entries).flatMap(versions => versions.flatMap(({ urls }) => urls))
    t.same(links(rewritten(write(two('charts/foo%2D2.0.0.tgz', 'charts/foo-2.0.0.tgz')))), ['charts/foo-2.0.0.tgz'], form)
    t.match(rewrite(write(two('charts/foo%2D2.0.0.tgz', 'charts/foo-2.0.0.tgz'))), { leftOut: [{ version: '1.0.0', reason: 'unsayable_name' }] }, form)
    t.same(links(rewritten(write(two('charts/foo%2D1.0.0.tgz', 'charts/foo-2.0.0.tgz')))), ['charts/foo-1.0.0.tgz', 'charts/foo-2.0.0.tgz'], `${form}: no other file is meant`)
  }
  t.end()
})

await t.test('what is no index, or one in a form of which nobody can be sure, is refused', t => {
  const evil = 'https://evil.example.test/evil.tgz'
  const cases: [string, string, RegExp][] = [
    ['below a chart that is indented further', `apiVersion: v1\nentries:\n     a:\n     - name: a\n       urls: [${evil}]\n    b: x\n`, /no entries|not YAML/],
    ['behind the line end of a comment', 'entries: {} # x\u2028serverInfo: {}\n', /line ends that readers take differently/],
    ['behind the line end of a name', `apiVersion: v1\nentries:\n  a\u2028  b:\n  - name: a\n    urls:\n    - ${evil}\n`, /line ends that readers take differently/],
    ['an alias beside the entries', 'a: &a x\nb: *a\nentries: {}\n', /aliases/],
    ['entries twice', `entries: {}\n"entries": {a: [{name: a, urls: ["${evil}"]}]}\n`, /a key twice/],
    ['entries in capitals', `entries: {}\nEntries: {a: [{name: a, urls: ["${evil}"]}]}\n`, /key Entries/],
    ['a page', '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head></html>\n', /no entries|not YAML/],
    ['a text', 'hello', /no entries/],
    ['a list', '- entries', /no entries/],
    ['entries that are a text', 'entries: x\n', /no entries/],
    ['nothing', '', /no entries/],
    ['no YAML', 'a: [', /no entries|not YAML/],
    ['a second page behind it', `${index('    - charts/a.tgz\n')}---\na: b\n`, /./],
    ['a key of the index twice', 'entries: {}\nx: a\nx: b\n', /a key twice/],
    ['a key that is a mapping', 'entries: {}\n? {a: b}\n: c\n', /no text/],
    ['many levels', `entries: ${'['.repeat(5_000)}`, /too deep/],
    ['too long to be parsed', `entries: {}\n# ${'x'.repeat(3 * 1024 * 1024)}`, /too long to be parsed/]
  ]
  for (const [name, text, cause] of cases) {
    const result = rewrite(text)
    t.match(result, { ok: false, cause }, name)
  }
  t.end()
})

await t.test('whatever a chart says of itself, the URLs of the result are those of this repository', async () => {
  const text = fc.oneof(fc.string(), fc.constantFrom('urls:\n- https://evil/', '\n    urls:\n    - https://evil/', '    urls:', "'", '"', '|', '#', ' x', 'x: y', '- a'))
  const quoted = (value: string): string => JSON.stringify(value).replace(/[\u007f-\uffff]/g, each => `\\u${each.charCodeAt(0).toString(16).padStart(4, '0')}`)
  const block = (value: string): string => `|-\n${value.split('\n').map(line => `      ${line.replace(/[^\x20-\x7e]/g, '?')}`).join('\n')}`
  fc.assert(fc.property(text, text, fc.boolean(), (description, name, asBlock) => {
    const raw = index('    - charts/a.tgz\n', `    annotations:\n      x: ${quoted(name)}\n    kubeVersion: ${asBlock ? block(description) : quoted(description)}\n`)
    const result = rewrite(raw)
    if (!result.ok) return true
    const seen = parse(result.body.toString()) as { entries: Record<string, { urls: string[] }[]> }
    return Object.values(seen.entries).flat().every(({ urls }) => urls.every(url => url === 'charts/a.tgz'))
  }), { numRuns: 500 })
})
