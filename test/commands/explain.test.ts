import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { issueToken } from '../../src/tokens/issue.ts'
import { openKeys } from '../../src/live/live-keys.ts'
import { digestOf } from '../../src/identity/sources/robot-secret.ts'
import type { Action } from '../../src/words/access.ts'
import type { ReadSecret } from '../../src/commands/command.ts'
import { cheapHash } from '../helpers/accounts.ts'
import { command, type CommandResult } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { newMasterKey, newSecret, recordToken } from '../helpers/secrets.ts'

const hash = await cheapHash('x')
const SECRETS = { ci: newSecret(), old: newSecret(), off: newSecret(), early: newSecret() }
const CONFIG = `accounts: { files: [accounts.yaml] }
policy:
  - { repositories: ["team-a/*"], subjects: ["group:team-a"], actions: [pull] }
  - repositories: ["team-a/web"]
    subjects: ["robot:ci", "user:alice"]
    actions: [push]
  - { repositories: ["public/*"], subjects: [anonymous], actions: [pull] }
  - { repositories: ["staff/*"], subjects: [authenticated], actions: [pull] }
  - { repositories: ["many/1", "many/2", "many/3", "many/4", "many/5", "many/6"], subjects: ["robot:old", "group:sweepers"], actions: [delete] }
`
const ACCOUNTS = `users:
  - { name: alice, passwordHash: "${hash}", groups: [team-a] }
  - { name: bob, passwordHash: "${hash}", disabled: true, groups: [team-a] }
  - { name: both, passwordHash: "${hash}" }
robots:
  - { name: ci, secrets: [{ hash: "sha256:${digestOf(SECRETS.ci)}" }] }
  - { name: old, secrets: [{ hash: "sha256:${digestOf(SECRETS.old)}", expires: 2020-02-01 }] }
  - { name: off, secrets: [{ hash: "sha256:${digestOf(SECRETS.off)}" }], disabled: true }
  - { name: early, secrets: [{ hash: "sha256:${digestOf(SECRETS.early)}", notBefore: 2099-02-01 }] }
  - { name: both, secrets: [{ hash: "sha256:${'b'.repeat(64)}" }] }
`

type Explain = (argv: readonly string[], typed?: string | ReadSecret) => Promise<CommandResult>

function team (t: Test, more = ''): { readonly dir: string, readonly explain: Explain } {
  const dir = testFolder(t, { 'chartgate.yaml': more + CONFIG, 'accounts.yaml': ACCOUNTS })
  return { dir, explain: async (argv, typed) => await command(['explain', '--config', join(dir, 'chartgate.yaml'), ...argv], {}, typed) }
}

