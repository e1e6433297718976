import fc from 'fast-check'
import t from 'tap'
import { ACTIONS } from '../../src/words/access.ts'
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

await t.test('a set of rules finds what a look at every rule finds, by its place', async () => {
  const segment = fc.constantFrom('a', 'ab', 'b', 'c')
  const tenant = fc.array(segment, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
  const pattern = fc.tuple(fc.array(fc.oneof(segment, fc.constant('*')), { minLength: 1, maxLength: 3 }), fc.boolean()).map(([parts, open]) => [...parts, ...(open ? ['**'] : [])].join('/'))
  const subject = fc.constantFrom<string>('anonymous', 'user:alice', 'group:team')
  const rule = fc.record({ repositories: fc.array(fc.oneof(pattern, fc.constant('**')), { maxLength: 3 }), subjects: fc.uniqueArray(subject), actions: fc.subarray([...ACTIONS]) })
  fc.assert(fc.property(fc.array(rule, { maxLength: 6 }), fc.subarray(['user:alice', 'group:team', 'anonymous']), tenant, fc.constantFrom(...ACTIONS), (rules, subjects, tenant, action) => {
    const speaking = rules.flatMap(({ repositories, subjects: whom, actions }, i) =>
      actions.includes(action) && subjects.some(each => whom.includes(each)) && repositories.some(pattern => matches(pattern, tenant)) ? [`policy[${i}]`] : [])
    const found = compileRules(rules).find(subjects, tenant, action)
    return found === undefined ? speaking.length === 0 : speaking.includes(found)
  }), { numRuns: 2000 })
})
