import fc from 'fast-check'
import t from 'tap'
import { ACTIONS, type Action, type Access, type Grant } from '../../src/words/access.ts'
import { ANONYMOUS, MASTER, accountPrincipal, tokenPrincipal, type Principal } from '../../src/words/principal.ts'
import { narrow } from '../../src/judge.ts'
import { decide } from '../../src/policy/decide.ts'
import { compileRules } from '../../src/policy/rules.ts'
import { accessesOf } from '../../src/words/scope.ts'
import { at } from '../helpers/clock.ts'

const access = (name: string, action: Action = 'pull', type: Access['type'] = 'artifact-repository'): Access => ({ type, name, action })
const grant = (name: string, ...actions: Action[]): Grant => ({ type: 'artifact-repository', name, actions })
const token = (...grants: Grant[]): Principal => tokenPrincipal('user:alice', grants, at(2_000_000_000))
const ofIssuer = (...grants: Grant[]): Principal => tokenPrincipal('issuer:legacy/ci', grants, at(2_000_000_000))
const ALICE = accountPrincipal('user', 'alice', ['team-c'])
const NO_RULES = compileRules([])

const RULES = compileRules([
  { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] },
  { repositories: ['team-a/**', 'shared/one'], subjects: ['user:alice', 'robot:team-a-ci'], actions: ['pull', 'push'] },
  { repositories: ['drop/*'], subjects: ['anonymous'], actions: ['push'] },
  { repositories: ['team-c/*'], subjects: ['group:team-c'], actions: ['delete'] },
  { repositories: ['staff/*'], subjects: ['authenticated'], actions: ['pull'] }
])

await t.test('rules only add, and what none allows is denied', async t => {
  const cases: [name: string, principal: Principal, access: Access, by: string | undefined][] = [
    ['anonymous may do what a rule says', ANONYMOUS, access('public/x'), 'policy[0]'],
    ['and nothing else there', ANONYMOUS, access('public/x', 'push'), undefined],
    ['nor elsewhere', ANONYMOUS, access('team-a/x'), undefined],
    ['nor below', ANONYMOUS, access('public/x/y'), undefined],
    ['nor beside', ANONYMOUS, access('publicx/y'), undefined],
    ['a push is no pull', ANONYMOUS, access('drop/x'), undefined],
    ['a push may be public', ANONYMOUS, access('drop/x', 'push'), 'policy[2]'],
    ['a user has their rule', ALICE, access('team-a/x', 'push'), 'policy[1]'],
    ['of either pattern', ALICE, access('shared/one'), 'policy[1]'],
    ['push is push alone', ALICE, access('team-a/x', 'overwrite'), undefined],
    ['and no delete', ALICE, access('team-a/x', 'delete'), undefined],
    ['everyone may what anonymous may', ALICE, access('public/x'), 'policy[0]'],
    ['another user has not', accountPrincipal('user', 'alice2', []), access('team-a/x'), undefined],
    ['nor a robot of the same name', accountPrincipal('robot', 'alice', []), access('team-a/x'), undefined],
    ['a group has its rule', ALICE, access('team-c/x', 'delete'), 'policy[3]'],
    ['a robot may be in it', accountPrincipal('robot', 'ci', ['team-c']), access('team-c/x', 'delete'), 'policy[3]'],
    ['a user of its name is not in it', accountPrincipal('user', 'team-c', []), access('team-c/x', 'delete'), undefined],
    ['who has an account has what is for all of them', accountPrincipal('user', 'bob', []), access('staff/x'), 'policy[4]'],
    ['anonymous has not', ANONYMOUS, access('staff/x'), undefined],
    ['a group cannot be named to be everyone', accountPrincipal('user', 'eve', ['authenticated', 'user:alice']), access('team-a/x'), undefined],
    ['a chart of a tenant is under the rules of the tenant', ALICE, access('team-a/x/mychart', 'push', 'repository'), 'policy[1]'],
    ['and not under those of a longer one', ALICE, access('shared/one', 'pull', 'repository'), undefined],
    ['a chart without a tenant is the root\'s', ALICE, access('mychart', 'pull', 'repository'), undefined],
    ['the master key has every right', MASTER, access('team-b/x', 'delete'), 'master key'],
    ['also beside rules', MASTER, access('public/x'), 'master key']
  ]
  for (const [name, principal, access, by] of cases) t.strictSame(decide(principal, access, RULES), by === undefined ? { allowed: false } : { allowed: true, by }, name)
  for (const action of ACTIONS) {
    t.strictSame(decide(ANONYMOUS, access('a/b', action), NO_RULES), { allowed: false })
    t.strictSame(decide(MASTER, access('a/b', action), NO_RULES), { allowed: true, by: 'master key' })
  }
})

