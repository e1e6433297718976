import t from 'tap'
import { judge, judgeIdentity } from '../src/judge.ts'
import { compileRules } from '../src/policy/rules.ts'
import type { Access, Action } from '../src/words/access.ts'
import { accountPrincipal, ANONYMOUS, MASTER, tokenPrincipal, type Principal } from '../src/words/principal.ts'
import { at } from './helpers/clock.ts'

const ALICE = accountPrincipal('user', 'alice', ['team'])
const RULES = compileRules([
  { repositories: ['org1/*'], subjects: ['user:alice'], actions: ['pull'] },
  { repositories: ['org1/repo1'], subjects: ['group:team'], actions: ['push'] },
  { repositories: ['open/*'], subjects: ['anonymous'], actions: ['pull'] }
])

const to = (action: Action, name = 'org1/repo1'): Access => ({ type: 'artifact-repository', name, action })

void t.test('all that is needed has to be allowed, and what allowed it is told', t => {
  t.strictSame(judge(ALICE, [to('pull')], RULES, true), { allowed: true, by: 'policy[0]' })
  t.strictSame(judge(ALICE, [to('pull'), to('push')], RULES, true), { allowed: true, by: 'policy[0], policy[1]' })
  t.strictSame(judge(ALICE, [to('pull'), to('pull', 'org1/repo2')], RULES, true), { allowed: true, by: 'policy[0]' })
  t.strictSame(judge(MASTER, [to('delete'), to('pull')], RULES, false), { allowed: true, by: 'master key' })
  t.match(judge(ALICE, [to('pull'), to('push', 'org1/repo2')], RULES, true), { allowed: false, lacks: to('push', 'org1/repo2') })
  t.end()
})

void t.test('a refusal asks for credentials where they can help, and says what is missing where they cannot', t => {
  t.match(judge(ANONYMOUS, [to('pull')], RULES, false), { refusal: { code: 'missing_credentials' } })
  t.match(judge(ALICE, [to('delete')], RULES, false), { refusal: { code: 'insufficient_scope' } })
  t.match(judge(ALICE, [to('delete')], RULES, true), { refusal: { code: 'missing_right', detail: 'forbidden: delete on org1/repo1 is not allowed' } })
  t.match(judge(ANONYMOUS, [to('pull', 'open/a')], RULES, false), { allowed: true, by: 'policy[2]' })
  t.end()
})

void t.test('the registry wants to know who it is, whoever that is, and takes tokens of issuers where it is said to', t => {
  const token = (subject: string): Principal => tokenPrincipal(subject, [], at(2_000_000_000))
  for (const principal of [ALICE, MASTER, token('user:alice'), token('anonymous'), { ...token('issuer:cm'), opensRegistry: true } as const]) {
    t.strictSame(judgeIdentity(principal), { allowed: true, by: 'credentials' }, principal.subject)
  }
  t.strictSame(judgeIdentity(ANONYMOUS), { allowed: false, refusal: { code: 'missing_credentials' } })
  t.strictSame(judgeIdentity(token('issuer:cm')), { allowed: false, refusal: { code: 'insufficient_scope' } })
  t.end()
})
