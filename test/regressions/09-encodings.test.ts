// Encodings: a guard matches the path as it came, and who stands behind it decodes,
// folds or cuts it first. heimdall CVE-2026-42272 (%2f and %2F), OPA-Envoy
// CVE-2026-26205 (//), Traefik CVE-2026-40912, @fastify/express CVE-2026-22037 and
// CVE-2026-33808, @fastify/static CVE-2026-6414, GHSA-8j2w-6fmm-m587. ChartMuseum decodes
// a path once and cleans nothing (Go's URL.Path).
import fc from 'fast-check'
import t from 'tap'
import type { Depth } from '../../src/words/tenant.ts'
import { isRefused, probe, shown, startTwoTenants, type Tally } from '../helpers/two-tenants.ts'
import { inShort } from '../helpers/in-short.ts'

/** Every way to write a character that somebody decodes. */
function encodings (character: string): string[] {
  const hex = character.charCodeAt(0).toString(16).padStart(2, '0')
  return [`%${hex}`, `%${hex.toUpperCase()}`, `%25${hex}`, `%2525${hex}`, `%u00${hex}`, `%25 ${hex}`, `%c0%${(character.charCodeAt(0) | 0x80).toString(16)}`, `\\x${hex}`, `&#x${hex};`]
}

await t.test('no encoding of a character leads into another tenant', async t => {
  const tenants = await startTwoTenants(t)
  const targets = [
    ...[...'/\\.;?#%\0 :@'].flatMap(encodings).flatMap(code => [`/org1${code}repo1/index.yaml`, `/org2${code}repo2/index.yaml`, `/org1/repo1${code}/../org2/repo2/index.yaml`, `/org1/repo1/charts/${code}org2/repo2/charts/secret-1.0.0.tgz`, `/org1/repo1/index.yaml${code}`]),
    '//org2/repo2/index.yaml', '/org1/repo1//org2/repo2/index.yaml', '/org1//repo1/index.yaml', '/org1/repo1/index.yaml/', '//x/org1/repo1/index.yaml', '/org1/repo1/index.yaml//',
    '/Org1/repo1/index.yaml', '/ORG1/REPO1/index.yaml', '/org1/repo1/INDEX.YAML', '/org1/repo1/%69ndex.yaml', '/%6frg1/repo1/index.yaml', '/org%32/repo%32/index.yaml', '/org1/repo1/Charts/secret-1.0.0.tgz', '/API/org1/repo1/charts',
    '/org1/repo1/index.yaml%', '/org1/repo1/index.yaml%2', '/org1/repo1/index.yaml%zz', '/org1/repo1/\x80\xff/index.yaml', '/org\xb9/repo1/index.yaml', '/org1/repo1/index.yaml\xa0', '/org1/repo1/\xc0\xae\xc0\xae/index.yaml', '/org1/repo1/\xef\xbc\x8e\xef\xbc\x8e/index.yaml',
    'http://x/org2/repo2/index.yaml', 'http://x/org1/repo1/index.yaml', 'HTTP://x/org1/repo1/index.yaml', 'https://org1/repo1/index.yaml', '*', '?', 'org1/repo1/index.yaml', 'org1:80', '\\org1\\repo1\\index.yaml', './org1/repo1/index.yaml'
  ]
  for (const target of targets) isRefused(t, tenants, await tenants.ask('GET', target), shown(target))
  t.equal((await tenants.ask('GET', '/org1/repo1/charts/x-1.0.0%2bb.tgz')).status, 200, 'the one encoding that clients need is taken')
  t.same(tenants.taken().map(seen => seen.target), ['/org1/repo1/charts/x-1.0.0+b.tgz'], 'and not passed on')
})

// Pieces that readers disagree about, among pieces that make a request that is served.
const piece = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom('/org1', '/repo1', '/api', '/charts', '/index.yaml', '/x', '/1.0.0', '/x-1.0.0.tgz', '/values', '/prov', '/org2', '/repo2') },
  { weight: 2, arbitrary: fc.constantFrom('/', '//', '/.', '/..', '/%2e%2e', '%2F', '%2f', '%5c', '\\', ';', '?', '%3f', '#', '%23', '%00', '%0a', '%20', '%25', '%252f', '%', '%2b', '+', '%5E', '~', ':', '/:repo', '\xff', '%ff', '%c0%af', '.tgz', '.prov', '.yaml') },
  { weight: 1, arbitrary: fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 3 }).map(codes => String.fromCharCode(...codes).replace(/[\r\n]/g, '')) }
)

/** A target that is served, with a piece put in at any place, or pieces alone. */
function targetsFor (depth: Depth): fc.Arbitrary<string> {
  const tenant = ['/org1', '/repo1', '/x'].slice(0, depth === 'dynamic' ? 2 : depth).join('')
  const served = fc.constantFrom(`${tenant}/index.yaml`, `${tenant}/charts/x-1.0.0.tgz`, `/api${tenant}/charts`, `/api${tenant}/charts/x`, `/api${tenant}/charts/x/1.0.0`)
  return fc.oneof(
    fc.tuple(served, piece, fc.nat({ max: 40 })).map(([whole, put, at]) => whole.slice(0, at) + put + whole.slice(at)),
    fc.array(piece, { maxLength: 9 }).map(pieces => pieces.join('')),
    fc.tuple(served, fc.constantFrom('', '?', '?a=/../org2', '?force', '?x#y')).map(parts => parts.join(''))
  )
}

for (const depth of [0, 1, 2, 3, 'dynamic'] as Depth[]) {
  await t.test(`whatever the bytes of a path at depth ${depth}, it is refused or understood as ChartMuseum understands it`, async t => {
    const tenants = await startTwoTenants(t, config => ({ ...config, charts: { ...config.charts, depth } }))
    const tally: Tally = { requests: 0, refused: 0, forwarded: 0 }
    await fc.assert(fc.asyncProperty(fc.constantFrom('GET', 'GET', 'HEAD', 'DELETE'), targetsFor(depth), async (method, target) => {
      await probe(tenants, method, target, { depth }, tally)
    }), { numRuns: inShort(80, 250) })
    t.ok(tally.forwarded > tally.requests / 50, `${tally.forwarded} of ${tally.requests} were forwarded`)
    t.ok(tally.refused > tally.requests / 4, `${tally.refused} of ${tally.requests} were refused`)
  })
}
