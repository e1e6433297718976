// Closed by default: what needs no right says so, and everything else asks for credentials.
import t from 'tap'
import { ROUTES } from '../../src/chartmuseum/routes.ts'
import { OWN_ENDPOINTS } from '../../src/doors/own-endpoints.ts'
import { parseRequestTarget, type ParsedTarget } from '../../src/doors/request-target.ts'
import { needsOf } from '../../src/doors/needs.ts'
import { startApp } from '../helpers/app.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const WORDS = { file: 'mychart-0.1.0.tgz', chart: 'mychart', version: '0.1.0' } as const
/** What is open to everybody, whoever they are. */
const OPEN = ['/', '/oauth/token', '/.well-known/jwks.json', '/health', '/info']

type Ask = readonly [method: string, path: string]

/** What is asked of each kind that answers: a new kind does not compile before it says so. */
const KINDS: Readonly<Record<Exclude<ParsedTarget['kind'], 'refused'>, () => readonly Ask[]>> = {
  chart: everyRoute,
  own: () => [...OWN_ENDPOINTS.keys()].map((path): Ask => ['GET', path])
}

function everyRoute (): readonly Ask[] {
  return ROUTES.flatMap(({ id, methods, api, tail }) => {
    const segments = tail.map(part => typeof part === 'string' ? part : WORDS[part.parameter] + (id === 'prov-file' ? '.prov' : ''))
    return methods.map((method): Ask => [method, `${api ? '/api' : ''}/org1/repo1/${segments.join('/')}`])
  })
}

await t.test('every kind of target says what it needs, and without credentials nobody gets anything of what needs a right', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  for (const [kind, asks] of Object.entries(KINDS)) {
    for (const [method, path] of asks()) {
      const target = parseRequestTarget(method, path, { depth: 2, basePath: '' })
      t.equal(target.kind, kind, path)
      const isOpen = OPEN.includes(path)
      t.equal(needsOf(target) === 'nothing', isOpen, path)
      const { status } = await fetch(gateway.url + path, { method })
      t.equal(status, isOpen ? 200 : 401, `${method} ${path}`)
    }
  }
  t.same(stub.seen, [], 'and the upstream has heard of nothing')
  t.equal(needsOf(parseRequestTarget('GET', '/nowhere', { depth: 2, basePath: '' })), 'nothing', 'what is refused is refused, whoever asks')
})

await t.test('a kind that says nothing is not open', async t => {
  t.not(needsOf({ kind: 'new' } as unknown as ParsedTarget), 'nothing')
  t.not(needsOf({ kind: 'own', endpoint: 'new', query: '' } as unknown as ParsedTarget), 'nothing')
})
