import { join } from 'node:path'
import t from 'tap'
import { issueToken } from '../../src/tokens/issue.ts'
import { openKeys } from '../../src/live/live-keys.ts'
import { cheapHash } from '../helpers/accounts.ts'
import { command, type CommandResult } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'

const hash = await cheapHash('x')
const CONFIG = `accounts: { files: [accounts.yaml] }
policy:
  - { repositories: ["team-a/*"], subjects: ["group:team-a"], actions: [pull] }
  - repositories: ["team-a/web"]
    subjects: ["robot:ci", "user:alice"]
    actions: [push]
  - { repositories: ["public/*"], subjects: [anonymous], actions: [pull] }
  - { repositories: ["staff/*"], subjects: [authenticated], actions: [pull] }
`
const ACCOUNTS = `users:
  - { name: alice, passwordHash: "${hash}", groups: [team-a] }
  - { name: bob, passwordHash: "${hash}", disabled: true }
robots:
  - { name: ci, secrets: [{ hash: "sha256:${'a'.repeat(64)}" }] }
`

await t.test('explain prints the decision, and the rule or the missing right', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': CONFIG, 'accounts.yaml': ACCOUNTS })
  const explain = async (...argv: string[]): Promise<CommandResult> => await command(['explain', '--config', join(dir, 'chartgate.yaml'), ...argv])
  const cases: [string, string, string, number, RegExp][] = [
    ['user:alice', 'pull', 'team-a/x', 0, /^allowed: user:alice may pull on team-a\/x by policy\[0\] \(.*chartgate\.yaml:3\)\n$/],
    ['user:alice', 'push', 'team-a/web', 0, /by policy\[1\] \(.*chartgate\.yaml:4\)\n$/],
    ['user:alice', 'push', 'team-a/x', 3, /^denied: user:alice has no right to push on team-a\/x\n$/],
    ['robot:ci', 'push', 'team-a/web', 0, /policy\[1\]/],
    ['robot:ci', 'overwrite', 'team-a/web', 3, /denied/],
    ['group:team-a', 'pull', 'team-a/x', 0, /^allowed: group:team-a .* policy\[0\]/],
    ['group:team-a', 'pull', 'staff/x', 0, /policy\[3\]/],
    ['authenticated', 'pull', 'staff/x', 0, /policy\[3\]/],
    ['anonymous', 'pull', 'staff/x', 3, /denied/],
    ['anonymous', 'pull', 'public/x', 0, /policy\[2\]/],
    ['key:master', 'delete', 'any/thing', 0, /^allowed: key:master may delete on any\/thing by the master key\n$/]
  ]
  for (const [subject, action, tenant, code, out] of cases) t.match(await explain('--as', subject, action, tenant), { code, out, err: '' }, `${subject} ${action} ${tenant}`)

  const keys = await openKeys({ stateDir: join(dir, 'data'), tokens: { ttl: 300, keys: [], issuers: [] } })
  if (!keys.ok) throw new Error(keys.mistakes.join())
  const key = keys.opened.live.current.ring.signing(0)
  const token = async (subject: string): Promise<string> => (await issueToken(key, { issuer: 'http://localhost:5001', audience: 'localhost:5001', ttl: 300 }, subject, [{ type: 'artifact-repository', name: 'team-b/x', actions: ['push'] }], Math.floor(Date.now() / 1000))).token
  t.match(await explain('--token', await token('user:alice'), 'push', 'team-b/x'), { code: 0, out: /^allowed: user:alice may push on team-b\/x by the token\n$/ })
  t.match(await explain('--token', await token('anonymous'), 'pull', 'public/x'), { code: 0, out: /policy\[2\]/ })
  t.match(await explain('--token', await token('key:master'), 'pull', 'team-a/x'), { code: 3, out: /^denied: key:master/ })
  t.match(await explain('--token', await token('user:bob'), 'push', 'team-b/x'), { code: 1, err: /the token is refused: token_unknown_subject/ })
  t.match(await explain('--token', 'eyJ.x.y', 'push', 'team-b/x'), { code: 1, err: /the token is refused: token_malformed/ })
})

await t.test('explain says what it does not understand', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': CONFIG, 'accounts.yaml': ACCOUNTS, 'broken.yaml': 'accounts: { files: [none.yaml] }', 'keys.yaml': 'stateDir: chartgate.yaml' })
  const file = join(dir, 'chartgate.yaml')
  const cases: [string, string[], number, RegExp][] = [
    ['nobody', ['pull', 'a/b'], 2, /needs --as SUBJECT or --token TOKEN/],
    ['two', ['--as', 'anonymous', '--token', 'x', 'pull', 'a/b'], 2, /needs --as SUBJECT or --token TOKEN/],
    ['no such action', ['--as', 'anonymous', 'read', 'a/b'], 2, /"read" is no action: pull, push/],
    ['no tenant', ['--as', 'anonymous', 'pull'], 2, /explain takes ACTION TENANT: pull/],
    ['a tenant of another depth', ['--as', 'anonymous', 'pull', 'a'], 1, /"a" is not the name of a tenant of depth 2/],
    ['no subject', ['--as', 'alice', 'pull', 'a/b'], 1, /"alice" is no subject: user:NAME/],
    ['an unknown user', ['--as', 'user:carol', 'pull', 'a/b'], 1, /user:carol is in no accounts file/],
    ['an unknown robot', ['--as', 'robot:carol', 'pull', 'a/b'], 1, /robot:carol is in no accounts file/],
    ['a disabled user', ['--as', 'user:bob', 'pull', 'a/b'], 1, /user:bob is disabled, at .*accounts\.yaml:3/]
  ]
  for (const [name, argv, code, err] of cases) t.match(await command(['explain', '--config', file, ...argv]), { code, out: '', err }, name)
  t.match(await command(['explain', '--config', join(dir, 'broken.yaml'), '--as', 'anonymous', 'pull', 'a/b']), { code: 1, err: /none\.yaml: the file cannot be read/ })
  t.match(await command(['explain', '--config', join(dir, 'keys.yaml'), '--token', 'x', 'pull', 'a/b']), { code: 1, err: /^chartgate: the keys in / })
  t.match(await command(['explain', '--as', 'anonymous', 'pull', 'a/b']), { code: 3, out: /denied/ })
  t.match(await command(['explain', '--as', 'anonymous', 'pull', 'a/b'], {}), { code: 3 })
  t.match(await command(['check', '--config', file]), { code: 0, out: /4 rules, 2 users, 1 robot; configuration file \S+\n$/, err: '' })
  t.match(await command(['check', '--config', join(dir, 'broken.yaml')]), { code: 1, out: '', err: /none\.yaml/ })
  t.match(await command(['serve', '--config', join(dir, 'broken.yaml')]), { code: 1, out: '', err: /none\.yaml/ })
})

await t.test('check says what rules may not mean, and is content all the same', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'policy:\n  - { repositories: ["a"], subjects: ["user:gone"], actions: [pull] }\n' })
  t.match(await command(['check', '--config', join(dir, 'chartgate.yaml')]), { code: 0, err: /^chartgate: warning: .*chartgate\.yaml:2: policy\[0\]: the pattern a .*\nchartgate: warning: .*user:gone is in no accounts file\nchartgate: warning: nobody has any right: .*\n$/ })
})
