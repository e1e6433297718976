import t from 'tap'
import { NO_ACCOUNTS, gatherAccounts, isActive } from '../../src/identity/accounts.ts'
import { accountsOf, robot, user } from '../helpers/accounts.ts'

const argon = (parameters: string, n: number): string => `$argon2id$v=19$${parameters}$c2FsdHNhbHQ$${n}`
const bcrypt = (cost: string, n: number): string => `$2y$${cost}$${n}`

await t.test('accounts of several files are one set, with the principal of each', t => {
  const accounts = accountsOf([user('alice', 'h', { groups: ['team-a', 'ops'] })], [robot('ci', 'd1', 'd2')])
  t.strictSame(accounts.users.get('alice')?.principal, { kind: 'user', subject: 'user:alice', subjects: ['user:alice', 'group:team-a', 'group:ops', 'authenticated', 'anonymous'] })
  t.strictSame(accounts.robots.get('ci')?.principal, { kind: 'robot', subject: 'robot:ci', subjects: ['robot:ci', 'authenticated', 'anonymous'] })
  t.strictSame([accounts.secrets.get('d1')?.robot.name, accounts.secrets.get('d2')?.robot.name, accounts.secrets.get('d3')], ['ci', 'ci', undefined])
  t.strictSame([...accounts.groups], ['team-a', 'ops'])
  t.end()
})

await t.test('a name or a secret that is there twice is a mistake that says where both are', t => {
  t.strictSame(gatherAccounts([user('alice', 'h', { place: 'a:1' }), user('alice', 'h', { place: 'b:2' })], []), { ok: false, mistakes: ['b:2: the user alice is there already, at a:1'] })
  t.strictSame(gatherAccounts([], [{ ...robot('ci', 'd'), place: 'a:1' }, { ...robot('ci', 'e'), place: 'a:9' }]), { ok: false, mistakes: ['a:9: the robot ci is there already, at a:1'] })
  t.strictSame(gatherAccounts([], [{ ...robot('ci', 'd'), place: 'a:1' }, { ...robot('cd', 'd'), place: 'a:9' }]), { ok: false, mistakes: ['a:9: a secret of the robot cd is one of ci too, at a:1'] })
  t.match(gatherAccounts([user('ci', 'h')], [robot('ci', 'd')]), { ok: true }, 'a user and a robot may have one name')
  t.end()
})

await t.test('the subject of a token is active while its account is there and not disabled', t => {
  const accounts = accountsOf([user('alice', 'h'), user('bob', 'h', { disabled: true })], [robot('ci', 'd'), { ...robot('old', 'e'), disabled: true }])
  const active = (subject: string): string[] => [
    ...(isActive(accounts.users, 'user', subject) ? ['user'] : []),
    ...(isActive(accounts.robots, 'robot', subject) ? ['robot'] : [])
  ]
  t.strictSame(active('user:alice'), ['user'])
  t.strictSame(active('robot:ci'), ['robot'])
  for (const subject of ['user:bob', 'robot:old', 'user:ci', 'robot:alice', 'user:', 'alice', 'group:alice', 'key:master', 'anonymous', '']) t.strictSame(active(subject), [], subject)
  t.equal(isActive(NO_ACCOUNTS.users, 'user', 'user:alice'), false)
  t.end()
})

await t.test('what an unknown user costs is what most users cost', t => {
  const [a, b, c] = [argon('m=8,t=1,p=1', 1), argon('m=64,t=1,p=1', 2), bcrypt('12', 3)]
  const cases: [string, string[], string | undefined][] = [
    ['no users', [], undefined],
    ['one', [c], c],
    ['the parameters count, not the salt', [a, b, argon('m=64,t=1,p=1', 4)], b],
    ['bcrypt of one cost', [a, bcrypt('10', 1), c, bcrypt('12', 9)], c],
    ['the first of equals', [a, c], a]
  ]
  for (const [name, hashes, expected] of cases) t.equal(accountsOf(hashes.map((hash, i) => user(`u${i}`, hash))).commonHash, expected, name)
  t.end()
})
