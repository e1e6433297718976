// Attack class 28: what an index may send a client to (Helm GHSA-56hp-xqp3-w2jf).
import fc from 'fast-check'
import t from 'tap'
import { localUrl, type IndexPlace } from '../../src/upstream/index-links.ts'

const AT: IndexPlace = { contextPath: '', tenantPath: 'org1/repo1', basePath: '' }
const FILE = 'mychart-0.1.0+b.5.tgz'

await t.test('a URL of this tenant comes out relative, whatever its host', t => {
  const cases: [string, IndexPlace][] = [
    [`https://charts.example.test/org1/repo1/charts/${FILE}`, AT],
    [`HTTP://127.0.0.1:8080/org1/repo1/charts/${FILE}`, AT],
    [`http://[::1]:8080/org1/repo1/charts/${FILE}`, AT],
    [`//cdn.example.test/org1/repo1/charts/${FILE}`, AT],
    [`/org1/repo1/charts/${FILE}`, AT],
    [`https://x/cm/x/org1/repo1/charts/${FILE}`, { ...AT, contextPath: '/cm/x' }],
    [`https://x/charts/${FILE}`, { ...AT, tenantPath: '' }]
  ]
  for (const [url, place] of cases) t.equal(localUrl(url, place), `charts/${FILE}`, url)
  for (const url of [`charts/${FILE}`, 'charts/a', 'a/b.tgz', 'x%2Bb.tgz']) t.equal(localUrl(url, AT), url)
  t.end()
})

await t.test('every other URL leads away', t => {
  const urls = [
    'https://evil.example.test/', `https://evil.example.test/charts/${FILE}`, `https://evil/org2/repo2/charts/${FILE}`, `https://evil/x/org1/repo1/charts/${FILE}`,
    `https://user:pass@x/org1/repo1/charts/${FILE}`, `https://x@evil/org1/repo1/charts/${FILE}`, `https://x/org1/repo1/charts/${FILE}?sig=1`, `https://x/org1/repo1/charts/${FILE}#x`,
    `https://x/org1/repo1/charts/../../../org2/repo2/charts/${FILE}`, 'https://x/org1/repo1/charts/', 'https://x/org1/repo1/charts/a/b.tgz',
    `ftp://x/org1/repo1/charts/${FILE}`, `oci://x/org1/repo1/charts/${FILE}`, 'file:///etc/passwd', 'javascript:x', 'data:,x', 'https:evil', 'https:/evil',
    '//evil', '///evil', '/\\evil', '\\\\evil', '\\/evil', '/org2/repo2/charts/x.tgz', '/', '', ' ', ' https://evil', '\thttps://evil', 'https://evil\n', '../x.tgz', 'charts/../../../x', 'charts\\x', 'charts/x y', 'a:b', '?x', '#x', 'charts/x?y=1', 'charts/x#y', 'charts/é.tgz', '\u0000//evil'
  ]
  for (const url of urls) t.equal(localUrl(url, AT), undefined, JSON.stringify(url))
  t.equal(localUrl(`https://x/org1/repo1/charts/${FILE}`, { ...AT, contextPath: '/cm' }), undefined, 'without the context path that it must have')
  t.end()
})

await t.test('what is allowed stays on the host and below the path of the index, to every reader', async () => {
  const piece = fc.constantFrom('https:', 'http:', '//', '/', '\\', '..', '.', 'evil.example.test', 'charts', 'org1/repo1', 'x.tgz', '@', ':', '?', '#', ' ', '\t', '%2e', '%2f', 'a')
  fc.assert(fc.property(fc.oneof(fc.array(piece, { maxLength: 8 }).map(parts => parts.join('')), fc.string()), url => {
    const local = localUrl(url, AT)
    if (local === undefined) return true
    const base = 'http://gateway.example.test/helm/org1/repo1/'
    return new URL(local, base).href.startsWith(base)
  }), { numRuns: 5000 })
})
