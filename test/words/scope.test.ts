import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import t from 'tap'
import { ACTIONS, type Action, type Grant } from '../../src/words/access.ts'
import type { Depth } from '../../src/words/tenant.ts'
import { accessesOf, formatScopes, parseScopes } from '../../src/words/scope.ts'

const grant = (name: string, ...actions: Action[]): Grant => ({ type: 'artifact-repository', name, actions })

await t.test('scopes are read as one list, with the actions of a resource put together', async t => {
  const cases: [name: string, parameters: string[], grants: Grant[]][] = [
    ['none', [], []],
    ['an empty one', [''], []],
    ['spaces alone', ['   '], []],
    ['one', ['artifact-repository:org1/repo1:pull'], [grant('org1/repo1', 'pull')]],
    ['several actions', ['artifact-repository:org1/repo1:pull,push,overwrite,delete'], [grant('org1/repo1', 'pull', 'push', 'overwrite', 'delete')]],
    ['in the table\'s order', ['artifact-repository:org1/repo1:push,pull'], [grant('org1/repo1', 'pull', 'push')]],
    ['an action twice', ['artifact-repository:org1/repo1:pull,pull'], [grant('org1/repo1', 'pull')]],
    ['space-divided', ['artifact-repository:org1/repo1:pull artifact-repository:org2/repo2:push'], [grant('org1/repo1', 'pull'), grant('org2/repo2', 'push')]],
    ['repeated parameters', ['artifact-repository:org1/repo1:pull', 'artifact-repository:org2/repo2:push'], [grant('org1/repo1', 'pull'), grant('org2/repo2', 'push')]],
    ['the same resource twice', ['artifact-repository:org1/repo1:pull', 'artifact-repository:org1/repo1:push  artifact-repository:org1/repo1:pull'], [grant('org1/repo1', 'pull', 'push')]],
    ['a chart of a tenant, as OCI clients name it', ['repository:org1/repo1/mychart:pull,push'], [{ type: 'repository', name: 'org1/repo1/mychart', actions: ['pull', 'push'] }]],
    ['both types of one name are two', ['artifact-repository:org1/repo1:pull repository:org1/repo1/x:pull'], [grant('org1/repo1', 'pull'), { type: 'repository', name: 'org1/repo1/x', actions: ['pull'] }]],
    ['with a class, which means nothing', ['artifact-repository(plugin):org1/repo1:pull'], [grant('org1/repo1', 'pull')]]
  ]
  for (const [name, parameters, grants] of cases) t.strictSame(parseScopes(parameters, 2), { ok: true, grants }, name)
})

await t.test('what can never be granted is left out, and is no mistake', async t => {
  const scopes = [
    'repository:org1/repo1/my chart:pull'.replace(' ', '%20'), 'repository:org1/repo1/..:pull', 'repository:org1/repo1/a/b:pull', 'repository:mychart:pull', 'repository:api/repo1/mychart:pull', 'repository:org1/repo1/mychart:*', 'repository:host:5000/a:pull', 'registry:catalog:*', 'repository:org1/repo1:pull', 'artifact:org1/repo1:pull',
    'artifact-repository:org1/repo1:*', 'artifact-repository:org1/repo1:', 'artifact-repository:org1/repo1:admin', 'artifact-repository:org1/repo1:,,',
    'artifact-repository:org1/*:pull', 'artifact-repository:*:pull', 'artifact-repository:**:pull', 'artifact-repository:org1:pull', 'artifact-repository:org1/repo1/sub:pull', 'artifact-repository:org1/:pull',
    'artifact-repository:org1/../org2/repo2:pull', 'artifact-repository:../repo2:pull', 'artifact-repository:org1/%2e%2e:pull', 'artifact-repository:org1//repo1:pull', 'artifact-repository::repo:pull',
    "artifact-repository:org1/x'||'1:pull", 'artifact-repository:org1/x"y:pull', 'artifact-repository:*)(uid=*:pull', 'artifact-repository:api/repo1:pull', 'artifact-repository:static1/repo1:pull', 'artifact-repository:repo:pull'
  ]
  for (const scope of scopes) t.strictSame(parseScopes([scope], 2), { ok: true, grants: [] }, scope)
  t.strictSame(parseScopes([[...scopes, 'artifact-repository:org1/repo1:pull,admin,*'].join(' ')], 2), { ok: true, grants: [grant('org1/repo1', 'pull')] })
})

await t.test('a chart is named below its tenant at every depth, and at the root alone', t => {
  const cases: [Depth, string, boolean][] = [
    [0, 'mychart', true], [0, 'repo/mychart', true], [0, 'org1/mychart', false], [1, 'org1/mychart', true], [1, 'mychart', false], [3, 'a/b/c/mychart', true], [3, 'a/b/mychart', false],
    ['dynamic', 'mychart', true], ['dynamic', 'a/mychart', true], ['dynamic', 'a/b/c/mychart', true], ['dynamic', 'charts/mychart', false]
  ]
  for (const [depth, name, known] of cases) t.same(parseScopes([`repository:${name}:pull`], depth), { ok: true, grants: known ? [{ type: 'repository', name, actions: ['pull'] }] : [] }, `${depth} ${name}`)
  t.end()
})