await t.test('explain prints the decision, by which rule, or why not with the nearest one', async t => {
  const { explain } = team(t)
  const cases: [subject: string, action: Action, tenant: string, code: number, out: RegExp][] = [
    ['user:alice', 'pull', 'team-a/x', 0, /^allowed: user:alice may pull on team-a\/x by policy\[0\] \(.*chartgate\.yaml:3\)\n$/],
    ['alice', 'push', 'team-a/web', 0, /^allowed: user:alice .* by policy\[1\] \(.*chartgate\.yaml:4\)\n$/],
    ['ci', 'push', 'team-a/web', 0, /^allowed: robot:ci .*policy\[1\]/],
    ['group:team-a', 'pull', 'team-a/x', 0, /^allowed: group:team-a .* policy\[0\]/],
    ['group:team-a', 'pull', 'staff/x', 0, /policy\[3\]/],
    ['authenticated', 'pull', 'staff/x', 0, /policy\[3\]/],
    ['anonymous', 'pull', 'public/x', 0, /policy\[2\]/],
    ['key:master', 'delete', 'any/thing', 0, /^allowed: key:master may delete on any\/thing by the master key\n$/],
    ['alice', 'push', 'team-a/x', 3, /^denied: user:alice has no right to push on team-a\/x: policy\[0\] \(\S+:3\) gives group:team-a pull there, and no more\n$/],
    ['robot:ci', 'pull', 'team-a/x', 3, /: policy\[0\] \(\S+:3\) gives it to group:team-a\n$/],
    ['robot:ci', 'push', 'team-a/wbe', 3, /: policy\[1\] \(\S+:4\) gives it on team-a\/web\n$/],
    ['robot:ci', 'delete', 'many/1', 3, /gives it to robot:old, group:sweepers\n$/],
    ['robot:ci', 'overwrite', 'team-a/web', 3, /gives robot:ci push there, and no more\n$/],
    ['anonymous', 'overwrite', 'other/x', 3, /^denied: .*: no rule gives it there, and none gives it to anonymous\n$/],
    ['bob', 'pull', 'team-a/x', 3, /^denied: user:bob is disabled, at \S+accounts\.yaml:3:\d+\n$/],
    ['robot:old', 'delete', 'many/1', 3, /^denied: robot:old has no secret that counts now, at \S+accounts\.yaml:7:\d+: ended 2020-02-01T00:00:00Z\n$/],
    ['robot:early', 'delete', 'many/1', 3, /^denied: robot:early .*: begins 2099-02-01T00:00:00Z, does not end\n$/]
  ]
  for (const [subject, action, tenant, code, out] of cases) t.match(await explain(['--as', subject, action, tenant]), { code, out, err: '' }, `${subject} ${action} ${tenant}`)
  const json = async (...argv: string[]): Promise<unknown> => JSON.parse((await explain([...argv, '--json'])).out)
  t.match(await json('--as', 'alice', 'pull', 'team-a/x'), { allowed: true, subject: 'user:alice', action: 'pull', tenant: 'team-a/x', by: 'policy[0]', place: /chartgate\.yaml:3$/ })
  t.match(await json('--as', 'key:master', 'pull', 'team-a/x'), { allowed: true, by: 'master key', place: null })
  t.match(await json('--as', 'alice', 'push', 'team-a/x'), { allowed: false, subject: 'user:alice', because: /^user:alice has no right/ })
  t.match(await json('--as', 'bob', 'push', 'team-a/x'), { allowed: false, subject: 'user:bob', action: 'push', because: /is disabled/ })
})

await t.test('explain without an action prints all rights of somebody', async t => {
  const { explain } = team(t)
  t.match(await explain(['--as', 'alice']), { code: 0, out: /^TENANTS +RIGHTS +BY\nteam-a\/\* +pull +policy\[0\] \(\S+:3\)\nteam-a\/web +pull push +policy\[0\] \(\S+:3\), policy\[1\] \(\S+:4\)\npublic\/\* +pull +policy\[2\] \(\S+\)\nstaff\/\* +pull +policy\[3\] \(\S+\)\n$/ })
  t.match(await explain(['--as', 'key:master']), { code: 0, out: /^TENANTS +RIGHTS +BY\n\*\* +pull push overwrite delete +the master key\n$/ })
  t.strictSame(JSON.parse((await explain(['--as', 'anonymous', '--json'])).out), { subject: 'anonymous', rights: [{ tenants: 'public/*', actions: ['pull'], by: ['policy[2]'] }] })
  t.match(await explain(['--as', 'bob']), { code: 3, out: /^denied: user:bob is disabled/ })
  t.match(await command(['explain', '--as', 'anonymous']), { code: 3, out: 'denied: anonymous has no right on any tenant\n' })
})

