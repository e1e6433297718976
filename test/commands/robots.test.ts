import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { readAccountsFile } from '../../src/identity/sources/accounts-file.ts'
import { digestOf, looksLikeSecret } from '../../src/identity/sources/robot-secret.ts'
import { command, type CommandResult } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { recordSecret } from '../helpers/secrets.ts'

const A = `sha256:${'a'.repeat(64)}`
const B = `sha256:${'b'.repeat(64)}`
const DAY = 86_400
const now = (): number => Math.floor(Date.now() / 1000)
const day = (days: number): string => new Date((now() + days * DAY) * 1000).toISOString().slice(0, 10)

async function robot (...argv: string[]): Promise<CommandResult> {
  return await command(['robot', ...argv])
}

await t.test('create prints the secret once, and the entry that goes into a file', async t => {
  const { code, out, err } = await robot('create', 'team-a-ci', '--expires', '90d', '--groups', 'ci')
  t.equal(code, 0)
  const secret = recordSecret(out.trim())
  t.equal(looksLikeSecret(secret), true)
  t.notMatch(err, secret)
  const [entry] = parse(err.slice(err.indexOf('\n- ') + 1)) as [{ secrets: [{ expires: string }] }]
  t.match(entry, { name: 'team-a-ci', groups: ['ci'], secrets: [{ hash: `sha256:${digestOf(secret)}` }] })
  t.equal(Math.round((Date.parse(entry.secrets[0].expires) - Date.now()) / 86_400_000), 90)
  t.match((await robot('create', 'x', '--expires', '12h')).err, new RegExp(`expires: ${new Date(Date.now() + 12 * 3_600_000).toISOString().slice(0, 10)}T`))
  t.notMatch((await robot('create', 'x', '--expires', 'never')).err, 'expires')
  const json = JSON.parse((await robot('create', 'x', '--expires', 'never', '--json')).out) as { secret: string }
  t.match(json, { name: 'x', expires: null, entry: { name: 'x', secrets: [{ hash: `sha256:${digestOf(json.secret)}` }] } })
})

await t.test('create adds the entry to a file, and leaves the rest of it alone', async t => {
  const before = `# our robots\nusers: []\nrobots: # all of them\n  - { name: old, secrets: [{ hash: "${A}" }] } # keep\n`
  const file = join(testFolder(t, { 'accounts.yaml': before }), 'accounts.yaml')
  const { code, out } = await robot('create', 'ci', '--expires', '30d', '--file', file)
  t.equal(code, 0)
  t.match(readFileSync(file, 'utf8'), new RegExp(`^${before.replaceAll(/[[\]{}]/g, '\\$&')} {2}- \\{ name: ci, secrets: \\[\\{ hash: \\S+, expires: \\S+ \\}\\] \\}\\n$`))
  const { robots, mistakes } = await readAccountsFile(file)
  t.strictSame([robots.map(({ name }) => name), mistakes], [['old', 'ci'], []])
  t.equal(robots[1]?.secrets[0]?.digest, digestOf(recordSecret(out.trim())))
  t.match(await robot('create', 'ci', '--expires', '30d', '--file', file), { code: 1, out: '', err: /the robot ci is there already, at .*accounts\.yaml:5:5: chartgate robot rotate ci gives it a new secret/ })
  const json = JSON.parse((await robot('create', 'cd', '--expires', '30d', '--json', '--file', file)).out) as object
  t.match(json, { name: 'cd', secret: /^cgr_/, expires: new RegExp(`^${day(30)}T`), file })
})

