// Keys of a running gateway change with their files and their URLs.
import { chmod, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { followIssuers, keysPart, openKeys, type OpenedKeys } from '../../src/live/live-keys.ts'
import { authorityPart } from '../../src/live/authority-part.ts'
import { openAuthority, watchConfig } from '../../src/live/reload.ts'
import { rotateFolder } from '../../src/tokens/key-folder.ts'
import { makeKey, type SigningKey } from '../../src/tokens/keys.ts'
import { cheapHash } from '../helpers/accounts.ts'
import { testFolder } from '../helpers/folder.ts'
import { keyNamed } from '../helpers/keys.ts'
import { NOW } from '../helpers/tokens.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { until } from '../helpers/until.ts'

type LogLine = Record<string, unknown> & { level: string, message: string }

interface Running {
  readonly dir: string
  readonly keys: OpenedKeys
  readonly users: () => string[]
  readonly log: LogLine[]
  states (now?: number): string[]
  write (name: string, text: string): Promise<void>
  line (message: string, count?: number): Promise<LogLine>
}

const HASH = await cheapHash('x')
const AGAIN = 'keys were read again'
const NOT_USED = 'a changed file is not used'
const accounts = (...names: string[]): string => `users: [${names.map(name => `{ name: ${name}, passwordHash: "${HASH}" }`).join(', ')}]\n`
const pem = (key: SigningKey): string => key.publicKey.export({ type: 'spki', format: 'pem' }) as string

async function run (t: Test, config: string, prepare: (dir: string) => Promise<unknown> = async () => {}): Promise<Running> {
  const dir = testFolder(t, { 'chartgate.yaml': `accounts: { files: [accounts.yaml] }\n${config}`, 'accounts.yaml': accounts('alice', 'bob') })
  await prepare(dir)
  const reload = async () => await loadConfig(join(dir, 'chartgate.yaml'), { CHARTGATE_STATE_DIR: join(dir, 'state') })
  const loaded = await reload()
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  const [keys, authority] = [await openKeys(loaded.config), await openAuthority(loaded.config)]
  if (!keys.ok || !authority.ok) throw new Error(JSON.stringify([keys, authority]))
  const log: LogLine[] = []
  const say = (level: string) => (fields: object, message: string) => { log.push({ ...fields, level, message }) }
  const to = { info: say('info'), warn: say('warn'), error: say('error') }
  const { live } = keys.opened
  followIssuers(live.current.issuers, to)
  const parts = [authorityPart(authority.opened), keysPart(keys.opened, () => NOW)]
  const watch = watchConfig({ parts, stamps: new Map([...authority.opened.stamps, ...keys.opened.stamps]), config: loaded.config, reload, log: to })
  t.teardown(() => {
    watch.close()
    for (const { remote } of live.current.issuers) remote?.close()
  })
  return {
    dir,
    keys: keys.opened,
    users: () => [...authority.opened.live.current.accounts.users.keys()],
    log,
    states: (now = NOW) => live.current.ring.states(now).map(({ key: { file }, state }) => `${file.slice(file.lastIndexOf('/') + 1)} ${state}`),
    async write (name, text) {
      await writeFile(join(dir, `${name}.new`), text)
      await rename(join(dir, `${name}.new`), join(dir, name))
    },
    line: async (message, count = 1) => await until(() => log.filter(line => line.message === message)[count - 1])
  }
}

await t.test('a rotation of the folder is followed, step by step, and by nothing else', async t => {
  const { dir, keys, states, log, line } = await run(t, '')
  t.strictSame(states(), ['token.pem active'])
  const rotated = await rotateFolder(join(dir, 'state', 'keys'), 'ES256', 300, NOW - 3)
  if (!rotated.ok) throw new Error(rotated.message)
  const name = rotated.key.file.slice(rotated.key.file.lastIndexOf('/') + 1)
  t.match(await line(AGAIN), { level: 'info', keys: [`${rotated.key.kid} active`, /\S{43} verify/], issuers: [] })
  t.strictSame(states(), [`${name} active`, 'token.pem verify'])
  t.strictSame(states(NOW - 1), ['token.pem active', `${name} verify`])
  await rm(join(dir, 'state', 'keys', 'token.pem'))
  await line(AGAIN, 2)
  t.strictSame(states(), [`${name} active`])
  t.equal(keys.live.current.ring.signing(NOW).kid, rotated.key.kid)
  t.equal(log.filter(({ message }) => message !== AGAIN).length, 0, 'accounts are not read again for it')
})

await t.test('a broken key leaves the old ones in force, but no account in', async t => {
  const { dir, states, users, write, line } = await run(t, '')
  await chmod(join(dir, 'state', 'keys', 'token.pem'), 0o644)
  t.match(await line(NOT_USED), { level: 'error', mistake: /token\.pem can be read by others \(mode 644\)/ })
  t.strictSame(states(), ['token.pem active'])
  await write('accounts.yaml', accounts('bob'))
  await line('accounts and rules were read again')
  t.strictSame(users(), ['bob'])
  await write('accounts.yaml', 'users: [')
  t.match(await line(NOT_USED, 2), { mistake: /accounts\.yaml/ })
  await chmod(join(dir, 'state', 'keys', 'token.pem'), 0o600)
  await rotateFolder(join(dir, 'state', 'keys'), 'EdDSA', 300, NOW - 10)
  await line(AGAIN)
  t.equal(states().length, 2, 'and broken accounts do not hold up a key')
})

await t.test('states of one\'s own keys change with the configuration', async t => {
  const config = (a: string, b: string): string => `accounts: { files: [accounts.yaml] }\ntokens: { keys: [{ file: a.pem, alg: ES256, state: ${a} }, { file: b.pem, alg: EdDSA, state: ${b} }] }\n`
  const { dir, states, write, line, log } = await run(t, config('active', 'verify').split('\n')[1] as string, async dir => {
    await makeKey(join(dir, 'a.pem'), 'ES256')
    await makeKey(join(dir, 'b.pem'), 'EdDSA')
  })
  t.strictSame(states(), ['a.pem active', 'b.pem verify'])
  await write('chartgate.yaml', config('verify', 'active'))
  await line(AGAIN)
  t.strictSame(states(), ['b.pem active', 'a.pem verify'])
  await write('chartgate.yaml', config('verify', 'verify'))
  t.match(await line(NOT_USED), { mistake: 'tokens.keys: exactly one key is active: it signs' })
  await write('chartgate.yaml', config('retired', 'active'))
  await line(AGAIN, 2)
  t.strictSame(states(), ['b.pem active'])
  await rm(join(dir, 'b.pem'))
  t.match(await line(NOT_USED, 2), { mistake: `${join(dir, 'b.pem')} cannot be read (ENOENT)` })
  t.strictSame(states(), ['b.pem active'])
  t.equal(log.some(({ message }) => message === 'these changed keys take effect at the next start'), false)
})

await t.test('issuers come, change and go with the configuration and their files', async t => {
  const [one, two] = [await keyNamed('one', 'ES256'), await keyNamed('two', 'EdDSA')]
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: JSON.stringify({ keys: [one.publicKey.export({ format: 'jwk' })] }) })
  const config = (...issuers: string[]): string => `accounts: { files: [accounts.yaml] }\ntokens: { issuers: [${issuers.join(', ')}] }\n`
  const far = `{ name: far, jwksUrl: "${stub.origin}/a" }`
  const { keys, write, line, log } = await run(t, `tokens: { issuers: [{ name: cm, publicKey: cm.pem }, ${far}] }`, async dir => { await writeFile(join(dir, 'cm.pem'), pem(one)) })
  const issuers = (): string[] => keys.live.current.issuers.map(({ config: { name }, keys }) => `${name} ${keys().map(({ algorithms }) => algorithms[0])}`)
  t.match(await line('the keys of a token server were fetched'), { level: 'info', issuer: 'far', keys: 1 })
  t.strictSame(issuers(), ['cm ES256', 'far ES256'])
  const remote = keys.live.current.issuers[1]
  await write('cm.pem', pem(two))
  await until(() => issuers()[0] === 'cm EdDSA' ? true : undefined)
  t.equal(keys.live.current.issuers[1], remote, 'the other one keeps what it has fetched')
  await write('cm.pem', 'x')
  t.match(await line(NOT_USED), { mistake: /cm\.pem cannot be used/ })
  t.strictSame(issuers(), ['cm EdDSA', 'far ES256'])
  stub.answer = () => ({ status: 500 })
  await write('chartgate.yaml', config(far, `{ name: farther, jwksUrl: "${stub.origin}/b" }`))
  t.match(await line('the keys of a token server cannot be fetched: what was fetched last stays in force'), { level: 'warn', issuer: 'farther', reason: 'it answered 500' })
  t.strictSame(issuers(), ['far ES256', 'farther '])
  await write('chartgate.yaml', config())
  await until(() => issuers().length === 0 ? true : undefined)
  t.notMatch(JSON.stringify(log), 'PUBLIC KEY')
})

await t.test('keys that cannot be opened are a sentence', async t => {
  const dir = testFolder(t, { file: '' })
  t.match(await openKeys({ stateDir: join(dir, 'file'), tokens: { ttl: 300, keys: [], issuers: [] } }), { ok: false, mistakes: [/^the keys in .*file\/keys cannot be used: /] })
  t.match(await openKeys({ stateDir: dir, tokens: { ttl: 300, keys: [{ file: join(dir, 'file'), alg: 'RS256', state: 'active' }], issuers: [] } }), { ok: false, mistakes: [`${join(dir, 'file')} is not an unencrypted private key in PEM`] })
})