await t.test('what has not the form of a scope is a mistake, and the sentence says which without repeating it', async t => {
  const cases: [name: string, scope: string, detail: RegExp][] = [
    ['a word', 'marker', /wrong form/],
    ['one colon', 'artifact-repository:marker', /wrong form/],
    ['no type', ':marker:pull', /wrong form/],
    ['no name', 'artifact-repository::pull', /wrong form/],
    ['colons alone', '::', /wrong form/],
    ['an upper-case type', 'Artifact-Repository:marker:pull', /wrong resource type/],
    ['a class alone', '(marker):a:pull', /wrong resource type/],
    ['an open class', 'artifact-repository(marker:a:pull', /wrong resource type/],
    ['a type with a slash', 'a/b:marker:pull', /wrong resource type/],
    ['a type that ends with a hyphen', 'artifact-:marker:pull', /wrong resource type/],
    ['a tab in the name', 'artifact-repository:mar\tker:pull', /wrong name/],
    ['a line end in the name', 'artifact-repository:mar\r\nker:pull', /wrong name/],
    ['a NUL', 'artifact-repository:marker\0:pull', /wrong name/],
    ['a letter beyond ASCII', 'artifact-repository:m\u00e4rker:pull', /wrong name/],
    ['an upper-case action', 'artifact-repository:org1/repo1:Pull', /wrong action/],
    ['an action with a star', 'artifact-repository:org1/repo1:pull*', /wrong action/],
    ['a line end after the action', 'artifact-repository:org1/repo1:pull\n', /wrong action/],
    ['a quote in the action', 'artifact-repository:org1/repo1:pull"', /wrong action/]
  ]
  for (const [name, scope, detail] of cases) {
    const result = parseScopes(['artifact-repository:org1/repo1:pull', scope], 2)
    t.match(result, { ok: false, detail }, name)
    t.notMatch(result, { detail: /mar\s?ker|[^\x20-\x7e]/ }, name)
  }
})

await t.test('there may be 32 scopes in a request, in whatever parameters', async t => {
  const scopes = Array.from({ length: 33 }, (_, i) => `artifact-repository:org1/repo${i}:pull`)
  t.match(parseScopes(scopes.slice(1), 2), { ok: true })
  t.match(parseScopes([scopes.slice(1).join(' ')], 2), { ok: true })
  t.match(parseScopes(scopes, 2), { ok: false, detail: /at most 32/ })
  t.match(parseScopes([scopes.join(' ')], 2), { ok: false, detail: /at most 32/ })
})

await t.test('a name is a tenant at the depth of this gateway', async t => {
  t.strictSame(parseScopes(['artifact-repository:repo:pull'], 0), { ok: true, grants: [grant('repo', 'pull')] })
  t.strictSame(parseScopes(['artifact-repository:org1/repo1:pull'], 0), { ok: true, grants: [] })
  t.strictSame(parseScopes(['artifact-repository:a/b/c:pull artifact-repository:repo:push'], 'dynamic'), { ok: true, grants: [grant('a/b/c', 'pull'), grant('repo', 'push')] })
})

const segment = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,9}$/)
/** None of the words that no tenant begins with. */
const first = fc.stringMatching(/^[b-z0-9][A-Za-z0-9._-]{0,9}$/).filter(name => !/^(?:static|(?:v2|oauth|health|info|metrics|charts)$)/.test(name))
const tenantOf = (segments: number): fc.Arbitrary<string> => fc.tuple(first, fc.array(segment, { minLength: segments - 1, maxLength: segments - 1 })).map(([name, more]) => [name, ...more].join('/'))
const TENANTS: readonly (readonly [Depth, fc.Arbitrary<string>])[] = [[0, fc.constant('repo')], [1, tenantOf(1)], [2, tenantOf(2)], [3, tenantOf(3)], ['dynamic', fc.integer({ min: 1, max: 4 }).chain(tenantOf)]]

/** Grants of both types: on tenants, and on charts in them. */
function grantsIn (tenant: fc.Arbitrary<string>): fc.Arbitrary<Grant[]> {
  const chart = fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,9}$/)
  const grant = fc.record({
    resource: fc.oneof(tenant.map(name => ({ type: 'artifact-repository' as const, name })), fc.tuple(tenant, chart).map(parts => ({ type: 'repository' as const, name: parts.join('/') }))),
    actions: fc.subarray([...ACTIONS], { minLength: 1 })
  }).map(({ resource, actions }): Grant => ({ ...resource, actions }))
  return fc.uniqueArray(grant, { maxLength: 32, selector: ({ type, name }) => `${type}:${name}` })
}

await t.test('what is written is read as the same, at every depth and of both types', async () => {
  for (const [depth, tenant] of TENANTS) {
    fc.assert(fc.property(grantsIn(tenant), grants => {
      const text = formatScopes(grants)
      return isDeepStrictEqual(parseScopes([text], depth), { ok: true, grants }) &&
        isDeepStrictEqual(parseScopes(text === '' ? [] : text.split(' '), depth), { ok: true, grants })
    }))
  }
})

await t.test('whatever is read is written as something that reads the same', async () => {
  const part = fc.oneof(fc.constantFrom('artifact-repository', 'repository', ':', ',', 'pull', 'push', 'org1/repo1', 'org2/repo2', ' ', '*', '/'), fc.string({ unit: 'binary', maxLength: 2 }))
  fc.assert(fc.property(fc.array(fc.array(part).map(parts => parts.join(''))), parameters => {
    const result = parseScopes(parameters, 2)
    return !result.ok || isDeepStrictEqual(parseScopes([formatScopes(result.grants)], 2), result)
  }))
})

await t.test('a grant is as many rights as it has actions', async t => {
  t.strictSame(accessesOf(grant('org1/repo1', 'pull', 'delete')), [
    { type: 'artifact-repository', name: 'org1/repo1', action: 'pull' },
    { type: 'artifact-repository', name: 'org1/repo1', action: 'delete' }
  ])
  t.equal(formatScopes([grant('org1/repo1', 'pull', 'delete'), { type: 'repository', name: 'org1/repo1/x', actions: ['push'] }]), 'artifact-repository:org1/repo1:pull,delete repository:org1/repo1/x:push')
  t.equal(formatScopes([]), '')
})
