import { join } from 'node:path'
import t from 'tap'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'

await t.test('check says what rules may not mean, and is content all the same', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'policy:\n  - { repositories: ["a"], subjects: ["user:gone"], actions: [pull] }\n' })
  t.match(await command(['check', '--config', join(dir, 'chartgate.yaml')]), { code: 0, err: /^chartgate: warning: .*chartgate\.yaml:2: policy\[0\]: the pattern a .*\nchartgate: warning: .*user:gone is in no accounts file\nchartgate: warning: nobody has any right: .*\n$/ })
})

await t.test('check says which certificate cannot be used', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'listen: { tls: { cert: gone.crt, key: gone.key } }\npolicy: []\n' })
  t.match(await command(['check', '--config', join(dir, 'chartgate.yaml')]), { code: 1, out: '', err: /^chartgate: listen\.tls: .*gone\.crt/ })
})

await t.test('check says which file of redis.tls cannot be used, as a start would', async t => {
  const folder = testFolder(t, { 'ca.pem': 'nothing' })
  const env = { CHARTGATE_MASTER_KEY: 'a-key-of-sixteen-characters', CHARTGATE_STATE_DIR: folder, CHARTGATE_REDIS_URL: 'rediss://127.0.0.1' }
  for (const [ca, err] of [['missing', /^chartgate: redis\.tls\.ca: .*missing/], ['ca.pem', /^chartgate: redis\.tls: .*ca\.pem/]] as const) {
    t.match(await command(['check'], { ...env, CHARTGATE_REDIS_TLS_CA: join(folder, ca) }), { code: 1, out: '', err }, ca)
  }
  t.match(await command(['check'], env), { code: 0 })
})

await t.test('check --json has the same lines as data', async t => {
  const dir = testFolder(t, { 'good.yaml': 'policy:\n  - { repositories: ["a"], subjects: [anonymous], actions: [pull] }\n', 'bad.yaml': 'lisen: 1\nlog: { reads: maybe }' })
  const check = async (file: string): Promise<object> => {
    const { out, err, ...rest } = await command(['check', '--json', '--config', join(dir, file)])
    t.equal(err, '')
    return { ...rest, ...JSON.parse(out) as object }
  }
  t.match(await check('good.yaml'), { code: 0, valid: true, mistakes: [], warnings: [/^\S+good\.yaml:2: policy\[0\]: the pattern a /], says: [/^configuration is valid: /] })
  t.match(await check('bad.yaml'), { code: 1, valid: false, mistakes: [/^\S+bad\.yaml:1:1: lisen: unknown key/, /^\S+bad\.yaml:2:8: log\.reads: /], warnings: [], says: [] })
})
