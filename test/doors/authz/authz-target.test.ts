import t from 'tap'
import { createAuthzReader, isChange, type AuthzOptions } from '../../../src/doors/authz/authz-target.ts'
import { OWN_ENDPOINTS } from '../../../src/doors/own-endpoints.ts'
import { parseRequestTarget, type ParsedTarget } from '../../../src/doors/request-target.ts'
import { ROUTES } from '../../../src/chartmuseum/routes.ts'

const LAYOUT = { depth: 2, basePath: '' } as const

function read (method: string, target: string, more: Partial<AuthzOptions> = {}): ParsedTarget {
  return createAuthzReader({ layout: LAYOUT, dialect: 'traefik', push: () => false, ...more })({
    method: 'GET', url: '/authz', rawHeaders: ['X-Forwarded-Method', method, 'X-Forwarded-Uri', target]
  })
}

await t.test('a question is what the parser of all requests makes of the one that it is about', async t => {
  for (const [method, target] of [['GET', '/org1/repo1/index.yaml'], ['HEAD', '/org1/repo1/charts/a-1.0.0%2Bb.tgz'], ['GET', '/api/org1/repo1/charts?offset=1&x=2'], ['GET', '/org1/repo1/api/charts/a']] as const) {
    const received = parseRequestTarget(method, target, LAYOUT)
    if (received.kind !== 'chart') throw new Error(target)
    t.same(read(method, target), { kind: 'authz', request: received.request }, target)
  }
  t.match(read('GET', '/helm/org1/index.yaml', { layout: { depth: 1, basePath: '/helm' } }), { kind: 'authz', request: { tenant: 'org1' } })
})

await t.test('what it refuses is refused here, for the same reason and with what was asked', async t => {
  for (const [method, target] of [['GET', '/org1/repo1/../../org2/repo2/index.yaml'], ['GET', '//org1/repo1/index.yaml'], ['GET', '/org1%2Frepo1/index.yaml'], ['PUT', '/org1/repo1/index.yaml'], ['delete', '/api/org1/repo1/charts/a/1.0.0'], ['GET', '/nowhere'], ['GET', 'http://x/org1/repo1/index.yaml'], ['GET', '/org1/repo1/index.yaml#x'], ['GET', '/v2/']] as const) {
    const received = parseRequestTarget(method, target, LAYOUT)
    if (received.kind !== 'refused') throw new Error(target)
    t.same(read(method, target), { kind: 'refused', refusal: received.refusal, asked: { method, target } }, target)
  }
})

await t.test('what the gateway answers itself passes no proxy to a chart repository', async t => {
  for (const path of OWN_ENDPOINTS.keys()) {
    t.match(read('GET', path), { kind: 'refused', refusal: { code: 'no_such_route', detail: /^the gateway answers this path itself/ }, asked: { target: path } }, path)
  }
})

await t.test('uploads and deletes pass with authz.push alone', async t => {
  for (const [method, target] of [['POST', '/api/org1/repo1/charts'], ['POST', '/api/org1/repo1/charts?force'], ['POST', '/api/org1/repo1/prov'], ['DELETE', '/api/org1/repo1/charts/a/1.0.0']] as const) {
    t.match(read(method, target), { kind: 'refused', refusal: { code: 'authz_no_changes' }, asked: { method, target } }, target)
    t.match(read(method, target, { push: () => true }), { kind: 'authz', request: { tenant: 'org1/repo1' } }, target)
  }
  t.same(ROUTES.filter(({ id }) => isChange({ route: id } as Parameters<typeof isChange>[0])).map(({ id }) => id), ['upload-chart', 'delete-version', 'upload-prov'])
})

await t.test('what the proxy does not say is not guessed', async t => {
  t.match(createAuthzReader({ layout: LAYOUT, dialect: 'nginx', push: () => true })({ method: 'GET', url: '/authz', rawHeaders: ['X-Forwarded-Uri', '/org1/repo1/index.yaml', 'X-Forwarded-Method', 'GET'] }), { kind: 'refused', refusal: { code: 'authz_unreadable', detail: /^X-Original-Method is missing/ }, asked: undefined })
})
