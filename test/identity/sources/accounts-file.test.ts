import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { readAccountsFile, type FileAccounts } from '../../../src/identity/sources/accounts-file.ts'
import { cheapBcrypt, cheapHash } from '../../helpers/accounts.ts'
import { testFolder, type TestLike } from '../../helpers/folder.ts'

const argon = await cheapHash('x')
const bcrypt = await cheapBcrypt('x')
const digest = 'a1'.repeat(32)

async function read (t: TestLike, name: string, text: string): Promise<FileAccounts> {
  const dir = testFolder(t)
  writeFileSync(join(dir, name), text)
  const result = await readAccountsFile(join(dir, name))
  const local = (line: string): string => line.replaceAll(`${dir}/`, '')
  return { users: result.users.map(each => ({ ...each, place: local(each.place) })), robots: result.robots.map(each => ({ ...each, place: local(each.place) })), mistakes: result.mistakes.map(local) }
}

await t.test('an accounts file says who there is, and on which line', async t => {
  const text = `# people
users:
  - { name: alice, passwordHash: "${argon}", groups: [team-a] }
  - name: bob@example.com
    passwordHash: ${bcrypt}
    disabled: true
robots:
  - name: team-a-ci
    groups: []
    secrets:
      - { hash: "sha256:${digest}", notBefore: 2026-11-01, expires: 2027-02-01T12:00:00+01:00 }
`
  t.strictSame(await read(t, 'accounts.yaml', text), {
    users: [
      { name: 'alice', passwordHash: argon, groups: ['team-a'], disabled: false, place: 'accounts.yaml:3:5' },
      { name: 'bob@example.com', passwordHash: bcrypt, groups: [], disabled: true, place: 'accounts.yaml:4:5' }
    ],
    robots: [{ name: 'team-a-ci', groups: [], disabled: false, place: 'accounts.yaml:8:5', secrets: [{ digest, notBefore: Date.UTC(2026, 10, 1) / 1000, expires: Date.UTC(2027, 1, 1, 11) / 1000 }] }],
    mistakes: []
  })
  for (const empty of ['', '# nobody yet\n', 'users: []\nrobots: []\n']) t.strictSame(await read(t, 'a.yml', empty), { users: [], robots: [], mistakes: [] })
})

await t.test('every mistake in an accounts file is a line with its place, and no line repeats a hash', async t => {
  const cases: [string, string, RegExp[]][] = [
    ['an unknown key', 'users:\n  - { name: a, passwordhash: "$argon2id$secret" }', [/^a\.yaml:2:\d+: users\[0\]\.passwordhash: unknown key: did you mean passwordHash\?$/, /^a\.yaml:2:\d+: users\[0\]: without passwordHash it is not a user/]],
    ['a key that no path names', 'users: []\n"odd key": 1', [/^a\.yaml:1:\d+: "odd key": unknown key/]],
    ['a list twice', 'users: []\nusers: []\nrobot: []', [/^a\.yaml:2:\d+: Map keys must be unique$/, /^a\.yaml:3:\d+: robot: unknown key/]],
    ['an unknown list', 'user: []', [/^a\.yaml:1:\d+: user: unknown key: did you mean users\?$/]],
    ['a name with a colon', `users:\n\n  - { name: "a:b", passwordHash: "${argon}" }`, [/^a\.yaml:3:\d+: users\[0\]\.name: "a:b" is not a name/]],
    ['a robot in capitals', `robots:\n  - { name: CI, secrets: [{ hash: "sha256:${digest}" }] }`, [/robots\[0\]\.name: "CI" is not a name of lower-case/]],
    ['no secrets', 'robots: [{ name: ci, secrets: [] }]', [/robots\[0\]\.secrets: \[\] is not a list of one or two/]],
    ['three secrets', `robots: [{ name: ci, secrets: [${Array(3).fill(`{ hash: "sha256:${digest}" }`).join()}] }]`, [/secrets: a list is not a list of one or two/]],
    ['a secret in the clear', 'robots: [{ name: ci, secrets: [{ hash: cgr_123456 }] }]', [/hash: this value is not sha256: and 64/]],
    ['a day that is none', `robots: [{ name: ci, secrets: [{ hash: "sha256:${digest}", expires: 2027-02-30 }] }]`, [/^a\.yaml:1:\d+: expires of a secret of ci is a day that is not in the calendar$/]],
    ['a moment that is none', `robots: [{ name: ci, secrets: [{ hash: "sha256:${digest}", notBefore: "2027-02-01T25:00:00Z" }] }]`, [/notBefore of a secret of ci/]],
    ['a date in other words', `robots: [{ name: ci, secrets: [{ hash: "sha256:${digest}", expires: tomorrow }] }]`, [/expires: "tomorrow" is not a day such as/]],
    ['what is wrong with one entry beside what is wrong with another', `users:\n- { name: a }\n- { name: b, passwordHash: hunter-two }\n- 5\nrobots:\n- { name: ci, secrets: [{ hash: "sha256:${digest}", expires: 2027-02-30 }] }\n- { name: x, secrets: [] }`, [/^a\.yaml:2:3: users\[0\]: without passwordHash/, /^a\.yaml:4:3: users\[2\]: this value is not a user/, /^a\.yaml:7:14: robots\[1\]\.secrets: \[\] is not a list of one or two/, /^a\.yaml:3:3: the passwordHash of b cannot be used/, /^a\.yaml:6:3: expires of a secret of ci/]],
    ['lists that are none, and a key beside them', 'users: 5\nrobots: x\nother: 1', [/^a\.yaml:3:1: other: unknown key/, /^a\.yaml:1:1: users: 5 is not a list/, /^a\.yaml:2:1: robots: "x" is not a list/]],
    ['a password in the clear', 'users:\n  - { name: a, passwordHash: hunter-two }', [/^a\.yaml:2:\d+: the passwordHash of a cannot be used: it is neither/]],
    ['broken YAML', 'users: [', [/^a\.yaml:1:\d+: /]],
    ['a list', '- a', [/not a mapping/]]
  ]
  for (const [name, text, expected] of cases) {
    const { mistakes, users, robots } = await read(t, 'a.yaml', text)
    t.match(mistakes, expected, name)
    t.equal(mistakes.length, expected.length, name)
    t.same([users, robots], [[], []], 'and nobody of the file counts')
    t.notMatch(mistakes.join(), /hunter-two|cgr_|\$argon2id/)
  }
})

