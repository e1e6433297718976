import t from 'tap'
import type { Depth } from '../../src/words/tenant.ts'
import type { PolicyRule } from '../../src/policy/rules.ts'
import { ruleWarnings } from '../../src/live/rule-warnings.ts'
import { accountsOf, robot, user } from '../helpers/accounts.ts'

const accounts = accountsOf([user('alice', 'h', { groups: ['team-a'] })], [{ ...robot('ci', 'd'), groups: ['bots'] }])
const rule = (repositories: string[], subjects = ['anonymous']) => ({ repositories, subjects, actions: ['pull'] as const })

await t.test('a pattern that no tenant can have is named', t => {
  const cases: [Depth, string[], string[]][] = [
    [0, ['repo', '*', '**'], ['a', 'a/b', 'repo/**', '*/*']],
    [1, ['a', '*', '**'], ['a/b', 'a/*', 'a/**', '*/**', 'api', 'static-files']],
    [2, ['a/b', '*/b', 'a/**', '**', '*/**'], ['a', '*', 'a/b/**', 'a/b/c', 'v2/x', 'health/*', 'a/x-1.0.0.tgz', 'index-cache.yaml/*']],
    [3, ['a/b/**', 'a/**', 'a/*/c'], ['a/b', 'a/b/c/**']],
    ['dynamic', ['a', 'a/b/c', '**'], ['charts/x', 'api/**', 'a/x.tgz.prov/**', 'a/X.TGZ']]
  ]
  for (const [depth, good, bad] of cases) {
    t.strictSame(ruleWarnings([rule(good)], accounts, depth), [], `depth ${depth}`)
    t.match(ruleWarnings([rule(good), rule(bad)], accounts, depth).map(({ rule, sentence }) => `${rule}: ${sentence}`), bad.map(pattern => `1: the pattern ${pattern} can never match a tenant`), `depth ${depth}`)
  }
  t.end()
})

await t.test('a subject that no file knows is named', t => {
  t.strictSame(ruleWarnings([rule(['a/b'], ['anonymous', 'authenticated', 'user:alice', 'robot:ci', 'group:team-a', 'group:bots'])], accounts, 2), [])
  t.strictSame(ruleWarnings([rule(['a/b'], ['user:bob', 'robot:alice', 'group:ci'])], accounts, 2), ['user:bob', 'robot:alice', 'group:ci'].map(subject => ({ rule: 0, sentence: `the subject ${subject} is in no accounts file` })))
  t.end()
})

await t.test('a certificate is known by the configuration, and so are its groups', t => {
  const known = { users: new Map(), robots: new Map(), groups: new Set<string>(), certificates: [{ name: 'ci', groups: ['team-a'] }, { name: 'cd' }] }
  const rule = (...subjects: string[]): PolicyRule[] => [{ repositories: ['**'], subjects, actions: ['pull'] }]
  t.strictSame(ruleWarnings(rule('cert:ci', 'group:team-a', 'cert:cd'), known, 2), [])
  t.strictSame(ruleWarnings(rule('group:publishers'), { ...known, jobs: [{ groups: ['publishers'] }] }, 2), [], 'and so are those that jobs are put into')
  t.strictSame(ruleWarnings(rule('cert:x', 'group:x'), known, 2).map(({ sentence }) => sentence), ['the subject cert:x is not in identity.certificates', 'the subject group:x is in no accounts file'])
  t.end()
})
