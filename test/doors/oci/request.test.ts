// The parser of the registry's targets: every endpoint of the specification, names that have
// its words in them, and what is none of it.
import fc from 'fast-check'
import t from 'tap'
import { parseRequestTarget, type ReceivedTarget } from '../../../src/doors/request-target.ts'
import { isOciChange, isOciPreparation, ociFactsOf, type OciRequest } from '../../../src/doors/oci/request.ts'
import type { ReasonCode } from '../../../src/http/errors.ts'
import type { Depth } from '../../../src/words/tenant.ts'

const HEX = 'a'.repeat(64)
const DIGEST = `sha256:${HEX}`
const MYCHART = { name: 'org1/repo1/mychart', tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'mychart' }

function parse (method: string, target: string, depth: Depth = 2): ReceivedTarget {
  return parseRequestTarget(method, target, { depth, basePath: '', oci: true })
}

function asked (method: string, target: string, depth?: Depth): OciRequest {
  const parsed = parse(method, target, depth)
  if (parsed.kind !== 'oci') throw new Error(`${method} ${target} is ${JSON.stringify(parsed)}`)
  return parsed.request
}

function refusedAs (method: string, target: string, depth?: Depth): ReasonCode | undefined {
  const parsed = parse(method, target, depth)
  return parsed.kind === 'refused' && parsed.form === 'oci' ? parsed.refusal.code : undefined
}

await t.test('every endpoint is understood, with the one right that it needs', async t => {
  const of = (method: string, action: string): object => ({ method, repository: MYCHART, access: { type: 'repository', name: 'org1/repo1/mychart', action } })
  const cases: [method: string, path: string, request: object][] = [
    ['GET', '', { route: 'oci-base', method: 'GET' }],
    ['GET', 'org1/repo1/mychart/manifests/0.1.0', { route: 'oci-manifest', ...of('GET', 'pull'), reference: { kind: 'tag', tag: '0.1.0', version: '0.1.0' } }],
    ['HEAD', 'org1/repo1/mychart/manifests/0.1.0_b.5', { route: 'oci-manifest', ...of('HEAD', 'pull'), reference: { kind: 'tag', tag: '0.1.0_b.5', version: '0.1.0+b.5' } }],
    ['GET', 'org1/repo1/mychart/manifests/latest', { route: 'oci-manifest', ...of('GET', 'pull'), reference: { kind: 'tag', tag: 'latest', version: undefined } }],
    ['PUT', `org1/repo1/mychart/manifests/${DIGEST}`, { route: 'oci-manifest', ...of('PUT', 'push'), reference: { kind: 'digest', digest: DIGEST } }],
    ['DELETE', 'org1/repo1/mychart/manifests/0.1.0', { route: 'oci-manifest', ...of('DELETE', 'delete'), reference: { kind: 'tag', tag: '0.1.0', version: '0.1.0' } }],
    ['PUT', `org1/repo1/mychart/manifests/sha256-${'a'.repeat(64)}.sig`, { route: 'oci-manifest', ...of('PUT', 'push'), reference: { kind: 'attached', tag: `sha256-${'a'.repeat(64)}.sig`, subject: 'a'.repeat(64) } }],
    ['GET', `org1/repo1/mychart/manifests/sha256-${'a'.repeat(64)}`, { route: 'oci-manifest', ...of('GET', 'pull'), reference: { kind: 'tag', tag: `sha256-${'a'.repeat(64)}`, version: undefined } }],
    ['GET', `org1/repo1/mychart/blobs/${DIGEST}`, { route: 'oci-blob', ...of('GET', 'pull'), digest: DIGEST }],
    ['POST', 'org1/repo1/mychart/blobs/uploads/', { route: 'oci-uploads', ...of('POST', 'push') }],
    ['POST', `org1/repo1/mychart/blobs/uploads/?digest=${DIGEST}`, { route: 'oci-uploads', ...of('POST', 'push'), digest: DIGEST }],
    ['POST', `org1/repo1/mychart/blobs/uploads/?mount=${DIGEST}&from=org2/repo2/x`, { route: 'oci-uploads', ...of('POST', 'push'), mount: { digest: DIGEST, from: { name: 'org2/repo2/x', tenant: 'org2/repo2', tenantPath: 'org2/repo2', chart: 'x' } } }],
    ['POST', 'org1/repo1/mychart/blobs/uploads/?mount=nothing&from=Org2', { route: 'oci-uploads', ...of('POST', 'push'), mount: { digest: undefined, from: undefined } }],
    ['POST', `org1/repo1/mychart/blobs/uploads/?mount=${DIGEST}`, { route: 'oci-uploads', ...of('POST', 'push'), mount: { digest: DIGEST, from: undefined } }],
    ['PATCH', 'org1/repo1/mychart/blobs/uploads/Some-id_1?_state=s', { route: 'oci-upload', ...of('PATCH', 'push'), id: 'Some-id_1', state: 's' }],
    ['PUT', `org1/repo1/mychart/blobs/uploads/1?digest=${DIGEST.replace(':', '%3A')}`, { route: 'oci-upload', ...of('PUT', 'push'), id: '1', digest: DIGEST }],
    ['GET', 'org1/repo1/mychart/tags/list?n=5&last=0.1.0', { route: 'oci-tags', ...of('GET', 'pull'), n: 5, last: '0.1.0' }],
    ['GET', `org1/repo1/mychart/referrers/${DIGEST}?artifactType=a/b`, { route: 'oci-referrers', ...of('GET', 'pull'), digest: DIGEST, artifactType: 'a/b' }],
    ['GET', `org1/repo1/mychart/referrers/${DIGEST}`, { route: 'oci-referrers', ...of('GET', 'pull'), digest: DIGEST }]
  ]
  for (const [method, path, request] of cases) t.strictSame(asked(method, `/v2/${path}`), request, `${method} ${path}`)
  t.strictSame(asked('GET', '/v2'), { route: 'oci-base', method: 'GET' }, 'clients of old leave out the slash')
})

