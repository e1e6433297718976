// Attack classes 28 and 41: what an index may send a client to (Helm GHSA-56hp-xqp3-w2jf),
// and that one odd link is decided by itself.
import fc from 'fast-check'
import t from 'tap'
import { isChartFile } from '../../src/words/chart-names.ts'
import { isPlainLink, localUrl, readLink, type EntryWords, type IndexPlace } from '../../src/upstream/index-links.ts'

const AT: IndexPlace = { tenantPath: 'org1/repo1', basePath: '' }
const ENTRY: EntryWords = { name: 'mychart', version: '0.1.0+b.5' }
const OWN = 'mychart-0.1.0+b.5.tgz'

await t.test('a link to a file of this tenant is one, whatever its host and its spelling', t => {
  const cases: [url: string, file: string, entry?: EntryWords, place?: IndexPlace][] = [
    ...['charts/', '/org1/repo1/charts/', 'https://charts.example.test/org1/repo1/charts/', 'HTTP://127.0.0.1:8080/org1/repo1/charts/', 'http://[::1]:8080/some/path/org1/repo1/charts/', '//cdn.example.test/org1/repo1/charts/', 'https://user:pass@x/org1/repo1/charts/']
      .flatMap((folder): [string, string][] => [[folder + OWN, OWN], [folder + encodeURIComponent(OWN), OWN], [`${folder}x (1).tgz`, 'x (1).tgz'], [`${folder}x%20%281%29.tgz`, 'x (1).tgz'], [`${folder}${OWN}?sig=1`, OWN], [`${folder}${OWN}#x`, OWN]]),
    ['https://x/charts/a.tgz', 'a.tgz', ENTRY, { ...AT, tenantPath: '' }],
    ['charts/a?b-1.tgz', 'a?b-1.tgz'],
    ['charts/a?b-1.tgz', 'a?b-1.tgz', { name: 'a?b', version: '1' }],
    ['charts/a.tgz#b-1.tgz', 'a.tgz#b-1.tgz', { name: 'a.tgz#b', version: '1' }],
    ['charts/a.tgz#b-1.tgz', 'a.tgz'],
    ['charts/100%-1.tgz', '100%-1.tgz', { name: '100%', version: '1' }],
    // elsewhere, to what has the name of this version
    ...[`https://elsewhere/${OWN}`, 'https://elsewhere/mychart-0.1.0%2Bb.5.tgz', `https://elsewhere/org2/repo2/charts/${OWN}?sig=1`, `ftp://x/${OWN}`, OWN, `../${OWN}`, `https://x?a=/${OWN}`].map((url): [string, string] => [url, OWN]),
    ['https://x/gr%C3%B6%C3%9Fe-1.tgz', 'größe-1.tgz', { name: 'größe', version: '1' }]
  ]
  for (const [url, file, entry = ENTRY, place = AT] of cases) t.strictSame(readLink(url, entry, place), { kind: 'local', file }, url)
  t.end()
})

await t.test('every other link leads elsewhere', t => {
  for (const [url, file] of [['https://elsewhere/other.tgz', 'other.tgz'], ['https://x/org2/repo2/charts/a.tgz', 'a.tgz'], ['https://x/org1/repo1/charts/a/b.tgz', 'b.tgz'], ['other.tgz', 'other.tgz'], ['a/b%20c.tgz?x', 'b c.tgz']]) {
    t.strictSame(readLink(url as string, ENTRY, AT), { kind: 'elsewhere', file }, `${url}: another link may know the file`)
  }
  const none = ['', ' ', '/', '?x', '#x', 'charts/', 'charts/x', 'charts/x?y=1', 'a:b', 'javascript:x', 'data:,x', 'file:///etc/passwd', 'https://evil', 'https://evil/', 'https:evil', '//evil', '\\\\evil\\x', '/\\evil', 'charts/..', 'https://x/org1/repo1/charts/', '\u0000//evil', 'https://x/a%2Fb.tgz', 'a\\b.tgz']
  for (const url of none) t.strictSame(readLink(url, ENTRY, AT), { kind: 'elsewhere', file: undefined }, JSON.stringify(url))
  t.end()
})

await t.test('a file of this tenant whose name no path can say is told from one that is elsewhere', t => {
  const cases: [url: string, entry?: EntryWords][] = [['charts/a\\b.tgz'], ['charts/a\u0007.tgz'], ['charts/a%2Fb.tgz'], ['charts/%FF.tgz'], ['charts/%2520.tgz'], ['charts/a\ufffd.tgz'], [`charts/${'x'.repeat(252)}.tgz`], ['https://x/org1/repo1/charts/a\\b.tgz'], ['charts/foo%20bar-1.tgz', { name: 'foo%20bar', version: '1' }], ['charts/.tgz']]
  for (const [url, entry = ENTRY] of cases) t.strictSame(readLink(url, entry, AT), { kind: 'unsayable' }, JSON.stringify(url.slice(0, 30)))
  t.end()
})

await t.test('a plain link is one that comes out as it went in', async () => {
  const text = fc.oneof(fc.string({ unit: fc.constantFrom(...'aZ0._+~-/%?# (\\') }), fc.string()).map(text => `charts/${text}.tgz`)
  fc.assert(fc.property(text, url => {
    if (!isPlainLink(url)) return true
    const link = readLink(url, ENTRY, AT)
    return link.kind === 'local' && localUrl(link.file) === url
  }), { numRuns: 5_000 })
})

await t.test('what comes out stays on the host and below the charts of the index, to every reader, and is asked for as the file it is', async () => {
  const piece = fc.constantFrom('https:', 'http:', '//', '/', '\\', '..', '.', 'evil.example.test', 'charts', 'org1/repo1', 'x.tgz', OWN, '@', ':', '?', '#', ' ', '\t', '%2e', '%2f', '%25', 'ö', '\u2028', 'a', '.tgz')
  const base = 'http://gateway.example.test/helm/org1/repo1/'
  fc.assert(fc.property(fc.oneof(fc.array(piece, { maxLength: 8 }).map(parts => parts.join('')), fc.string()), url => {
    const link = readLink(url, ENTRY, AT)
    if (link.kind !== 'local') return link.kind === 'unsayable' || link.file === undefined || isChartFile(link.file)
    const local = new URL(localUrl(link.file), base)
    return isChartFile(link.file) && local.href === `${base}charts/${local.pathname.split('/').at(-1) as string}` && decodeURIComponent(local.pathname.split('/').at(-1) as string) === link.file
  }), { numRuns: 5_000 })
})
