import { readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readAccountsFile } from '../../src/identity/sources/accounts-file.ts'
import { createPasswords } from '../../src/identity/sources/passwords.ts'
import { cheapBcrypt, cheapHash } from '../helpers/accounts.ts'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { newPassword } from '../helpers/secrets.ts'

const hash = await cheapHash('x')
const ACCOUNTS = `# who is there
users: # people
  - { name: alice, groups: [web, admins], passwordHash: "${hash}" }   # looks after all
  - { name: bob,   passwordHash: "${hash}", disabled: true }


# nobody else
`

await t.test('user add adds a user whose password is typed twice, and leaves the rest as it was', async t => {
  const file = join(testFolder(t, { 'accounts.yaml': ACCOUNTS }), 'accounts.yaml')
  const password = newPassword()
  const { code, out, err, prompts } = await command(['user', 'add', 'carol', '--groups', 'web, ops', '--file', file], {}, password)
  t.strictSame([code, err, out], [0, '', `the user carol is in ${file}. A rule gives them rights: subjects: ["user:carol"]\n`])
  t.strictSame(prompts, ['Password for carol: ', 'The same again: '])
  const lines = readFileSync(file, 'utf8').split('\n')
  t.match(lines.splice(4, 1), [/^ {2}- \{ name: carol, groups: \[web, ops\], passwordHash: "?\$argon2id\$.*\}$/])
  t.equal(lines.join('\n'), ACCOUNTS)
  const { users, mistakes } = await readAccountsFile(file)
  t.strictSame([users.map(({ name, groups }) => [name, ...groups]), mistakes], [[['alice', 'web', 'admins'], ['bob'], ['carol', 'web', 'ops']], []])
  t.equal(await createPasswords().comparison(password, users[2]?.passwordHash ?? '')?.(), true)
})

await t.test('a file that is missing is made, also where the configuration names it', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'accounts: { files: [htpasswd, accounts.yml] }', htpasswd: `carol:${await cheapBcrypt('x')}\n` })
  const config = ['--config', join(dir, 'chartgate.yaml')]
  t.match(await command(['user', 'add', 'alice', '--groups', 'web', ...config], {}, newPassword()), { code: 0 })
  t.match(readFileSync(join(dir, 'accounts.yml'), 'utf8'), /^users:\n {2}- name: alice\n {4}groups: \[web\]\n {4}passwordHash: \$argon2id\$\S+\n$/)
  t.equal(statSync(join(dir, 'accounts.yml')).mode & 0o777, 0o600)
  t.match(await command(['user', 'list', ...config]), { code: 0, out: /^NAME +STATE +GROUPS +PLACE\nalice +active +web +\S+accounts\.yml:2:\d+\ncarol +active +- +\S+htpasswd:1:1\n$/ })
  t.match(await command(['user', 'add', 'carol', ...config], {}, newPassword()), { code: 1, out: '', err: /the user carol is there already, at \S+htpasswd:1:1\n$/, prompts: undefined })
  t.match(await command(['user', 'passwd', 'carol', ...config], {}, newPassword()), { code: 1, err: /the user carol is at \S+htpasswd:1:1: a file of htpasswd is changed with htpasswd -B\n$/, prompts: undefined })
  t.match(await command(['check', ...config]), { code: 0, out: /2 users/ })
})

