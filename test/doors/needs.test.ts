// Closed by default: what needs no right says so, and everything else asks for credentials.
import t from 'tap'
import { ROUTES } from '../../src/chartmuseum/routes.ts'
import { methodsOf, OCI_ROUTES, type OciRouteId } from '../../src/doors/oci/routes.ts'
import { OWN_ENDPOINTS } from '../../src/doors/own-endpoints.ts'
import { createAuthzReader } from '../../src/doors/authz/authz-target.ts'
import { parseRequestTarget, type ParsedTarget } from '../../src/doors/request-target.ts'
import { needsOf } from '../../src/doors/needs.ts'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const WORDS = { file: 'mychart-0.1.0.tgz', chart: 'mychart', version: '0.1.0' } as const
/** What is open to everybody, whoever they are. */
const OPEN = ['/', '/oauth/token', '/.well-known/jwks.json', '/health', '/info']

type Ask = readonly [method: string, path: string]

/** What is asked of each kind that answers: a new kind does not compile before it says so. */
const KINDS: Readonly<Record<Exclude<ParsedTarget['kind'], 'refused'>, Kind>> = {
  chart: { asks: everyRoute, parse: received, send: ({ url }, [method, path]) => fetch(url + path, { method }) },
  own: {
    asks: () => [...OWN_ENDPOINTS.keys()].map((path): Ask => ['GET', path]),
    parse: received,
    send: ({ url }, [method, path]) => fetch(url + path, { method })
  },
  oci: { asks: everyEndpoint, parse: received, send: ({ url }, [method, path]) => fetch(url + path, { method }) },
  authz: {
    asks: everyRoute,
    parse: ([method, path]) => askedByEnvoy({ method, url: `/authz${path}`, rawHeaders: [] }),
    send: ({ authzPort }, [method, path]) => fetch(`http://127.0.0.1:${authzPort}/authz${path}`, { method })
  }
}
const LAYOUT = { depth: 2, basePath: '', oci: true } as const
const askedByEnvoy = createAuthzReader({ layout: LAYOUT, dialect: 'envoy', push: () => true })

interface Kind {
  readonly asks: () => readonly Ask[]
  readonly parse: (ask: Ask) => ParsedTarget
  readonly send: (gateway: TestGateway, ask: Ask) => Promise<Response>
}

function received ([method, path]: Ask): ParsedTarget {
  return parseRequestTarget(method, path, LAYOUT)
}

function everyRoute (): readonly Ask[] {
  return ROUTES.flatMap(({ id, methods, api, tail }) => {
    const segments = tail.map(part => typeof part === 'string' ? part : WORDS[part.parameter] + (id === 'prov-file' ? '.prov' : ''))
    return methods.map((method): Ask => [method, `${api ? '/api' : ''}/org1/repo1/${segments.join('/')}`])
  })
}

const DIGEST = `sha256:${'0'.repeat(64)}`
const ENDPOINTS: Readonly<Record<OciRouteId, string>> = {
  'oci-base': '',
  'oci-manifest': 'org1/repo1/mychart/manifests/0.1.0',
  'oci-blob': `org1/repo1/mychart/blobs/${DIGEST}`,
  'oci-uploads': 'org1/repo1/mychart/blobs/uploads/',
  'oci-upload': 'org1/repo1/mychart/blobs/uploads/an-id',
  'oci-tags': 'org1/repo1/mychart/tags/list',
  'oci-referrers': `org1/repo1/mychart/referrers/${DIGEST}`
}

function everyEndpoint (): readonly Ask[] {
  return OCI_ROUTES.flatMap(route => methodsOf(route).map((method): Ask => [method, `/v2/${ENDPOINTS[route.id]}`]))
}

await t.test('every kind of target says what it needs, and without credentials nobody gets anything of what needs a right', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, authz: { listen: { host: '127.0.0.1', port: 0 }, trustedProxies: ['127.0.0.1'], dialect: 'envoy', push: true } }) })
  for (const [kind, { asks, parse, send }] of Object.entries(KINDS)) {
    for (const ask of asks()) {
      const [method, path] = ask
      const target = parse(ask)
      t.equal(target.kind, kind, path)
      const isOpen = OPEN.includes(path)
      t.equal(needsOf(target) === 'nothing', isOpen, path)
      const { status } = await send(gateway, ask)
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
