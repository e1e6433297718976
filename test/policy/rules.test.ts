import fc from 'fast-check'
import t from 'tap'
import { compileRules, matchesTenant } from '../../src/policy/rules.ts'

const matches = (pattern: string, tenant: string): boolean => matchesTenant(pattern.split('/'), tenant)

await t.test('a pattern stands for whole segments', async t => {
  const cases: [pattern: string, yes: string[], no: string[]][] = [
    ['team-a/*', ['team-a/x', 'team-a/*'], ['team-a', 'team-ab/x', 'team/a', 'team-a/x/y', 'TEAM-A/x', 'x/team-a']],
    ['org1/repo1', ['org1/repo1'], ['org1/repo10', 'org1/repo1-x', 'org10/repo1', 'ORG1/repo1', 'org1/repo1/sub', 'org1', 'repo1', 'org1/repo', 'x/org1/repo1']],
    ['*', ['a', 'repo'], ['a/b']],
    ['*/*', ['a/b'], ['a', 'a/b/c']],
    ['*/prod', ['a/prod'], ['a/prod2', 'prod', 'a/b/prod']],
    ['**', ['a', 'a/b', 'a/b/c', 'repo'], []],
    ['team-a/**', ['team-a/x', 'team-a/x/y'], ['team-a', 'team-ab/x', 'x/team-a/y']],
    ['*/b/**', ['a/b/c', 'a/b/c/d'], ['a/b', 'a/c/b']],
    ['team-*', ['team-*'], ['team-a']],
    ['a.b', ['a.b'], ['axb']],
    ['', [''], ['a']]
  ]
  for (const [pattern, yes, no] of cases) {
    for (const tenant of yes) t.equal(matches(pattern, tenant), true, `${pattern} stands for ${tenant}`)
    for (const tenant of no) t.equal(matches(pattern, tenant), false, `${pattern} does not stand for ${tenant}`)
  }
})

await t.test('a pattern without stars stands for itself alone', async () => {
  const name = fc.array(fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._-]{0,2}$/), { minLength: 1, maxLength: 4 }).map(parts => parts.join('/'))
  fc.assert(fc.property(name, name, (pattern, tenant) => matches(pattern, tenant) === (pattern === tenant)))
  fc.assert(fc.property(name, tenant => matches(tenant, tenant) && matches('**', tenant) && matches(tenant.replaceAll(/[^/]+/g, '*'), tenant)))
})

await t.test('a compiled rule knows its place in the configuration', async t => {
  const rules = compileRules([
    { repositories: ['public/*', 'org1/repo1'], subjects: ['anonymous'], actions: ['pull'] },
    { repositories: [], subjects: [], actions: [] }
  ])
  t.strictSame(rules, [
    { repositories: ['public/*', 'org1/repo1'], subjects: ['anonymous'], actions: ['pull'], place: 'policy[0]', patterns: [['public', '*'], ['org1', 'repo1']] },
    { repositories: [], subjects: [], actions: [], place: 'policy[1]', patterns: [] }
  ])
  t.strictSame(compileRules([]), [])
})
