// Which rule takes a job, and why another does not.
import t from 'tap'
import type { FederationRule } from '../../../src/identity/federation/federation-config.ts'
import { compileFederationRule, matchRule } from '../../../src/identity/federation/rules.ts'
import { GITHUB, githubClaims, GITHUB_SUB_WITH_IDS, GITLAB, gitlabClaims, KUBERNETES, kubernetesClaims, ruleFor } from '../../helpers/federation.ts'

const MATCH = ruleFor(GITHUB).match

function because (more: Record<string, unknown>, rule: Partial<FederationRule> = {}): unknown {
  const match = matchRule(compileFederationRule(ruleFor(GITHUB, rule), 0, GITHUB), githubClaims(more))
  return match.ok ? match.subject : match.because
}

await t.test('a job is taken under its name, with the ids that nobody else gets', async t => {
  const of = (provider: typeof GITHUB, claims: Readonly<Record<string, unknown>>): unknown => {
    const rule = compileFederationRule(ruleFor(provider), 0, provider)
    const match = matchRule(rule, claims)
    return match.ok && match.federated.rule === rule.id ? [match.subject, match.federated.ids] : match
  }
  t.strictSame(of(GITHUB, githubClaims()), ['ci:github:octo-org/octo-repo', { repository_id: '74', repository_owner_id: '65', run_id: '3170', commit: '0123456789abcdef0123456789abcdef01234567' }])
  t.strictSame(of(GITHUB, githubClaims({ run_id: undefined, sha: 'x\u0007' })), ['ci:github:octo-org/octo-repo', { repository_id: '74', repository_owner_id: '65', commit: 'x?' }], 'as far as it says them')
  t.strictSame(of(GITHUB, githubClaims({ sub: GITHUB_SUB_WITH_IDS, enterprise: 'octo', enterprise_id: '1' })), of(GITHUB, githubClaims()), 'whatever the form of sub')
  t.strictSame(of(GITLAB, gitlabClaims()), ['ci:gitlab:my-group/my-project', { project_id: '20', namespace_id: '72', run_id: '302', commit: '714a629c0b401fdce83e847fc9589983fc6f46bc' }])
  t.strictSame(of(GITLAB, gitlabClaims({ project_id: 20, namespace_id: 72 })), of(GITLAB, gitlabClaims()), 'whether ids are numbers or texts')
  t.strictSame(of(KUBERNETES, kubernetesClaims()), ['ci:cluster:ci/publisher', { namespace: 'ci', service_account_id: 'a087d5a0-e1dd-43ec-93ac-f13d89cd13af', pod_id: '778a530c-b3f4-47c0-9cd5-ab018fb64f33' }])
})

await t.test('every claim has to be there, single and with one of the values, to the letter', async t => {
  t.equal(because({}), 'ci:github:octo-org/octo-repo')
  t.equal(because({}, { match: { ...MATCH, ref: ['refs/heads/dev', 'refs/heads/main'] } }), 'ci:github:octo-org/octo-repo')
  t.equal(because({ ref: 'refs/heads/dev' }), 'ref is "refs/heads/dev", and has to be "refs/heads/main"')
  t.equal(because({ ref: 'refs/heads/main2' }, { match: { ...MATCH, ref: ['a', 'b'] } }), 'ref is "refs/heads/main2", and has to be "a" or "b"')
  t.equal(because({ repository_id: undefined }), 'repository_id is missing')
  t.equal(because({ repository_id: ['74'] }), 'repository_id is no single value')
  t.equal(because({ ref: 'refs/heads/\u001b[2Jmain' }), 'ref is "refs/heads/\\u001b[2Jmain", and has to be "refs/heads/main"', 'and moves no cursor')
})

await t.test('what somebody outside can set off counts only where it is named', async t => {
  for (const event of ['pull_request_target', 'pull_request', 'workflow_run', 'issue_comment']) {
    t.match(because({ event_name: event }), `event_name is "${event}", which somebody outside can set off`)
    t.equal(because({ event_name: event }, { match: { ...MATCH, event_name: [event] } }), 'ci:github:octo-org/octo-repo')
  }
  t.equal(because({ event_name: undefined }), 'event_name is missing')
  const gitlab = compileFederationRule(ruleFor(GITLAB), 0, GITLAB)
  t.match(matchRule(gitlab, gitlabClaims({ pipeline_source: 'merge_request_event' })), { ok: false, because: /somebody outside/ })
})

await t.test('a claim that makes no name takes nobody', async t => {
  for (const repository of [undefined, 'a b', '../x']) t.equal(because({ repository, workflow_ref: `${repository}/.github/workflows/release.yml@x` }, { match: { repository_id: ['74'] } }), 'repository is missing, or nothing that may stand in a subject (ci:github:{repository})')
})

await t.test('a rule allows what it says, and its id is of all that it and its provider say', async t => {
  const rule = compileFederationRule(ruleFor(GITHUB), 3, GITHUB)
  t.strictSame([rule.place, rule.rights.place, rule.rights.rows], ['federation.rules[3]', 'federation.rules[3]', [{ tenants: 'team-a/*', actions: ['pull', 'push'] }]])
  t.equal(rule.rights.find('team-a/web', 'push'), 'federation.rules[3]')
  t.equal(rule.rights.find('team-a/web', 'delete'), undefined)
  t.equal(rule.rights.find('team-b/web', 'pull'), undefined)
  const id = (more: Partial<FederationRule>, provider = GITHUB): string => compileFederationRule(ruleFor(GITHUB, more), 0, provider).id
  t.equal(id({}), rule.id, 'wherever it stands')
  t.equal(id({ match: Object.fromEntries(Object.entries(MATCH).reverse()) }), rule.id, 'in whatever order')
  const others = [id({ actions: ['pull'] }), id({ repositories: ['team-b/*'] }), id({ match: { ...MATCH, ref: ['x'] } }), id({ groups: ['g'] }), id({ maxLifetime: 60 }), id({ subject: 'ci:x:y' }), id({}, { ...GITHUB, audience: 'x' })]
  t.equal(new Set([rule.id, ...others]).size, others.length + 1)
})