await t.test('what stands before the last segments is the name, whatever words are in it', async t => {
  const names: [path: string, depth: Depth, tenant: string, chart: string][] = [
    ['blobs/uploads/manifests/manifests/1.0.0', 2, 'blobs/uploads', 'manifests'],
    ['tags/list/blobs/tags/list', 2, 'tags/list', 'blobs'],
    [`blobs/blobs/referrers/blobs/${DIGEST}`, 2, 'blobs/blobs', 'referrers'],
    ['mychart/manifests/1.0.0', 0, 'repo', 'mychart'],
    ['mychart/manifests/1.0.0', 'dynamic', 'repo', 'mychart'],
    ['a/b/c/d/manifests/1.0.0', 'dynamic', 'a/b/c', 'd'],
    ['repo/mychart/manifests/1.0.0', 1, 'repo', 'mychart']
  ]
  for (const [path, depth, tenant, chart] of names) {
    const request = asked('GET', `/v2/${path}`, depth)
    t.match(request, { repository: { tenant, chart, tenantPath: tenant === 'repo' && depth !== 1 ? '' : tenant } }, path)
  }
})

await t.test('what is none of it is refused with a reason, in the form of a registry', async t => {
  const cases: [method: string, path: string, code: ReasonCode, depth?: Depth][] = [
    ['GET', '_catalog', 'oci_unsupported'],
    ['GET', 'org1/repo1/Mychart/manifests/0.1.0', 'oci_name_invalid'],
    ['GET', 'org1/repo1/my..chart/manifests/0.1.0', 'oci_name_invalid'],
    ['GET', 'org1/repo1/-x/manifests/0.1.0', 'oci_name_invalid'],
    ['GET', '/org1/repo1/x/manifests/0.1.0', 'bad_target'],
    ['GET', 'org1/repo1/x/tags/list/', 'bad_target'],
    ['GET', 'org1/repo1/x/manifests/', 'bad_target'],
    ['POST', 'org1/repo1/x/blobs/uploads', 'method_not_allowed'],
    ['GET', `${'a'.repeat(300)}/manifests/0.1.0`, 'oci_name_invalid'],
    ['GET', `org1/repo1/${'A'.repeat(300)}/manifests/0.1.0`, 'oci_name_invalid'],
    ['GET', 'org1/mychart/manifests/0.1.0', 'oci_name_unknown'],
    ['GET', 'org1/repo1/more/mychart/manifests/0.1.0', 'oci_name_unknown'],
    ['GET', 'api/repo1/mychart/manifests/0.1.0', 'oci_name_unknown'],
    ['GET', 'org1/x-1.0.0.tgz/mychart/manifests/0.1.0', 'oci_name_unknown'],
    ['GET', 'a/mychart/manifests/0.1.0', 'oci_name_unknown', 0],
    ['GET', 'repo/mychart/manifests/0.1.0', 'oci_name_unknown', 'dynamic'],
    ['GET', 'a/charts/manifests/0.1.0', 'oci_name_unknown', 'dynamic'],
    ['GET', 'org1/repo1/mychart/manifests/.x', 'oci_manifest_unknown'],
    ['GET', `org1/repo1/mychart/manifests/${'1'.repeat(129)}`, 'oci_manifest_unknown'],
    ['GET', 'org1/repo1/mychart/manifests/sha256:abc', 'oci_digest_invalid'],
    ['GET', `org1/repo1/mychart/manifests/sha256:${'A'.repeat(64)}`, 'oci_digest_invalid'],
    ['GET', 'org1/repo1/mychart/blobs/latest', 'oci_digest_invalid'],
    ['GET', `org1/repo1/mychart/blobs/a:${'b'.repeat(300)}`, 'oci_digest_invalid'],
    ['GET', 'org1/repo1/mychart/referrers/latest', 'oci_digest_invalid'],
    ['POST', 'org1/repo1/mychart/blobs/uploads/?digest=sha256:1', 'oci_digest_invalid'],
    ['PUT', 'org1/repo1/mychart/blobs/uploads/1?digest=sha256:1', 'oci_digest_invalid'],
    ['PUT', 'org1/repo1/mychart/blobs/uploads/a.b', 'oci_upload_unknown'],
    ['GET', 'org1/repo1/mychart/tags/list?n=-1', 'bad_request'],
    ['GET', 'org1/repo1/mychart/tags/list?n=1e3', 'bad_request'],
    ['POST', '', 'method_not_allowed'],
    ['constructor', '', 'method_not_allowed'],
    ['toString', 'org1/repo1/mychart/tags/list', 'method_not_allowed'],
    ['DELETE', `org1/repo1/mychart/blobs/${DIGEST}`, 'method_not_allowed'],
    ['POST', 'org1/repo1/mychart/manifests/0.1.0', 'method_not_allowed'],
    ['GET', 'org1/repo1/mychart/tags', 'no_such_route'],
    ['GET', 'org1/repo1/mychart/tags/lists', 'no_such_route'],
    ['GET', 'org1/repo1/mychart/uploads/x', 'no_such_route'],
    ['GET', 'org1', 'no_such_route'],
    ['GET', 'org1/repo1/mychart/manifests/0.1.0%2Bb', 'bad_target'],
    ['GET', 'org1/repo1/mychart/manifests/~1', 'bad_target'],
    ['GET', 'org1/repo1/mychart/manifests/a\\b', 'bad_target'],
    ['GET', 'org1/repo1/../repo2/mychart/manifests/0.1.0', 'bad_target'],
    ['GET', 'org1/repo1/%2e%2e/manifests/0.1.0', 'bad_target']
  ]
  for (const [method, path, code, depth] of cases) t.equal(refusedAs(method, `/v2/${path}`, depth), code, `${method} ${path.slice(0, 80)}`)
  t.match(parse('DELETE', `/v2/org1/repo1/mychart/blobs/${DIGEST}`), { refusal: { allow: ['GET', 'HEAD'] } })
  t.match(parse('GET', '/v2/org1/repo1/Mychart/manifests/1.0.0'), { refusal: { detail: /lower-case/ } }, 'a name in capitals is told so')
  t.match(parse('GET', '/v2/org1/mychart/manifests/1.0.0'), { refusal: { detail: 'this repository\'s name has 2 parts, and 3 name a chart here: oci://HOST/TENANT1/TENANT2/CHART' } })
  t.match(parse('GET', '/v2/mychart/manifests/1.0.0'), { refusal: { detail: /has 1 part, and 3 name a chart/ } })
  t.match(parse('GET', '/v2/a/mychart/manifests/1.0.0', 0), { refusal: { detail: 'this repository\'s name has 2 parts, and 1 names a chart here: oci://HOST/CHART' } })
})

