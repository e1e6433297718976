import t from 'tap'
import { authorityOf, authorityOfData, authorityData } from '../../src/live/authority.ts'
import { cheapBcrypt, cheapHash, robot, user } from '../helpers/accounts.ts'
import { testConfig } from '../helpers/app.ts'

const config = testConfig('/nowhere', undefined)

await t.test('what checks the hashes is there before anybody logs in', async t => {
  t.match(await authorityOf(config, { users: [user('alice', await cheapHash('x')), user('bob', await cheapBcrypt('x'))], robots: [] }), { ok: true })
  t.match(await authorityOf(config, { users: [user('alice', await cheapHash('x')), user('bob', '$2b$05$short')], robots: [] }), { ok: false, mistakes: [/^accounts\.yaml:3: the passwordHash of bob cannot be used: it is not complete/] })
})

await t.test('of mistakes and warnings twenty are said', async t => {
  const twice = Array.from({ length: 30 }, (_, i) => user(`u${i}`, 'h'))
  const failed = await authorityOf(config, { users: [...twice, ...twice], robots: [] })
  t.match(!failed.ok && failed.mistakes.slice(19), [/is there already/, 'accounts.files: and 10 more'])
  const policy = Array.from({ length: 30 }, () => ({ repositories: ['a'], subjects: ['anonymous'], actions: ['pull' as const] }))
  const warned = await authorityOf({ ...config, policy }, { users: [], robots: [] })
  t.match(warned.ok && warned.warnings.slice(19), [/^policy\[19\]: the pattern a /, 'policy: and 10 more'])
})

await t.test('as data it is what it was', async t => {
  const rule = (subject: string): typeof config.policy => [{ repositories: ['**'], subjects: [subject], actions: ['pull'] }]
  const loaded = await authorityOf({ ...config, policy: rule('anonymous') }, { users: [user('alice', 'h', { groups: ['a'] })], robots: [robot('ci', 'd')] })
  if (!loaded.ok) throw new Error(loaded.mistakes.join())
  const { authority } = loaded
  const again = await authorityOfData(authorityData(authority))
  t.strictSame(again.accounts, authority.accounts)
  t.equal(again.rules.find(['anonymous'], 'a', 'pull'), 'policy[0]')
  const both = await authorityOfData({ ...authorityData(authority), policies: [rule('anonymous'), rule('user:alice')] })
  t.strictSame(['anonymous', 'user:alice'].map(subject => both.rules.find([subject], 'a', 'pull')), [undefined, undefined])
  t.equal(both.rules.find(['user:alice', 'anonymous'], 'a', 'pull'), 'policy[0]')
  await t.rejects(authorityOfData({ users: [user('a', 'h'), user('a', 'h')], robots: [], policies: [[]] }), /is there already/)
})
