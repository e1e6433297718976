import t from 'tap'
import { nearestRule, rightsOf, type NearRule } from '../../src/policy/why.ts'
import type { PolicyRule } from '../../src/policy/rules.ts'
import type { Action } from '../../src/words/access.ts'

const RULES: readonly PolicyRule[] = [
  { repositories: ['team/*'], subjects: ['group:web'], actions: ['pull'] },
  { repositories: ['team/web'], subjects: ['user:alice', 'robot:ci'], actions: ['push'] },
  { repositories: ['team/data', 'team/ops'], subjects: ['robot:ci'], actions: ['push', 'delete'] },
  { repositories: ['**'], subjects: ['group:auditors', 'anonymous'], actions: ['pull'] },
  { repositories: ['public/**'], subjects: ['group:web'], actions: ['pull', 'push'] }
]

void t.test('the nearest rule lacks one thing: the action, then the subject, then the tenant', t => {
  const cases: [subjects: string[], tenant: string, action: Action, expected: NearRule | undefined][] = [
    [['user:bob', 'group:web'], 'team/web', 'push', { rule: 0, lacks: 'action' }],
    [['user:bob'], 'team/web', 'push', { rule: 1, lacks: 'subject' }],
    [['user:alice'], 'team/wbe', 'push', { rule: 1, lacks: 'tenant' }],
    [['robot:ci'], 'team/webs', 'push', { rule: 1, lacks: 'tenant' }],
    [['robot:ci'], 'team/date', 'push', { rule: 2, lacks: 'tenant' }],
    [['robot:ci'], 'other/thing', 'push', { rule: 1, lacks: 'tenant' }],
    [['user:bob'], 'other/thing', 'delete', undefined]
  ]
  for (const [subjects, tenant, action, expected] of cases) t.strictSame(nearestRule(RULES, subjects, tenant, action), expected, `${subjects.join()} ${action} ${tenant}`)
  t.equal(nearestRule([], ['user:bob'], 'a/b', 'pull'), undefined)
  t.end()
})

void t.test('rights are those of each pattern, with what wider patterns give', t => {
  t.strictSame(rightsOf(RULES, ['robot:ci', 'anonymous']), [
    { tenants: 'team/web', actions: ['pull', 'push'], rules: [1, 3] },
    { tenants: 'team/data', actions: ['pull', 'push', 'delete'], rules: [2, 3] },
    { tenants: 'team/ops', actions: ['pull', 'push', 'delete'], rules: [2, 3] },
    { tenants: '**', actions: ['pull'], rules: [3] }
  ])
  t.strictSame(rightsOf(RULES, ['group:web']), [
    { tenants: 'team/*', actions: ['pull'], rules: [0] },
    { tenants: 'public/**', actions: ['pull', 'push'], rules: [4] }
  ])
  const covering = (wide: string, narrow: string): boolean => rightsOf([
    { repositories: [wide], subjects: ['user:a'], actions: ['pull'] },
    { repositories: [narrow], subjects: ['user:a'], actions: ['push'] }
  ], ['user:a']).find(({ tenants }) => tenants === narrow)?.actions.includes('pull') === true
  for (const [wide, narrow] of [['**', '*'], ['**', 'a/**'], ['a/*', 'a/b'], ['*/b', 'a/b'], ['*/*', 'a/*'], ['a/**', 'a/b/c']] as const) t.ok(covering(wide, narrow), `${wide} covers ${narrow}`)
  for (const [wide, narrow] of [['a/**', 'a'], ['a/*', 'a/**'], ['a/b', 'a/*'], ['a/*', 'a/b/c'], ['a/b/c', 'a/b'], ['*', '**']] as const) t.notOk(covering(wide, narrow), `${wide} does not cover ${narrow}`)
  t.end()
})
