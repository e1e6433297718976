import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { PassThrough } from 'node:stream'
import t from 'tap'
import { parse } from 'yaml'
import { readSecret } from '../../src/commands/terminal.ts'
import { readAccountsFile } from '../../src/identity/sources/accounts-file.ts'
import { createPasswords } from '../../src/identity/sources/passwords.ts'
import { digestOf, looksLikeSecret } from '../../src/identity/sources/robot-secret.ts'
import { newPassword } from '../helpers/secrets.ts'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'

await t.test('hash-password prints a hash of what it reads, and nothing else on standard output', async t => {
  const password = newPassword()
  const { code, out, err } = await command(['hash-password'], {}, password)
  t.equal(code, 0)
  t.match(out, /^\$argon2id\$[^\n]+\n$/)
  t.equal(err, '')
  t.equal(await createPasswords().comparison(password, out.trim())?.(), true)
  for (const [typed, fault] of [['', /empty/], ['a\0b', /NUL/], ['x'.repeat(1025), /longer than 1024/]] as const) {
    t.match(await command(['hash-password'], {}, typed), { code: 1, out: '', err: fault })
  }
})

await t.test('a secret comes from a pipe as it is, without the end of its line', async t => {
  for (const [sent, expected] of [['pass word\n', 'pass word'], ['x\r\n', 'x'], ['two\nlines\n\n', 'two\nlines\n'], ['', '']] as const) {
    const input = new PassThrough()
    input.end(sent)
    const output = new PassThrough()
    t.equal(await readSecret('Password: ', input, output), expected)
    t.equal(output.read(), null, 'without a prompt')
  }
})

await t.test('a secret that is typed is asked for, and not shown', async t => {
  const input = Object.assign(new PassThrough(), { isTTY: true })
  const output = new PassThrough()
  const reading = readSecret('Password: ', input, output)
  input.write('hush-hush\n')
  t.equal(await reading, 'hush-hush')
  const shown = String(output.read())
  t.match(shown, /Password: /)
  t.notMatch(shown, 'hush')
})

await t.test('robot create prints the secret once, and the entry that goes into a file', async t => {
  const { code, out, err } = await command(['robot', 'create', 'team-a-ci', '--expires', '90d'])
  t.equal(code, 0)
  const secret = out.trim()
  t.equal(looksLikeSecret(secret), true)
  t.notMatch(err, secret)
  const [entry] = parse(err.slice(err.indexOf('\n- ') + 1)) as [{ name: string, secrets: [{ hash: string, expires: string }] }]
  t.match(entry, { name: 'team-a-ci', secrets: [{ hash: `sha256:${digestOf(secret)}` }] })
  t.equal(Math.round((Date.parse(entry.secrets[0].expires) - Date.now()) / 86_400_000), 90)
  t.match((await command(['robot', 'create', 'x', '--expires', '12h'])).err, new RegExp(`expires: ${new Date(Date.now() + 12 * 3_600_000).toISOString().slice(0, 10)}T`))
  t.notMatch((await command(['robot', 'create', 'x', '--expires', 'never'])).err, 'expires')
})

await t.test('robot create adds the entry to a file, and leaves the rest of it alone', async t => {
  const dir = testFolder(t, { 'accounts.yaml': '# our robots\nusers: []\nrobots: # all of them\n  - { name: old, secrets: [{ hash: "sha256:' + 'a'.repeat(64) + '" }] } # keep\n', 'none.yaml': '# nobody yet\n' })
  const file = join(dir, 'accounts.yaml')
  chmodSync(file, 0o640)
  const { code, out } = await command(['robot', 'create', 'ci', '--expires', '30d', '--file', file])
  t.equal(code, 0)
  for (const comment of ['# our robots', '# all of them', '# keep']) t.match(readFileSync(file, 'utf8'), comment)
  t.equal(statSync(file).mode & 0o777, 0o640)
  const { robots, mistakes } = await readAccountsFile(file)
  t.same(mistakes, [])
  t.same(robots.map(({ name }) => name), ['old', 'ci'])
  t.equal(robots[1]?.secrets[0]?.digest, digestOf(out.trim()))

  t.match(await command(['robot', 'create', 'ci', '--expires', '30d', '--file', file]), { code: 1, out: '', err: /the robot ci is there already, at .*accounts\.yaml:\d+:\d+: to give it a second secret/ })
  const none = join(dir, 'none.yaml')
  t.match(await command(['robot', 'create', 'ci', '--expires', '30d', '--file', none]), { code: 0 })
  t.same((await readAccountsFile(none)).robots.map(({ name }) => name), ['ci'])
})

await t.test('robot create says what hinders it, and then makes no secret', async t => {
  const dir = testFolder(t, { 'broken.yaml': 'robots: [', 'wrong.yaml': 'robots: 1\nuser: []', htpasswd: '' })
  writeFileSync(join(dir, 'full.yaml'), '')
  writeFileSync(join(dir, `full.yaml.${process.pid}.tmp`), 'left behind')
  const cases: [string, string[], number, RegExp][] = [
    ['no time', ['ci'], 2, /needs --expires/],
    ['no such time', ['ci', '--expires', 'soon'], 2, /not "soon"/],
    ['no time at all', ['ci', '--expires', '0d'], 2, /not "0d"/],
    ['a name in capitals', ['CI', '--expires', '1d'], 1, /"CI" is not a robot's name/],
    ['a name with a dollar', ['ci$x', '--expires', '1d'], 1, /is not a robot's name/],
    ['two names', ['ci', 'cd', '--expires', '1d'], 2, /takes NAME: ci cd/],
    ['a file that is not there', ['ci', '--expires', '1d', '--file', join(dir, 'x.yaml')], 1, /ENOENT/],
    ['a place that is taken', ['ci', '--expires', '1d', '--file', join(dir, 'full.yaml')], 1, /full\.yaml cannot be written: EEXIST/],
    ['a file with mistakes', ['ci', '--expires', '1d', '--file', join(dir, 'wrong.yaml')], 1, /robots: 1 is not a list of robots\n/],
    ['broken YAML', ['ci', '--expires', '1d', '--file', join(dir, 'broken.yaml')], 1, /broken\.yaml:1/],
    ['an htpasswd file', ['ci', '--expires', '1d', '--file', join(dir, 'htpasswd')], 1, /names end in \.yaml/]
  ]
  for (const [name, argv, code, err] of cases) t.match(await command(['robot', 'create', ...argv]), { code, out: '', err }, name)
})
