// Where is the mistake? Every one is said at once: of the file by line and column, of the
// environment by its variable.
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'

await t.test('a mistake is where its key or its item stands', async t => {
  const text = [
    'lisen: 1',
    'listen:',
    '  port: eighty',
    'charts: { depth: 2, maxUploadSize: 20MB }',
    'policy:',
    '  - repositories: [a, "b/../c"]',
    '    subjects: [me]',
    '    actions: [pull]',
    '  - nonsense',
    'tokens:',
    '  issuers:',
    '    - { name: a, publicKey: x }',
    '    - { name: a, publicKey: y, clockSkew: 1h }',
    '    - { publicKey: z }',
    'upstream: &up { auth: basic }',
    'log: *up',
    'tokens: { ttl: 1s }'
  ].join('\n')
  const dir = testFolder(t, { 'c.yaml': text })
  const found = await loadConfig(join(dir, 'c.yaml'), { CHARTGATE_ADMIN_PORT: '70000', CHARTGATE_NOPE: 'x' })
  const mistakes = found.ok ? [] : found.mistakes.map(mistake => mistake.replace(`${dir}/`, '').replace(/^((?:c\.yaml:\d+:\d+: )?[^:]*): .*$/, '$1'))
  t.strictSame(mistakes, [
    'c.yaml:17:1: Map keys must be unique', 'CHARTGATE_NOPE', 'c.yaml:1:1: lisen', 'c.yaml:16:1: log.auth',
    'c.yaml:3:3: listen.port', 'admin.port', 'c.yaml:4:21: charts.maxUploadSize',
    'c.yaml:6:23: policy[0].repositories[1]', 'c.yaml:7:16: policy[0].subjects[0]', 'c.yaml:9:5: policy[1]',
    'c.yaml:15:17: upstream.auth', 'c.yaml:10:1: tokens.ttl'
  ])
})

await t.test('one issuer of a wrong form hides nothing of the others', async t => {
  const dir = testFolder(t, { 'c.yaml': 'tokens:\n  issuers:\n  - { name: a, publicKey: x }\n  - nonsense\n  - { name: a, publicKey: y, clockSkew: 1h }\n  - { name: b }\n' })
  t.strictSame((await loadConfig(join(dir, 'c.yaml'), {}) as { mistakes: readonly string[] }).mistakes.map(mistake => mistake.replace(`${dir}/`, '')), [
    'c.yaml:4:5: tokens.issuers[1]: "nonsense" is not an issuer with name, and publicKey, jwksFile or jwksUrl',
    'c.yaml:5:7: tokens.issuers[2].name: the name a is there already, at tokens.issuers[0]',
    'c.yaml:5:30: tokens.issuers[2].clockSkew: "1h" is more than 5m: for so long a token would count that has ended',
    'c.yaml:6:5: tokens.issuers[3]: it needs one of publicKey, jwksFile, jwksUrl'
  ])
})

await t.test('check says what is wrong with the configuration, the environment and the accounts in one go', async t => {
  const dir = testFolder(t, {
    'c.yaml': 'lisen: 1\naccounts: { files: [none.yaml, broken.yaml, "", 5] }\n',
    'broken.yaml': 'users:\n  - { name: a }\n',
    'good.yaml': 'accounts: { files: [none.yaml, a.yaml, b.yaml] }\n',
    'a.yaml': `robots:\n- { name: ci, secrets: [{ hash: "sha256:${'0'.repeat(64)}" }] }\n`,
    'b.yaml': `robots:\n- { name: ci, secrets: [{ hash: "sha256:${'1'.repeat(64)}" }] }\n`,
    'odd.yaml': 'lisen: 1\naccounts: { files: a.yaml }\n',
    'odder.yaml': 'lisen: 1\naccounts: 5\n'
  })
  const lines = async (file: string, env = {}): Promise<string[]> => {
    const { code, err } = await command(['check', '--config', join(dir, file)], env)
    t.equal(code, 1)
    return err.replaceAll(`${dir}/`, '').replaceAll('chartgate: ', '').trim().split('\n').map(line => line.replace(/: did you mean.*$/, ''))
  }
  t.strictSame(await lines('c.yaml', { CHARTGATE_NOPE: 'x' }), [
    'CHARTGATE_NOPE: no key of the configuration has this environment variable', 'c.yaml:1:1: lisen: unknown key',
    'c.yaml:2:32: accounts.files[2]: "" is not a file', 'c.yaml:2:36: accounts.files[3]: 5 is not a file',
    'none.yaml: the file cannot be read (ENOENT)', 'broken.yaml:2:5: users[0]: without passwordHash it is not a user with name and passwordHash'
  ].map(line => line.replace('c.yaml:2:32', lineOfFiles(2)).replace('c.yaml:2:36', lineOfFiles(3))))
  t.strictSame(await lines('good.yaml'), ['none.yaml: the file cannot be read (ENOENT)', 'b.yaml:2:3: the robot ci is there already, at a.yaml:2:3'])
  t.match(await lines('odd.yaml'), [/^odd\.yaml:1:1: lisen/, /^odd\.yaml:2:13: accounts\.files: "a\.yaml" is not a list of files$/])
  t.match(await lines('odder.yaml'), [/^odder\.yaml:1:1: lisen/, /^odder\.yaml:2:1: accounts: 5 is not a mapping/])
})

/** Where the items of `accounts: { files: [none.yaml, broken.yaml, "", 5] }` stand. */
function lineOfFiles (i: number): string {
  return `c.yaml:2:${['accounts: { files: [', 'none.yaml, ', 'broken.yaml, ', '"", '].slice(0, i + 1).join('').length + 1}`
}

await t.test('a file of a secret that is empty, as while somebody writes it, is no secret that is left out', async t => {
  for (const text of ['', '\n', '\r\n']) {
    const dir = testFolder(t, { 'admin.token': text })
    const file = join(dir, 'admin.token')
    t.match(await loadConfig(undefined, { CHARTGATE_ADMIN_TOKEN_FILE: file }), { ok: false, mistakes: [`CHARTGATE_ADMIN_TOKEN_FILE: the file ${file} is empty`] }, JSON.stringify(text))
  }
})

await t.test('relative paths of …_FILE variables are relative to the folder of the configuration, as all paths are', async t => {
  const dir = testFolder(t, { 'c.yaml': '', 'master.key': 'a-key-of-sixteen-characters\n' })
  t.match(await loadConfig(join(dir, 'c.yaml'), { CHARTGATE_MASTER_KEY_FILE: 'master.key' }), { ok: true, config: { masterKey: 'a-key-of-sixteen-characters' } })
  t.match(await loadConfig(join(dir, 'none.yaml'), { CHARTGATE_MASTER_KEY_FILE: 'none.key' }), { ok: false, mistakes: [/ENOENT/, `CHARTGATE_MASTER_KEY_FILE: the file ${join(dir, 'none.key')} cannot be read`] })
  t.match(await loadConfig(undefined, { CHARTGATE_MASTER_KEY_FILE: 'none.key' }), { ok: false, mistakes: [`CHARTGATE_MASTER_KEY_FILE: the file ${join(process.cwd(), 'none.key')} cannot be read`] }, 'or to the working directory, without one')
})
