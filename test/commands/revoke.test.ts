// Tokens that are taken back, as a person types it.
import { randomUUID } from 'node:crypto'
import { chown, mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { ReadSecret } from '../../src/commands/command.ts'
import { command, type CommandResult } from '../helpers/commands.ts'
import { GITHUB, githubClaims, idToken, ruleFor } from '../helpers/federation.ts'
import { testFolder } from '../helpers/folder.ts'
import { keyNamed } from '../helpers/keys.ts'
import { freePorts } from '../helpers/processes.ts'
import { notTried } from '../helpers/not-tried.ts'
import { NO_REDIS, redisServer, startRedis } from '../helpers/redis.ts'
import { mintToken } from '../helpers/tokens.ts'

const ID = randomUUID()

async function revoke (stateDir: string, argv: readonly string[], env: Record<string, string> = {}): Promise<CommandResult> {
  return await command(['revoke', ...argv], { CHARTGATE_STATE_DIR: stateDir, ...env })
}

const lines = async (stateDir: string): Promise<string[]> => (await readFile(join(stateDir, 'revoked'), 'utf8')).split('\n')

await t.test('a token is revoked by its id or itself, and a subject by its name, in a file that forgets what has ended', async t => {
  const dir = testFolder(t)
  t.strictSame(await revoke(dir, ['--token', ID]), { code: 0, out: `the token ${ID} is revoked at this chartgate, ${dir}, within a second\n`, err: '' })
  await writeFile(join(dir, 'revoked'), `${(await lines(dir)).join('\n')}token old 17\n`)
  t.match(await revoke(dir, ['--token', await mintToken()]), { code: 0, out: /^the token 00000000-0000-4000-8000-000000000000 is revoked/ })
  for (const subject of ['robot:team-a-ci', 'key:master', 'ci:github:acme/web', 'anonymous']) t.match(await revoke(dir, ['--subject', subject]), { code: 0, out: `what was issued to ${subject} until now is revoked` })
  t.match(await lines(dir), [new RegExp(`^token ${ID} \\d{10}$`), /^token 0{8}-\S+ \d{10}$/, /^subject robot:team-a-ci \d{10} \d{10}$/, /^subject key:master /, /^subject ci:github:acme\/web /, /^subject anonymous /, ''])
})

await t.test('a token that nobody else is to see comes from standard input', async t => {
  const dir = testFolder(t)
  const given = async (typed: string | ReadSecret): Promise<CommandResult> => await command(['revoke', '--token', '-'], { CHARTGATE_STATE_DIR: dir }, typed)
  for (const typed of [ID, `${await mintToken({ claims: { jti: ID } })}\n`]) t.match(await given(typed), { code: 0, out: new RegExp(`^the token ${ID} is revoked`) })
  t.match(await given('not a token'), { code: 2, err: /--token is no token of chartgate/ })
  t.match(await given({ ok: false, message: 'nothing was typed' }), { code: 1, out: '', err: 'chartgate: nothing was typed\n' })
})

await t.test('nobody is told that the token which a job has of its platform is revoked', async t => {
  const dir = testFolder(t)
  const config = join(dir, 'chartgate.yaml')
  const provider = { ...GITHUB, jwksUrl: 'http://127.0.0.1:9/' }
  await writeFile(config, JSON.stringify({ stateDir: dir, federation: { providers: [provider], rules: [{ ...ruleFor(provider), groups: undefined, maxLifetime: undefined }] } }))
  const job = await idToken(await keyNamed('platform'), githubClaims())
  t.match(await revoke(dir, ['--token', job, '--config', config]), { code: 2, err: /--token is no token of chartgate/ })
  for (const argv of [['--token', ID], ['--subject', 'ci:github:octo-org/octo-repo']]) {
    t.match(await revoke(dir, [...argv, '--config', config]), { code: 0, out: /revoked/, err: /^chartgate: warning: .* counts until it ends, or its rule of federation is taken out or changed\n$/ }, argv[0] as string)
  }
  t.match(await revoke(dir, ['--subject', 'user:alice', '--config', config]), { code: 0, err: '' })
})

await t.test('what is no token and nobody is wrong usage, and never printed where it may be a secret', async t => {
  const dir = testFolder(t)
  const wrong: [argv: string[], err: RegExp][] = [
    [[], /give one of --token and --subject/],
    [['--token', ID, '--subject', 'user:alice'], /give one of --token and --subject/],
    [['--token', 'not a token'], /^chartgate: --token is no token of chartgate, and no id \(jti\) of one/],
    [['--token', await mintToken({ claims: { jti: undefined } })], /no id \(jti\)/],
    [['--subject', 'alice'], /"alice" is nobody whom tokens are issued to/],
    [['--subject', 'group:team-a'], /nobody whom tokens are issued to/],
    [['--subject', 'ci:github:../x'], /nobody whom tokens are issued to/],
    [['--subject', 'authenticated'], /nobody whom tokens are issued to/],
    [['--subject', 'issuer:theirs/x'], /from another token server: revoke them there/]
  ]
  for (const [argv, err] of wrong) t.match(await revoke(dir, argv), { code: 2, err }, argv.join(' '))
  await t.rejects(lines(dir))
})

await t.test('it is run where the gateway runs, as its user', async t => {
  const dir = testFolder(t)
  t.match(await revoke(join(dir, 'missing'), ['--token', ID]), { code: 1, err: /is not there: run this where the gateway runs/ })
  const odd = testFolder(t)
  await mkdir(join(odd, 'revoked'))
  t.match(await revoke(odd, ['--token', ID]), { code: 1, err: /revoked cannot be changed: / })
  if (process.getuid?.() !== 0) return
  await chown(dir, 12_345, 12_345)
  t.match(await revoke(dir, ['--token', ID]), { code: 1, err: /belongs to user 12345, and this is user 0: run this as that user/ })
})

await t.test('it is in the audit log with what it is about', async t => {
  const dir = testFolder(t)
  const file = join(dir, 'audit.log')
  await revoke(dir, ['--token', await mintToken({ claims: { jti: ID } })], { CHARTGATE_AUDIT_FILE: file })
  await revoke(dir, ['--subject', 'user:alice'], { CHARTGATE_AUDIT_FILE: file })
  await revoke(dir, [], { CHARTGATE_AUDIT_FILE: file })
  const events = (await readFile(file, 'utf8')).trim().split('\n').map(line => JSON.parse(line) as object)
  t.match(events, [
    { action: 'token.revoke', object: `token:${ID}`, outcome: 'success', actor: { kind: 'operator' } },
    { action: 'token.revoke', object: 'user:alice', outcome: 'success' },
    { action: 'token.revoke', outcome: 'failure' }
  ])
})

await t.test('with a Redis that is away it counts at this chartgate, and that is said', async t => {
  const dir = testFolder(t)
  const [port] = await freePorts(1)
  t.match(await revoke(dir, ['--token', ID], { CHARTGATE_REDIS_URL: `redis://127.0.0.1:${port}` }), { code: 1, out: '', err: /is revoked at this chartgate alone, which tells the others as soon as it can: Redis cannot be reached \(ECONNREFUSED\)\n$/ })
  t.equal((await lines(dir)).length, 2)
})

if (redisServer === undefined) await notTried(t, 'a real Redis', NO_REDIS)
else {
  await t.test('with Redis all replicas hear of it', async t => {
    const { url, ask } = await startRedis(t)
    t.match(await revoke(testFolder(t), ['--token', ID], { CHARTGATE_REDIS_URL: url }), { code: 0, out: `the token ${ID} is revoked at all replicas within a second\n` })
    t.match(await ask('ZRANGE', '{chartgate}:revoked', '0', '-1'), ID)
  })
}