await t.test('without a registry, and outside of /v2/, nothing is of it', async t => {
  t.match(parseRequestTarget('GET', '/v2/', { depth: 2, basePath: '' }), { kind: 'refused', refusal: { code: 'no_such_route', detail: /no OCI registry/ } })
  for (const target of ['/v2x/', '/V2/', '//v2/', '/v2%2F']) t.notMatch(parse('GET', target), { form: 'oci' }, target)
})

await t.test('with a path in publicUrl it is at the root all the same', async t => {
  const layout = { depth: 2, basePath: '/helm', oci: true } as const
  t.match(parseRequestTarget('GET', '/v2/', layout), { kind: 'oci' })
  t.match(parseRequestTarget('GET', '/helm/v2/', layout), { kind: 'refused', refusal: { code: 'no_such_route' } })
})

await t.test('the log, the audit log and metrics are told the chart, and the version or digest', async t => {
  const facts = (method: string, path: string): object => ociFactsOf(asked(method, `/v2/org1/repo1/mychart/${path}`) as Parameters<typeof ociFactsOf>[0])
  const of = { tenant: 'org1/repo1', chart: 'mychart' }
  t.match(facts('GET', 'manifests/1.0.0_b'), { route: 'oci-manifest', ...of, version: '1.0.0+b' })
  t.match(facts('GET', 'manifests/latest'), { version: 'latest' })
  t.match(facts('GET', `blobs/${DIGEST}`), { route: 'oci-blob', ...of, digest: HEX })
  t.equal('digest' in facts('GET', `referrers/sha512:${'b'.repeat(128)}`), false)
  t.strictSame(Object.keys(facts('GET', 'tags/list')), ['route', 'tenant', 'access', 'chart'])
  t.match(facts('PUT', 'manifests/1.0.0_b'), { route: 'oci-push', ...of, version: '1.0.0+b' }, 'a push is made by its tag')
  t.match(facts('PUT', `manifests/${DIGEST}`), { route: 'oci-manifest', ...of, digest: HEX })
  t.equal(isOciChange(asked('PUT', '/v2/org1/repo1/mychart/manifests/1.0.0')), true)
  t.equal(isOciChange(asked('PUT', `/v2/org1/repo1/mychart/manifests/${DIGEST}`)), false)
  t.equal(isOciChange(asked('DELETE', `/v2/org1/repo1/mychart/manifests/${DIGEST}`)), true)
  t.equal(isOciChange(asked('GET', '/v2/org1/repo1/mychart/manifests/1.0.0')), false)
  t.equal(isOciChange(asked('POST', '/v2/org1/repo1/mychart/blobs/uploads/')), false)
  for (const [method, path] of [['POST', 'blobs/uploads/'], ['PATCH', 'blobs/uploads/x'], ['PUT', `manifests/${DIGEST}`]] as const) t.equal(isOciPreparation(asked(method, `/v2/org1/repo1/mychart/${path}`)), true, 'it belongs to a push')
  for (const [method, path] of [['GET', 'org1/repo1/mychart/blobs/' + DIGEST], ['PUT', 'org1/repo1/mychart/manifests/1.0.0'], ['DELETE', 'org1/repo1/mychart/manifests/1.0.0'], ['GET', '']] as const) t.equal(isOciPreparation(asked(method, `/v2/${path}`)), false)
})