await t.test('explain --who lists who may, and as whom', async t => {
  const { explain } = team(t)
  t.match(await explain(['--who', 'pull', 'team-a/x']), { code: 0, out: /^WHO +AS +BY\nuser:alice +group:team-a +policy\[0\] \(\S+:3\)\n$/ }, 'not bob, who is disabled')
  t.match(await explain(['--who', 'push', 'team-a/web']), { code: 0, out: /\nuser:alice +user:alice +policy\[1\] .*\nrobot:ci +robot:ci +policy\[1\] .*\n$/ })
  t.match(await explain(['--who', 'pull', 'public/x']), { code: 0, out: /^WHO +AS +BY\nanonymous +anonymous +policy\[2\] \(\S+\)\n$/ })
  t.match(await explain(['--who', 'pull', 'staff/x']), { code: 0, out: /^WHO +AS +BY\nauthenticated +authenticated +policy\[3\] \(\S+\)\n$/ })
  t.match(await explain(['--who', 'delete', 'many/1']), { code: 3, out: /^denied: nobody may delete on many\/1: policy\[4\] \(\S+\) gives it to robot:old, group:sweepers\n$/ })
  t.match(JSON.parse((await explain(['--who', 'pull', 'team-a/x', '--json'])).out), { action: 'pull', tenant: 'team-a/x', who: [{ subject: 'user:alice', as: 'group:team-a', by: 'policy[0]' }] })
  t.strictSame(JSON.parse((await explain(['--who', 'delete', 'a/b', '--json'])).out), { allowed: false, action: 'delete', tenant: 'a/b', who: [], because: 'nobody may delete on a/b: no rule gives it there, and none gives it to anonymous' })
  const master = team(t, `masterKey: ${newMasterKey()}\n`)
  t.match(await master.explain(['--who', 'delete', 'a/b']), { code: 0, out: /^WHO +AS +BY\nkey:master +key:master +the master key\n$/ })
})

await t.test('whom a certificate stands for is explained as everybody is', async t => {
  const { dir, explain } = team(t, 'listen: { tls: { cert: a.crt, key: a.key, clientCa: ca.crt } }\nidentity: { certificates: [{ name: build, dns: build.example.com, groups: [team-a] }] }\n')
  t.match(await explain(['--as', 'cert:build', 'pull', 'team-a/x']), { code: 0, out: /^allowed: cert:build may pull on team-a\/x by policy\[0\]/ })
  t.match(await explain(['--as', 'cert:build', 'push', 'team-a/x']), { code: 3, out: /gives group:team-a pull there, and no more/ })
  t.match(await explain(['--as', 'cert:other', 'pull', 'team-a/x']), { code: 1, err: /cert:other is not in identity\.certificates/ })
  t.match(await explain(['--who', 'pull', 'team-a/x']), { code: 0, out: /\ncert:build +group:team-a +policy\[0\]/ })
  const keys = await openKeys({ stateDir: join(dir, 'data'), tokens: { ttl: 300, keys: [], issuers: [] } })
  if (!keys.ok) throw new Error(keys.mistakes.join())
  const key = keys.opened.live.current.ring.signing(0)
  const token = async (subject: string): Promise<string> => {
    const access = [{ type: 'artifact-repository', name: 'team-b/x', actions: ['pull'] } as const]
    return recordToken((await issueToken(key, { issuer: 'https://localhost:5001', audience: 'localhost:5001', ttl: 300 }, subject, access, Math.floor(Date.now() / 1000))).token)
  }
  t.match(await explain(['--token', await token('cert:build'), 'pull', 'team-b/x']), { code: 0, out: /^allowed: cert:build may pull on team-b\/x by the token\n$/ })
  t.match(await explain(['--token', await token('cert:other'), 'pull', 'team-b/x']), { code: 3, out: /token_unknown_subject, because cert:other is not in identity\.certificates\n$/ })
})