await t.test('passwd gives another password, and list says who there is', async t => {
  const file = join(testFolder(t, { 'accounts.yaml': ACCOUNTS }), 'accounts.yaml')
  const password = newPassword()
  t.match(await command(['user', 'passwd', 'alice', '--file', file], {}, password), { code: 0, out: 'the user alice has the new password\n', prompts: ['New password for alice: ', 'The same again: '] })
  const { users } = await readAccountsFile(file)
  t.equal(await createPasswords().comparison(password, users[0]?.passwordHash ?? '')?.(), true)
  t.match(readFileSync(file, 'utf8'), /^# who is there\nusers: # people\n {2}- \{ name: alice, groups: \[web, admins\], .* # looks after all\n {2}- \{ name: bob, {3}/)
  t.strictSame(JSON.parse((await command(['user', 'list', '--json', '--file', file])).out), [
    { name: 'alice', groups: ['web', 'admins'], disabled: false, place: `${file}:3:5` },
    { name: 'bob', groups: [], disabled: true, place: `${file}:4:5` }
  ])
  t.match(await command(['user', 'list', '--file', file]), { out: /\nbob +disabled +- +\S+:4:5\n$/ })
})

await t.test('disable refuses a user, and enable takes it back', async t => {
  const file = join(testFolder(t, { 'accounts.yaml': ACCOUNTS }), 'accounts.yaml')
  const states = async (): Promise<boolean[]> => (await readAccountsFile(file)).users.map(({ disabled }) => disabled)
  t.match(await command(['user', 'disable', 'alice', '--file', file]), { code: 0, out: 'the user alice is disabled\n' })
  t.match(await command(['user', 'enable', 'bob', '--file', file]), { code: 0, out: 'the user bob is enabled\n' })
  t.strictSame(await states(), [true, false])
  const before = readFileSync(file, 'utf8')
  t.match(await command(['user', 'disable', 'alice', '--file', file]), { code: 0, out: 'the user alice is disabled already\n' })
  t.equal(readFileSync(file, 'utf8'), before)
})

await t.test('two at once lose nothing', async t => {
  const file = join(testFolder(t), 'accounts.yaml')
  const names = ['a', 'b', 'c', 'd']
  const results = await Promise.all(names.map(async name => await command(['robot', 'create', name, '--expires', '1d', '--json', '--file', file])))
  t.strictSame(results.map(({ code }) => code), [0, 0, 0, 0])
  t.strictSame((await readAccountsFile(file)).robots.map(({ name }) => name).sort(), names)
  t.strictSame(readdirSync(join(file, '..')), ['accounts.yaml'])
})

await t.test('what hinders it is said before a password is asked for, and nothing is written', async t => {
  const dir = testFolder(t, {
    'accounts.yaml': ACCOUNTS,
    'broken.yaml': 'users: [',
    'wrong.yaml': 'users: 1',
    'aliases.yaml': `users: [{ name: alice, groups: &g [a], passwordHash: "${hash}" }, { name: bob, groups: *g, passwordHash: "${hash}" }]`,
    'none.yaml': '{}',
    'only.yaml': 'accounts: { files: [htpasswd] }',
    'two.yaml': 'accounts: { files: [other.yaml, accounts.yaml] }',
    'other.yaml': `users: [{ name: zoe, passwordHash: "${hash}" }]`,
    'mad.yaml': 'lisen: 1',
    htpasswd: ''
  })
  const on = (file: string): string[] => ['--file', join(dir, file)]
  const by = (file: string): string[] => ['--config', join(dir, file)]
  const cases: [name: string, argv: string[], code: number, err: RegExp][] = [
    ['one who is there', ['add', 'alice', ...on('accounts.yaml')], 1, /the user alice is there already, at \S+accounts\.yaml:3:\d+\n/],
    ['a name that is none', ['add', 'a:b', ...on('accounts.yaml')], 1, /"a:b" is not a user's name/],
    ['groups that are none', ['add', 'x', '--groups', 'a,,b', ...on('accounts.yaml')], 2, /--groups "a,,b" is not a list of group names/],
    ['an htpasswd file', ['add', 'x', ...on('htpasswd')], 1, /htpasswd is not an accounts file: their names end in \.yaml or \.yml/],
    ['broken YAML', ['add', 'x', ...on('broken.yaml')], 1, /broken\.yaml:1/],
    ['a wrong file', ['passwd', 'x', ...on('wrong.yaml')], 1, /users: 1 is not a list of users/],
    ['a wrong file, listed', ['list', ...on('wrong.yaml')], 1, /users: 1 is not a list of users/],
    ['a wrong file, for disable', ['disable', 'x', ...on('wrong.yaml')], 1, /users: 1 is not a list of users/],
    ['a missing file', ['passwd', 'x', ...on('missing.yaml')], 1, /there is no user x in \S+missing\.yaml/],
    ['nobody of that name', ['passwd', 'zoe', ...on('accounts.yaml')], 1, /there is no user zoe in \S+accounts\.yaml: chartgate user list says who there is/],
    ['one in another file', ['passwd', 'alice', ...by('two.yaml')], 1, /the user alice is at \S+accounts\.yaml:3:\d+: say --file \S+accounts\.yaml\n/],
    ['no file', ['add', 'x', ...by('none.yaml')], 1, /no accounts file: name one with --file/],
    ['no file, for list', ['list', ...by('none.yaml')], 1, /no accounts file: name one with --file/],
    ['only an htpasswd file', ['disable', 'x', ...by('only.yaml')], 1, /no accounts file/],
    ['a configuration with mistakes', ['list', ...by('mad.yaml')], 1, /lisen: unknown key/]
  ]
  for (const [name, argv, code, err] of cases) t.match(await command(['user', ...argv], {}, newPassword()), { code, out: '', err, prompts: undefined }, name)
  t.match(await command(['user', 'disable', 'bob', ...on('aliases.yaml')]), { code: 1, out: '', err: /aliases\.yaml is not changed: it has aliases/ })
  for (const argv of [['add', 'x'], ['passwd', 'bob']]) {
    t.match(await command(['user', ...argv, ...on('accounts.yaml')], {}, ''), { code: 1, out: '', err: 'chartgate: the password is empty\n' })
  }
  for (const argv of [['add', 'x'], ['passwd', 'bob']]) {
    t.match(await command(['user', ...argv, ...on('aliases.yaml')], {}, newPassword()), { code: 1, out: '', err: /it has aliases/ })
  }
  t.equal(readFileSync(join(dir, 'accounts.yaml'), 'utf8'), ACCOUNTS)
  t.notOk(readdirSync(dir).some(name => name.endsWith('.lock') || name.endsWith('.new')))
})

await t.test('what happens while a password is typed counts', async t => {
  const file = join(testFolder(t, { 'accounts.yaml': ACCOUNTS }), 'accounts.yaml')
  const [added, changed] = await Promise.all([
    command(['user', 'add', 'zoe', '--file', file], {}, newPassword()),
    command(['user', 'add', 'zoe', '--file', file], {}, newPassword())
  ])
  t.strictSame([added.code, changed.code].sort(), [0, 1])
  t.match(added.err + changed.err, /^chartgate: \S+accounts\.yaml:6:\d+: the user zoe is there already, at \S+accounts\.yaml:5:\d+\n$/)
  await command(['robot', 'create', 'ci', '--expires', '1d', '--file', file])
  const deleted = await Promise.all([1, 2].map(async () => await command(['robot', 'delete', 'ci', '--file', file])))
  t.strictSame(deleted.map(({ code }) => code).sort(), [0, 1])
  t.match(deleted.map(({ err }) => err).join(''), /^chartgate: there is no robot ci in \S+accounts\.yaml: chartgate robot list says who there is\n$/)
  for (const [text, argv, err] of [
    ['users: []\n', ['passwd', 'zoe'], /there is no user zoe in \S+accounts\.yaml/],
    ['users: [\n', ['add', 'kim'], /accounts\.yaml:\d/]
  ] as const) {
    t.match(await command(['user', ...argv, '--file', file], {}, () => {
      writeFileSync(file, text)
      return newPassword()
    }), { code: 1, out: '', err }, text)
    t.equal(readFileSync(file, 'utf8'), text)
  }
})
