import fc from 'fast-check'
import t from 'tap'
import type { Action } from '../../src/charts/routes.ts'
import { ANONYMOUS, MASTER, type Principal } from '../../src/identity/principal.ts'
import type { Grant } from '../../src/policy/access.ts'
import { decide, narrow } from '../../src/policy/decide.ts'
import { compileRules, matchesTenant } from '../../src/policy/rules.ts'
import { formatScopes, parseScopes } from '../../src/policy/scope.ts'
import { grant } from '../helpers/app.ts'

await t.test('patterns match whole segments', t => {
  const cases: [string, string, boolean][] = [
    ['org1/repo1', 'org1/repo1', true], ['org1/repo1', 'org1/repo10', false], ['org1/repo1', 'org1/repo1/sub', false], ['org1/repo1', 'ORG1/repo1', false], ['org1/repo1', 'org1', false],
    ['org1/*', 'org1/repo1', true], ['org1/*', 'org10/repo1', false], ['org1/*', 'org1/a/b', false], ['*/web', 'a/web', true],
    ['**', 'a', true], ['**', 'a/b/c', true], ['org1/**', 'org1/a/b', true], ['org1/**', 'org1', false], ['org1/**', 'org2/a', false]
  ]
  for (const [pattern, tenant, expected] of cases) t.equal(matchesTenant(pattern.split('/'), tenant), expected, `${pattern} ${tenant}`)
  t.end()
})

await t.test('rules add, a token speaks for itself, and what nothing allows is denied', t => {
  const rules = compileRules([
    { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] },
    { repositories: ['drop/box'], subjects: ['anonymous'], actions: ['push'] }
  ])
  const token: Principal = { kind: 'token', subject: 'key:master', grants: [grant('org1/repo1', 'pull')] }
  const cases: [Principal, string, Action, string | undefined][] = [
    [ANONYMOUS, 'public/x', 'pull', 'policy[0]'], [ANONYMOUS, 'public/x', 'push', undefined], [ANONYMOUS, 'drop/box', 'push', 'policy[1]'], [ANONYMOUS, 'org1/repo1', 'pull', undefined],
    [MASTER, 'any/thing', 'delete', 'master key'], [token, 'org1/repo1', 'pull', 'token'], [token, 'org1/repo1', 'push', undefined], [token, 'org1/repo10', 'pull', undefined], [token, 'public/x', 'pull', 'policy[0]']
  ]
  for (const [principal, name, action, by] of cases) {
    t.same(decide(principal, { type: 'artifact-repository', name, action }, rules), by === undefined ? { allowed: false } : { allowed: true, by }, `${principal.subject} ${action} ${name}`)
  }
  t.same(decide(token, { type: 'repository', name: 'org1/repo1', action: 'pull' }, []), { allowed: false }, 'a chart of the registry is another resource')
  t.same(narrow(token, [grant('org1/repo1', 'pull', 'push'), grant('org2/x', 'pull')], rules), [grant('org1/repo1', 'pull')])
  t.end()
})

await t.test('scopes are read as the Docker specification writes them', t => {
  const cases: [string[], string][] = [
    [['artifact-repository:org1/repo1:pull'], 'artifact-repository:org1/repo1:pull'],
    [['artifact-repository:org1/repo1:push,pull artifact-repository:org2/b:pull', ' artifact-repository:org1/repo1:delete'], 'artifact-repository:org1/repo1:pull,push,delete artifact-repository:org2/b:pull'],
    [['artifact-repository(helm):org1/repo1:pull'], 'artifact-repository:org1/repo1:pull'],
    [['registry:catalog:*', 'repository:host:5000/a/b:pull', 'artifact-repository:org1/repo1:', 'artifact-repository:org1/..:pull'], ''],
    [[], '']
  ]
  for (const [parameters, expected] of cases) {
    const result = parseScopes(parameters, 2)
    t.equal(result.ok ? formatScopes(result.grants) : result.detail, expected)
  }
  for (const scope of ['x', 'a:b', ':b:pull', 'a::pull', 'A_B:x:pull', 'a:\u00e9:pull', 'a:b:PULL', 'a:b:pull;push']) t.match(parseScopes([scope], 2), { ok: false, detail: /a scope/ }, scope)
  t.end()
})

await t.test('scopes survive being written and read', t => {
  const name = fc.tuple(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,9}$/), fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,9}$/))
    .filter(([first]) => !/^(?:api|oauth|v2|authz|health|info|metrics|static.*)$/.test(first)).map(parts => parts.join('/'))
  const actions = fc.subarray<Action>(['pull', 'push', 'overwrite', 'delete'], { minLength: 1 })
  fc.assert(fc.property(fc.uniqueArray(fc.tuple(name, actions), { selector: ([name]) => name, maxLength: 8 }), pairs => {
    const grants: Grant[] = pairs.map(([name, actions]) => grant(name, ...actions))
    const read = parseScopes([formatScopes(grants)], 2)
    return read.ok && JSON.stringify(read.grants) === JSON.stringify(grants)
  }))
  t.end()
})