await t.test('twenty mistakes of a file are said, and how many more there are', async t => {
  const cases: [name: string, text: string][] = [
    ['a.yaml', 'users:\n' + '  - { name: a }\n'.repeat(3_000)],
    ['a.yaml', Array.from({ length: 3_000 }, (_, i) => `k${i}: 1\n`).join('')],
    ['a.yaml', 'users:\n' + '  - { name: a, passwordHash: x }\n'.repeat(3_000)],
    ['a.yaml', Array.from({ length: 3_000 }, (_, i) => `k${i}: !t${i} 1\n`).join('')],
    ['htpasswd', 'x\n'.repeat(3_000)]
  ]
  for (const [name, text] of cases) {
    const { mistakes } = await read(t, name, text)
    t.match(mistakes[0], new RegExp(`^${name}:[12]:\\d+: `))
    t.match(mistakes.slice(20), [`${name}: and 2980 more`], text.slice(0, 40))
  }
  t.equal((await read(t, 'a.yaml', `users: [\n${'- { name: a, passwordHash: "x" }\n'.repeat(3_000)}`)).mistakes.length, 1, 'a bracket is one')
})

await t.test('an htpasswd file has a user a line, with bcrypt', async t => {
  const text = `# made by htpasswd -B\nalice:${bcrypt}\r\n\nbob:${bcrypt}\n`
  t.strictSame(await read(t, 'htpasswd', text), {
    users: [
      { name: 'alice', passwordHash: bcrypt, groups: [], disabled: false, place: 'htpasswd:2:1' },
      { name: 'bob', passwordHash: bcrypt, groups: [], disabled: false, place: 'htpasswd:4:1' }
    ],
    robots: [],
    mistakes: []
  })
  const { mistakes } = await read(t, 'htpasswd', `alice\n:${bcrypt}\na b:${bcrypt}\ncarol:$apr1$salt$hash\ndave:{SHA}hash\nerin:plain\nfrank:${argon}\ngina:${bcrypt.slice(0, 40)}\ngood:${bcrypt}\n`)
  t.match(mistakes, [/^htpasswd:1:\d+: a line is NAME:HASH/, /^htpasswd:2:\d+: a line is NAME:HASH/, /^htpasswd:3:\d+: /, /^htpasswd:4:\d+: the hash of carol is not bcrypt/, /^htpasswd:5:\d+: .*dave/, /^htpasswd:6:\d+: .*erin/, /^htpasswd:7:\d+: .*frank/, /^htpasswd:8:\d+: the hash of gina cannot be used: it is not complete/])
  t.notMatch(mistakes.join(), /apr1|SHA|plain/)
})

await t.test('a file that is not there is a line', async t => {
  for (const file of ['none.yaml', 'none']) t.match((await readAccountsFile(join(testFolder(t), file))).mistakes, [/none.*: the file cannot be read \(ENOENT\)$/])
})