await t.test('a token says what it grants, and nothing when it is refused', async t => {
  const { dir, explain } = team(t)
  const keys = await openKeys({ stateDir: join(dir, 'data'), tokens: { ttl: 300, keys: [], issuers: [] } })
  if (!keys.ok) throw new Error(keys.mistakes.join())
  const key = keys.opened.live.current.ring.signing(0)
  const token = async (subject: string, actions: Action[] = ['push']): Promise<string> => {
    const access = actions.length === 0 ? [] : [{ type: 'artifact-repository', name: 'team-b/x', actions } as const]
    return recordToken((await issueToken(key, { issuer: 'http://localhost:5001', audience: 'localhost:5001', ttl: 300 }, subject, access, Math.floor(Date.now() / 1000))).token)
  }
  const alice = await token('user:alice')
  t.match(await explain(['--token', alice, 'push', 'team-b/x']), { code: 0, out: /^allowed: user:alice may push on team-b\/x by the token\n$/ })
  t.match(await explain(['--token', '-', 'push', 'team-b/x'], `${alice}\n`), { code: 0, prompts: ['Token or secret: '] })
  t.match(await explain(['--token', '-'], alice), { code: 0, out: /\nteam-b\/x +push +the token\npublic\/\* +pull +policy\[2\] .*\n$/ })
  t.match(await explain(['--token', alice, 'delete', 'team-b/x']), { code: 3, out: /: the token grants push on team-b\/x\n$/ })
  t.match(await explain(['--token', await token('user:alice', []), 'delete', 'team-b/x']), { code: 3, out: /: the token grants nothing\n$/ })
  t.match(await explain(['--token', await token('anonymous'), 'pull', 'public/x']), { code: 0, out: /policy\[2\]/ })
  t.match(await explain(['--token', await token('key:master'), 'pull', 'team-a/x']), { code: 3, out: /^denied: key:master/ })
  t.match(await explain(['--token', await token('user:bob'), 'push', 'team-b/x']), { code: 3, out: /^denied: the token is refused: token_unknown_subject, because user:bob is disabled, at \S+:3:\d+\n$/ })
  t.match(await explain(['--token', await token('robot:gone'), 'push', 'team-b/x']), { code: 3, out: /token_unknown_subject, because robot:gone is in no accounts file\n$/ })
  t.match(await explain(['--token', 'eyJ.x.y', 'push', 'team-b/x']), { code: 3, out: 'denied: the token is refused: token_malformed\n' })
  t.match(JSON.parse((await explain(['--token', 'x', '--json'])).out), { allowed: false, subject: null, because: /token_malformed/ })
})