await t.test('whatever the bytes are, the right is for the name that is asked for', async () => {
  const word = fc.oneof(fc.constantFrom('org1', 'repo1', 'mychart', 'manifests', 'blobs', 'uploads', 'tags', 'list', 'referrers', '..', '.', '', DIGEST, '1.0.0', 'A', 'a%2Fb', '_catalog'), fc.string({ maxLength: 5 }))
  fc.assert(fc.property(fc.constantFrom('GET', 'HEAD', 'PUT', 'POST', 'DELETE', 'PATCH', 'OPTIONS'), fc.array(word, { maxLength: 9 }), fc.constantFrom<Depth>(0, 1, 2, 'dynamic'), (method, words, depth) => {
    const path = `/v2/${words.join('/')}`
    const parsed = parse(method, path, depth)
    if (parsed.kind !== 'oci') return parsed.kind === 'refused' && parsed.form === 'oci'
    if (parsed.request.route === 'oci-base') return true
    const { repository, access } = parsed.request
    return access.name === repository.name && path.startsWith(`/v2/${repository.name}/`) && !repository.name.split('/').some(segment => segment === '..' || segment === '') &&
      repository.name === (repository.tenantPath === '' ? '' : `${repository.tenantPath}/`) + repository.chart
  }), { numRuns: 2000 })
})
