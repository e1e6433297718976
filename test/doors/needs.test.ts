// Closed by default: what needs no right says so, and everything else asks for credentials.
import t from 'tap'
import { ROUTES } from '../../src/chartmuseum/routes.ts'
import { OWN_ENDPOINTS } from '../../src/doors/own-endpoints.ts'
import { parseRequestTarget, type ParsedTarget } from '../../src/doors/chartmuseum/request-target.ts'
import { needsOf } from '../../src/doors/needs.ts'
import { startApp } from '../helpers/app.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const WORDS = { file: 'mychart-0.1.0.tgz', chart: 'mychart', version: '0.1.0' } as const
/** What is open to everybody, whoever they are. */
const OPEN = ['/', '/oauth/token', '/.well-known/jwks.json', '/health', '/info']

/** A path of every route, and of every endpoint of our own. */
function everything (): [method: string, path: string][] {
  const routes = ROUTES.flatMap(({ id, methods, api, tail }) => {
    const segments = tail.map(part => typeof part === 'string' ? part : WORDS[part.parameter] + (id === 'prov-file' ? '.prov' : ''))
    return methods.map((method): [string, string] => [method, `${api ? '/api' : ''}/org1/repo1/${segments.join('/')}`])
  })
  return [...routes, ...[...OWN_ENDPOINTS.keys()].map((path): [string, string] => ['GET', path])]
}

await t.test('every kind of target says what it needs, and without credentials nobody gets anything of what needs a right', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const kinds = new Set<string>()
  for (const [method, path] of everything()) {
    const target = parseRequestTarget(method, path, { depth: 2, basePath: '' })
    kinds.add(target.kind)
    const isOpen = OPEN.includes(path)
    t.equal(needsOf(target) === 'nothing', isOpen, path)
    const { status } = await fetch(gateway.url + path, { method })
    t.equal(status, isOpen ? 200 : 401, `${method} ${path}`)
  }
  t.same(stub.seen, [], 'and the upstream has heard of nothing')
  t.same([...kinds], ['chart', 'own'])
  t.equal(needsOf(parseRequestTarget('GET', '/nowhere', { depth: 2, basePath: '' })), 'nothing', 'what is refused is refused, whoever asks')
})

await t.test('a kind that says nothing is not open', async t => {
  t.not(needsOf({ kind: 'new' } as unknown as ParsedTarget), 'nothing')
  t.not(needsOf({ kind: 'own', endpoint: 'new', query: '' } as unknown as ParsedTarget), 'nothing')
})