await t.test('rotate adds a secret, lets the old one end, and prints the new one once', async t => {
  const file = join(testFolder(t, { 'accounts.yaml': `robots:\n  - name: ci # builds\n    secrets:\n      - hash: ${A}\n  - { name: cd, secrets: [{ hash: "${B}", expires: ${day(2)} }] }\n` }), 'accounts.yaml')
  const { code, out, err } = await robot('rotate', 'ci', '--file', file)
  t.equal(code, 0)
  const secret = recordSecret(out.trim())
  t.match(err, new RegExp(`^The secret, which nobody can show again:\\nThe old secret counts until ${day(7)}T\\S+Z\\. The new one ends ${day(90)}T\\S+Z\\.\\n$`))
  const [first] = (await readAccountsFile(file)).robots
  t.strictSame(first?.secrets.map(({ digest }) => digest), ['a'.repeat(64), digestOf(secret)])
  t.match(first?.secrets.map(({ expires = 0 }) => Math.round((expires - now()) / DAY)), [7, 90])
  t.match(readFileSync(file, 'utf8'), /^robots:\n {2}- name: ci # builds\n {4}secrets:\n {6}- hash: sha256:a+\n {8}expires: \S+\n {6}- hash: \S+\n {8}expires: \S+\n {2}- \{ name: cd, /)

  const again = await robot('rotate', 'ci', '--file', file)
  t.match(again, { code: 1, out: '', err: /^chartgate: the robot ci has two secrets that count \(ends \S+; ends \S+\): wait until one of them ends, or let both end now with --keep 0\n$/ })
  const leaked = await robot('rotate', 'ci', '--keep', '0', '--expires', 'never', '--file', file)
  t.match(leaked, { code: 0, err: /Every secret before it counts no longer\. The new one does not end\.\n$/ })
  t.strictSame((await readAccountsFile(file)).robots[0]?.secrets, [{ digest: digestOf(recordSecret(leaked.out.trim())) }])

  const json = JSON.parse((await robot('rotate', 'cd', '--keep', '12d', '--expires', '12h', '--json', '--file', file)).out) as object
  t.match(json, { name: 'cd', secret: /^cgr_/, expires: /Z$/, oldSecretExpires: `${day(2)}T00:00:00Z`, file }, 'one that ends sooner does')
})

await t.test('rotate makes room for the new secret by taking out what has ended', async t => {
  const file = join(testFolder(t, { 'accounts.yaml': `robots:\n  - name: ci\n    secrets:\n      - { hash: "${A}", expires: ${day(-2)} } # the first\n      - { hash: "${B}", expires: ${day(90)} } # the second\n` }), 'accounts.yaml')
  const { code, out } = await robot('rotate', 'ci', '--keep', '12h', '--file', file)
  t.equal(code, 0)
  const [ci] = (await readAccountsFile(file)).robots
  t.strictSame(ci?.secrets.map(({ digest }) => digest), ['b'.repeat(64), digestOf(recordSecret(out.trim()))])
  t.equal(Math.round(((ci?.secrets[0]?.expires ?? 0) - now()) / 3600), 12)
  writeFileSync(file, `robots: [{ name: ci, secrets: [{ hash: "${A}", expires: ${day(-2)} }] }]\n`)
  const json = JSON.parse((await robot('rotate', 'ci', '--expires', 'never', '--json', '--file', file)).out) as object
  t.match(json, { expires: null, oldSecretExpires: null })
})

await t.test('disable, enable and delete, and list says how each stands', async t => {
  const file = join(testFolder(t, { 'accounts.yaml': `robots:\n  # builds\n  - name: ci\n    groups: [build]\n    secrets: [{ hash: "${A}", notBefore: ${day(3)}, expires: 2099-02-01 }]\n  - name: cd\n    secrets:\n      - { hash: "${B}", expires: 2020-02-01 }\n      - { hash: "sha256:${'c'.repeat(64)}" }\n` }), 'accounts.yaml')
  t.match(await robot('disable', 'cd', '--file', file), { code: 0, out: 'the robot cd is disabled\n' })
  t.match(await robot('list', '--file', file), { code: 0, out: new RegExp(`^NAME +STATE +GROUPS +SECRETS +PLACE\\nci +active +build +begins ${day(3)}T00:00:00Z, ends 2099-02-01T00:00:00Z +\\S+:3:5\\ncd +disabled +- +ended 2020-02-01T00:00:00Z; does not end +\\S+:6:5\\n$`) })
  t.strictSame(JSON.parse((await robot('list', '--json', '--file', file)).out), [
    { name: 'ci', groups: ['build'], disabled: false, place: `${file}:3:5`, secrets: [{ notBefore: `${day(3)}T00:00:00Z`, expires: '2099-02-01T00:00:00Z' }] },
    { name: 'cd', groups: [], disabled: true, place: `${file}:6:5`, secrets: [{ notBefore: null, expires: '2020-02-01T00:00:00Z' }, { notBefore: null, expires: null }] }
  ])
  t.match(await robot('enable', 'cd', '--file', file), { code: 0, out: 'the robot cd is enabled\n' })
  t.match(await robot('delete', 'cd', '--file', file), { code: 0, out: `the robot cd is no longer in ${file}\n` })
  t.match(await robot('delete', 'cd', '--file', file), { code: 1, out: '', err: /there is no robot cd/ })
  t.match(await robot('delete', 'ci', '--file', file), { code: 0 })
  t.strictSame(await readAccountsFile(file), { users: [], robots: [], mistakes: [] })
  t.match(await robot('create', 'new', '--expires', '1d', '--file', file), { code: 0 })
})

await t.test('what hinders it is said, and then there is no secret', async t => {
  const dir = testFolder(t, {
    'wrong.yaml': 'robots: 1\nuser: []',
    'only.yaml': 'accounts: { files: [htpasswd] }',
    'aliases.yaml': 'users: [&a {}, *a]',
    htpasswd: ''
  })
  const cases: [name: string, argv: string[], code: number, err: RegExp][] = [
    ['no time', ['create', 'ci'], 2, /needs --expires/],
    ['no such time', ['create', 'ci', '--expires', 'soon'], 2, /not "soon"/],
    ['no time at all', ['create', 'ci', '--expires', '0d'], 2, /not "0d"/],
    ['a name in capitals', ['create', 'CI', '--expires', '1d'], 1, /"CI" is not a robot's name/],
    ['a name with a dollar', ['create', 'ci$x', '--expires', '1d'], 1, /is not a robot's name/],
    ['two names', ['create', 'ci', 'cd', '--expires', '1d'], 2, /takes NAME, and 2 are there/],
    ['groups that are none', ['create', 'ci', '--expires', '1d', '--groups', 'a b'], 2, /--groups "a b" is not a list/],
    ['a folder that is not there', ['create', 'ci', '--expires', '1d', '--file', join(dir, 'none/x.yaml')], 1, /ENOENT/],
    ['a file with mistakes', ['create', 'ci', '--expires', '1d', '--file', join(dir, 'wrong.yaml')], 1, /robots: 1 is not a list of robots\n/],
    ['an htpasswd file', ['create', 'ci', '--expires', '1d', '--file', join(dir, 'htpasswd')], 1, /names end in \.yaml/],
    ['only an htpasswd file', ['create', 'ci', '--expires', '1d', '--config', join(dir, 'only.yaml')], 1, /htpasswd is of htpasswd, which knows no robots: name an accounts file with --file/],
    ['a file with mistakes, listed', ['list', '--file', join(dir, 'wrong.yaml')], 1, /robots: 1 is not a list of robots\n/],
    ['rotate until no time', ['rotate', 'ci', '--expires', 'x', '--file', join(dir, 'a.yaml')], 2, /--expires "x" is not a time/],
    ['rotate and keep for no time', ['rotate', 'ci', '--keep', '7', '--file', join(dir, 'a.yaml')], 2, /--keep "7" is not a time such as 7d or 12h, or 0/],
    ['rotate and keep for ever', ['rotate', 'ci', '--keep', 'never', '--file', join(dir, 'a.yaml')], 2, /--keep "never" is not a time/],
    ['rotate nobody', ['rotate', 'ci', '--file', join(dir, 'a.yaml')], 1, /there is no robot ci/]
  ]
  for (const [name, argv, code, err] of cases) t.match(await robot(...argv), { code, out: '', err }, name)
})
