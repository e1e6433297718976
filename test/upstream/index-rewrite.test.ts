import fc from 'fast-check'
import t from 'tap'
import { parse } from 'yaml'
import { rewriteIndex, type RewriteResult } from '../../src/upstream/index-rewrite.ts'
import type { IndexPlace } from '../../src/upstream/index-links.ts'
import { RECORDINGS } from '../repository/recordings.ts'

const AT: IndexPlace = { contextPath: '', tenantPath: 'org1/repo1', basePath: '' }
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
    const result = rewriteIndex(raw, { contextPath, tenantPath: 'org1/repo1', basePath: contextPath })
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
  for (const bad of [json('https://evil/', {}), '{"entries":1}', '{"entries":{"a":[{"URLS":["x"]}]}}', '{"entries":{"a":[{"url\u017f":["x"]}]}}', '{"entries":{"a":[{"urls":"x"}]}}', '{"Entries":{},"entries":{}}', '{', '{}']) t.equal(rewrite(bad).ok, false, bad)
  t.equal(rewritten('{"entries":{"a":[{"name":"a","urls":["https://evil/"]}]},"entries":{"b":[{"name":"b","urls":null}]}}'), '{"entries":{"b":[{"name":"b","urls":null}]}}', 'of a key that is there twice, what was read is what is sent')
  t.end()
})

await t.test('YAML in another form is read by a parser, to the same effect', t => {
  const flow = 'apiVersion: v1\nentries: {mychart: [{name: mychart, urls: ["https://x/org1/repo1/charts/a.tgz"]}]}\n'
  t.same(parse(rewritten(flow)), { apiVersion: 'v1', entries: { mychart: [{ name: 'mychart', urls: ['charts/a.tgz'] }] } })
  const wide = 'entries:\n    mychart:\n        - name: mychart\n          urls:\n            - charts/a.tgz\n        - name: mychart\napiVersion: v1\n'
  t.equal(rewritten(wide), wide, 'and is left as it is where nothing has to change')
  for (const odd of ['apiVersion: v1\nentries:\n', 'entries:\nserverInfo: {}\n', 'entries:\n  a:\n  - null\n', 'apiVersion: v1\nentries:\n  a:\n  - name: a\n    urls: []\n']) t.equal(rewritten(odd), odd)
  t.same(parse(rewritten('entries:\n', { ...AT, basePath: '/helm' })), { entries: null, serverInfo: { contextPath: '/helm' } })
  for (const head of ['', 'apiVersion: v1\n']) t.match(parse(rewritten(`${head}entries: {}\nserverInfo: { contextPath: /cm }\n`)), { entries: {}, serverInfo: {} })
  t.same(parse(rewritten('entries:\nserverInfo: { contextPath: /cm }\n')), { entries: null, serverInfo: {} })
  t.end()
})

await t.test('an index that would send a credential away, or that nobody can be sure of, is refused', t => {
  const evil = 'https://evil.example.test/a.tgz'
  const cases: [string, string, RegExp][] = [
    ['another host', index(`    - ${evil}\n`), /sends clients to "https:\/\/evil\.example\.test\/a\.tgz"/],
    ['the second of two', index(`    - charts/a.tgz\n    - ${evil}\n`), /evil/],
    ['another tenant', index('    - https://x/org2/repo2/charts/a.tgz\n'), /org2/],
    ['in quotes', index(`    - "${evil}"\n`), /evil/],
    ['with an escape', index('    - "https:\\u002F/evil.example.test/a.tgz"\n'), /evil/],
    ['over two lines', index('    - >-\n      https://evil.example.test/a.tgz\n'), /evil/],
    ['folded', index('    - "https://evil.example.test\\\n      /a.tgz"\n'), /evil/],
    ['behind a tag', index(`    - !!str ${evil}\n`), /evil/],
    ['as an alias', index('    - *u\n', `    icon: &u ${evil}\n`), /aliases/],
    ['in a flow', index('', `    urls: [${evil}]\n`).replace('    urls:\n    version', '    version'), /evil/],
    ['with a key in quotes', index('', `    "urls":\n    - ${evil}\n`).replace('    urls:\n    version', '    version'), /evil/],
    ['with a key in capitals', index('    - charts/a.tgz\n', `    URLs:\n    - ${evil}\n`), /key URLs/],
    ['as the first key', `apiVersion: v1\nentries:\n  a:\n  - urls:\n    - ${evil}\n    name: a\n`, /evil/],
    ['with a merge', `apiVersion: v1\nentries:\n  a:\n  - <<: {urls: ["${evil}"]}\n    name: a\n`, /merge|YAML/],
    ['in levels of more columns', `apiVersion: v1\nentries:\n  a:\n    - name: a\n      urls:\n        - ${evil}\n`, /evil/],
    ['in levels of more columns, from the second chart on', index('    - charts/a.tgz\n').replace('generated:', `  b:\n    - name: b\n      urls:\n        - ${evil}\ngenerated:`), /evil/],
    ['in a flow that is indented', `apiVersion: v1\nentries:\n  a:\n      [{name: a, urls: ["${evil}"]}]\n`, /evil/],
    ['below a chart that is indented further', `apiVersion: v1\nentries:\n     a:\n     - name: a\n       urls: [${evil}]\n`, /evil/],
    ...['\r', '\u0085', '\u2028', '\u2029'].map((end): [string, string, RegExp] => [`behind the line end U+${end.charCodeAt(0).toString(16)}`, index('    - charts/a.tgz\n', `    home: x${end}    urls:${end}    - ${evil}\n`), /line ends that readers take differently|no entries/]),
    ['behind the line end of a comment', 'entries: {} # x\u2028serverInfo: {}\n', /line ends that readers take differently/],
    ['in several lines', index('    - charts/a.tgz\n\n      b\n'), /sends clients to "charts\/a\.tgz\\nb"/],
    ['with a key that has a long s', index('    - charts/a.tgz\n', `    "url\u017f":\n    - ${evil}\n`), /key url\u017f/],
    ['a URL that is a list', index('    - [a]\n'), /sends clients to/],
    ['a key twice', index(`    - ${evil}\n`, '    urls:\n    - charts/a.tgz\n'), /./],
    ['a page', '<!DOCTYPE html>\n<html><head><title>502 Bad Gateway</title></head></html>\n', /no entries|not YAML/],
    ['a text', 'hello', /no entries/],
    ['a list', '- entries', /no entries/],
    ['entries that are a text', 'entries: x\n', /no entries/],
    ['nothing', '', /no entries/],
    ['no YAML', 'a: [', /no entries|not YAML/],
    ['a chart that is no list', 'apiVersion: v1\nentries:\n  a: {}\n', /without a list of versions/],
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