await t.test('a token proves its own grants, exactly, and opens besides only what is public', async t => {
  const mine = token(grant('org1/repo1', 'pull'), grant('org2/repo2', 'push', 'delete'))
  const cases: [name: string, principal: Principal, access: Access, by: string | undefined][] = [
    ['its grant', mine, access('org1/repo1'), 'token'],
    ['its other grant', mine, access('org2/repo2', 'delete'), 'token'],
    ['not another action', mine, access('org1/repo1', 'push'), undefined],
    ['push is no overwrite', mine, access('org2/repo2', 'overwrite'), undefined],
    ['nor pull', mine, access('org2/repo2', 'pull'), undefined],
    ['actions of one tenant are not those of another', mine, access('org1/repo1', 'delete'), undefined],
    ['a longer name', mine, access('org1/repo10'), undefined],
    ['a name with an ending', mine, access('org1/repo1-x'), undefined],
    ['a longer first segment', mine, access('org10/repo1'), undefined],
    ['another case', mine, access('ORG1/repo1'), undefined],
    ['a sub-tenant', mine, access('org1/repo1/sub'), undefined],
    ['a shorter name', mine, access('org1'), undefined],
    ['another type', mine, access('org1/repo1', 'pull', 'repository'), undefined],
    ['a grant on a tenant opens its charts at a registry', mine, access('org1/repo1/mychart', 'pull', 'repository'), 'token'],
    ['with its actions', mine, access('org1/repo1/mychart', 'push', 'repository'), undefined],
    ['and those of no other tenant', mine, access('org1/repo10/mychart', 'pull', 'repository'), undefined],
    ['nor of one below', mine, access('org1/repo1/sub/mychart', 'pull', 'repository'), undefined],
    ['a grant on a chart opens it at a registry', token({ type: 'repository', name: 'org1/repo1/mychart', actions: ['pull'] }), access('org1/repo1/mychart', 'pull', 'repository'), 'token'],
    ['and no other chart', token({ type: 'repository', name: 'org1/repo1/mychart', actions: ['pull'] }), access('org1/repo1/mychart2', 'pull', 'repository'), undefined],
    ['nor one whose tenant has its name', token({ type: 'repository', name: 'org1/repo1', actions: ['pull'] }), access('org1/repo1/mychart', 'pull', 'repository'), undefined],
    ['a token of another token server opens no registry', ofIssuer(grant('org1/repo1', 'pull')), access('org1/repo1/mychart', 'pull', 'repository'), undefined],
    ['but what is public there', ofIssuer(), access('public/x/mychart', 'pull', 'repository'), 'policy[0]'],
    ['unless it is said to', { ...ofIssuer(grant('org1/repo1', 'pull')), opensRegistry: true }, access('org1/repo1/mychart', 'pull', 'repository'), 'token'],
    ['a grant of type repository opens no chart route', token({ type: 'repository', name: 'org1/repo1', actions: ['pull'] }), access('org1/repo1'), undefined],
    ['a star in a grant is a name', token(grant('org1/*', 'pull')), access('org1/repo1'), undefined],
    ['what is public', mine, access('public/x'), 'policy[0]'],
    ['not what its subject has by a rule', mine, access('team-a/x'), undefined],
    ['an empty token proves nothing', token(), access('org1/repo1'), undefined],
    ['an empty token of the master key neither', { ...token(), subject: 'key:master' }, access('org1/repo1'), undefined],
    ['nor does a key with grants have more than them', { ...MASTER, grants: [] }, access('org1/repo1'), undefined]
  ]
  for (const [name, principal, access, by] of cases) t.strictSame(decide(principal, access, RULES), by === undefined ? { allowed: false } : { allowed: true, by }, name)
})

await t.test('narrowing gives the intersection of what is asked and what is allowed', async t => {
  const asked = [grant('team-a/x', 'pull', 'push', 'delete'), grant('team-b/x', 'pull'), grant('public/x', 'pull', 'push'), grant('*', 'pull'), grant('org1/*', 'pull')]
  t.strictSame(narrow(ALICE, asked, RULES), [grant('team-a/x', 'pull', 'push'), grant('public/x', 'pull')])
  t.strictSame(narrow(ANONYMOUS, asked, RULES), [grant('public/x', 'pull')])
  t.strictSame(narrow(MASTER, asked, RULES), asked)
  t.strictSame(narrow(token(grant('team-a/x', 'delete')), asked, RULES), [grant('team-a/x', 'delete'), grant('public/x', 'pull')])
  t.strictSame(narrow(ANONYMOUS, [], RULES), [])
  t.strictSame(narrow(ANONYMOUS, asked, NO_RULES), [])
})

const segment = fc.constantFrom('a', 'ab', 'public', 'team-a', 'x')
const name = fc.array(segment, { minLength: 1, maxLength: 3 }).map(parts => parts.join('/'))
const actions = fc.subarray([...ACTIONS], { minLength: 1 })
const subject = fc.constantFrom('anonymous', 'user:alice', 'user:bob')
const rules = fc.array(fc.record({ repositories: fc.array(fc.oneof(name, fc.constantFrom('*', '**', 'a/*', '*/x', 'public/**'))), subjects: fc.array(subject), actions }))
const asked = fc.uniqueArray(fc.record({ type: fc.constant('artifact-repository' as const), name, actions }), { selector: grant => grant.name })
const principal = fc.oneof(
  fc.constantFrom<Principal>(ANONYMOUS, MASTER, ALICE),
  asked.map(grants => token(...grants))
)

await t.test('a token opens exactly what was granted to it, and what is public', async () => {
  fc.assert(fc.property(principal, asked, rules.map(compileRules), name, fc.constantFrom(...ACTIONS), (principal, asked, rules, name, action) => {
    const grants = narrow(principal, asked, rules)
    const right = access(name, action)
    const granted = grants.flatMap(accessesOf).some(each => each.name === name && each.action === action)
    const wanted = asked.flatMap(accessesOf).some(each => each.name === name && each.action === action)
    if (granted !== (wanted && decide(principal, right, rules).allowed)) return false
    return decide(token(...grants), right, rules).allowed === (granted || decide(ANONYMOUS, right, rules).allowed)
  }), { numRuns: 500 })
})

await t.test('a further rule never takes a right away, and no other subject has less than anonymous', async () => {
  fc.assert(fc.property(principal, rules, rules, name, fc.constantFrom(...ACTIONS), (principal, some, more, name, action) => {
    const right = access(name, action)
    const [few, many] = [compileRules(some), compileRules([...more, ...some])]
    const before = decide(principal, right, few).allowed
    return (!before || decide(principal, right, many).allowed) &&
      (!decide(ANONYMOUS, right, few).allowed || before)
  }), { numRuns: 500 })
})