await t.test('a robot\'s secret comes from a file or standard input, and says whose it is', async t => {
  const { dir, explain } = team(t)
  const cases: [secret: string, code: number, out: RegExp][] = [
    [SECRETS.ci, 0, /^allowed: robot:ci may push/],
    [`${SECRETS.ci}\r\n`, 0, /^allowed: robot:ci/],
    [` ${SECRETS.ci}`, 3, /^denied: there are blanks or line ends around it\n$/],
    [SECRETS.ci.slice(0, -1), 3, /^denied: it begins as a robot's secret does, and is mistyped or cut off/],
    [newSecret(), 3, /^denied: no robot of the accounts files has this secret\n$/],
    [SECRETS.off, 3, /^denied: robot:off is disabled, at \S+:8:\d+\n$/],
    [SECRETS.old, 3, /^denied: this secret of robot:old counts at another time \(ended 2020-02-01T00:00:00Z\), at \S+:7:\d+\n$/],
    [SECRETS.early, 3, /^denied: this secret of robot:early counts at another time \(begins 2099/]
  ]
  for (const [secret, code, out] of cases) {
    writeFileSync(join(dir, 'secret'), secret)
    t.match(await explain(['--token-file', join(dir, 'secret'), 'push', 'team-a/web']), { code, out, prompts: undefined })
    t.match(await explain(['--token', '-', 'push', 'team-a/web'], secret), { code, out })
  }
  writeFileSync(join(dir, 'latin'), Buffer.from('sch\xf6n', 'latin1'))
  t.match(await explain(['--token-file', join(dir, 'latin')]), { code: 1, out: '', err: /--token-file \S+latin is no UTF-8\n$/ })
  t.match(await explain(['--token-file', join(dir, 'none')]), { code: 1, out: '', err: /--token-file \S+none cannot be read \(ENOENT\)\n$/ })
  t.match(await explain(['--token', '-'], { ok: false, message: 'nothing was typed' }), { code: 1, out: '', err: 'chartgate: nothing was typed\n' })
  t.match(await explain(['--token', SECRETS.ci]), { code: 2, out: '', err: /others can see a robot's secret on the command line/ })
})

await t.test('explain says what it does not understand', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': CONFIG, 'accounts.yaml': ACCOUNTS, 'broken.yaml': 'accounts: { files: [none.yaml] }', 'keys.yaml': 'stateDir: chartgate.yaml' })
  const file = join(dir, 'chartgate.yaml')
  const cases: [string, string[], number, RegExp][] = [
    ['nobody', ['pull', 'a/b'], 2, /needs one of --as SUBJECT, --token TOKEN/],
    ['two', ['--as', 'anonymous', '--token', 'x', 'pull', 'a/b'], 2, /needs one of --as/],
    ['who does nothing', ['--who'], 2, /explain --who needs ACTION TENANT/],
    ['no such action', ['--as', 'anonymous', 'read', 'a/b'], 2, /"read" is no action: pull, push/],
    ['no tenant', ['--as', 'anonymous', 'pull'], 2, /explain takes ACTION TENANT, and 1 is there/],
    ['a tenant of another depth', ['--as', 'anonymous', 'pull', 'a'], 1, /"a" is not the name of a tenant of depth 2/],
    ['no subject', ['--as', 'somebody else', 'pull', 'a/b'], 1, /"somebody else" is no subject and no account's name: user:NAME, group:NAME/],
    ['a mistyped name', ['--as', 'alcie', 'pull', 'a/b'], 1, /"alcie" is no subject and no account's name: did you mean alice\?/],
    ['two of a name', ['--as', 'both', 'pull', 'a/b'], 1, /both is a user and a robot: say user:both or robot:both/],
    ['an unknown user', ['--as', 'user:carol', 'pull', 'a/b'], 1, /user:carol is in no accounts file/],
    ['an unknown robot', ['--as', 'robot:carol', 'pull', 'a/b'], 1, /robot:carol is in no accounts file/]
  ]
  for (const [name, argv, code, err] of cases) t.match(await command(['explain', '--config', file, ...argv]), { code, out: '', err }, name)
  t.match(await command(['explain', '--config', join(dir, 'broken.yaml'), '--as', 'anonymous', 'pull', 'a/b']), { code: 1, err: /none\.yaml: the file cannot be read/ })
  t.match(await command(['explain', '--config', join(dir, 'keys.yaml'), '--token', 'x', 'pull', 'a/b']), { code: 1, err: /^chartgate: the keys in / })
  t.match(await command(['explain', '--as', 'anonymous', 'pull', 'a/b']), { code: 3, out: /denied/ })
  t.match(await command(['explain', '--as', 'anonymous', 'pull', 'a/b'], {}), { code: 3 })
  t.match(await command(['check', '--config', file]), { code: 0, out: /5 rules, 3 users, 5 robots; configuration file \S+\n$/, err: /warning: \S+:9: policy\[4\]: the subject group:sweepers is in no accounts file\n/ })
  t.match(await command(['check', '--config', join(dir, 'broken.yaml')]), { code: 1, out: '', err: /none\.yaml/ })
  t.match(await command(['serve', '--config', join(dir, 'broken.yaml')]), { code: 1, out: '', err: /none\.yaml/ })
})

await t.test('of a long list the first are named, and how many more there are', async t => {
  t.match(await team(t).explain(['--as', 'group:sweepers', 'delete', 'other/thing']), { code: 3, out: /: policy\[4\] \(\S+\) gives it on many\/1, many\/2, many\/3, many\/4, many\/5, 1 more\n$/ })
})

await t.test('check says what rules may not mean, and is content all the same', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'policy:\n  - { repositories: ["a"], subjects: ["user:gone"], actions: [pull] }\n' })
  t.match(await command(['check', '--config', join(dir, 'chartgate.yaml')]), { code: 0, err: /^chartgate: warning: .*chartgate\.yaml:2: policy\[0\]: the pattern a .*\nchartgate: warning: .*user:gone is in no accounts file\nchartgate: warning: nobody has any right: .*\n$/ })
})
