import { chmod, copyFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { openUpstreamKey, prepareUpstreamKey } from '../../src/tokens/key-folder.ts'
import { makeKey, readSigningKey, type OwnAlgorithm } from '../../src/tokens/keys.ts'
import type { KeyState } from '../../src/tokens/ring.ts'
import { keyFolder, loadTrusted, prepareKeys, type KeysConfig, type TrustedResult } from '../../src/tokens/trusted.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'
import { keyNamed } from '../helpers/keys.ts'

interface Own { readonly dir: string, readonly config: KeysConfig, readonly at: (name: string) => string }

/** A configuration with keys of its own, which lie there. */
async function own (t: TestLike, keys: readonly [name: string, alg: OwnAlgorithm, state: KeyState][], issuers: KeysConfig['tokens']['issuers'] = []): Promise<Own> {
  const dir = testFolder(t)
  const at = (name: string): string => join(dir, name)
  for (const [name, alg, state] of keys) if (state !== 'retired') await makeKey(at(name), alg)
  return { dir, at, config: { stateDir: dir, tokens: { ttl: 300, keys: keys.map(([name, alg, state]) => ({ file: at(name), alg, state })), issuers } } }
}

function mistakesOf (result: TrustedResult): readonly string[] {
  return result.ok ? [] : result.mistakes
}

await t.test('of keys of one\'s own the active one signs, the others verify, and a retired one is not even opened', async t => {
  const { config, at, dir } = await own(t, [['old.pem', 'RS256', 'verify'], ['new.pem', 'ES256', 'active'], ['gone.pem', 'EdDSA', 'retired'], ['next.pem', 'EdDSA', 'verify']])
  await prepareKeys(config)
  t.notOk((await readdir(dir)).includes('keys'), 'no key is made that nobody asked for')
  const result = await loadTrusted(config, undefined)
  if (!result.ok) throw new Error(result.mistakes.join())
  const { ring, ours } = result.trusted
  t.strictSame(ring.states(1e9).map(({ key, state }) => [key.file, key.alg, state]), [[at('new.pem'), 'ES256', 'active'], [at('old.pem'), 'RS256', 'verify'], [at('next.pem'), 'EdDSA', 'verify']])
  t.equal(ours.size, 3)
})

await t.test('everything that is wrong with keys is said at once', async t => {
  const { config, at } = await own(t, [['a.pem', 'RS256', 'active'], ['b.pem', 'ES256', 'verify'], ['c.pem', 'EdDSA', 'verify']], [{ name: 'x', publicKey: '/nowhere.pem' }])
  await chmod(at('a.pem'), 0o644)
  await writeFile(at('b.pem'), 'secret')
  const keys = config.tokens.keys.map(key => key.file === at('c.pem') ? { ...key, file: at('none.pem') } : key)
  t.strictSame(mistakesOf(await loadTrusted({ ...config, tokens: { ...config.tokens, keys } }, undefined)), [
    `${at('a.pem')} can be read by others (mode 644): chmod 600 it`,
    `${at('b.pem')} is not an unencrypted private key in PEM`,
    `${at('none.pem')} cannot be read (ENOENT)`,
    'tokens.issuers[0]: /nowhere.pem cannot be read (ENOENT)'
  ])
})

await t.test('the key of clients\' tokens is never that of the upstream', async t => {
  const verify = await own(t, [['a.pem', 'ES256', 'active']])
  const config: KeysConfig = { stateDir: verify.dir, tokens: { ttl: 300, keys: [], issuers: [] } }
  await prepareUpstreamKey(keyFolder(config))
  const upstream = await openUpstreamKey(keyFolder(config))
  const token = join(keyFolder(config), 'token.pem')
  await copyFile(upstream.file, token)
  t.strictSame(mistakesOf(await loadTrusted(config, upstream)), [`${token} and ${upstream.file} are the same key: each use needs a key of its own`], 'in the folder')
  const theirs = { ...config, tokens: { ...config.tokens, keys: [{ file: upstream.file, alg: 'RS256' as const, state: 'active' as const }] } }
  t.match(mistakesOf(await loadTrusted(theirs, upstream)), [/are the same key/], 'nor one\'s own')
  const both = { ...verify.config, tokens: { ...verify.config.tokens, keys: [...verify.config.tokens.keys, { file: upstream.file, alg: 'RS256' as const, state: 'verify' as const }] } }
  t.match(mistakesOf(await loadTrusted(both, upstream)), [/are the same key/], 'nor one that only verifies')
  t.strictSame(mistakesOf(await loadTrusted(both, undefined)), [], 'where it is not known, nobody can say')
})

await t.test('a key has one state, and no token server has a key of ours', async t => {
  const { config, at } = await own(t, [['a.pem', 'RS256', 'active'], ['b.pem', 'RS256', 'verify']])
  await copyFile(at('a.pem'), at('b.pem'))
  t.strictSame(mistakesOf(await loadTrusted(config, undefined)), [`${at('a.pem')} and ${at('b.pem')} are the same key: each use needs a key of its own`])
  const upstream = await keyNamed('upstream')
  const key = await readSigningKey(at('a.pem'))
  for (const [name, each] of [['ours', key], ['upstream', upstream]] as const) {
    await writeFile(at('their.pem'), each.publicKey.export({ type: 'spki', format: 'pem' }))
    const tokens = { ttl: 300, keys: config.tokens.keys.slice(0, 1), issuers: [{ name: 'far', jwksUrl: 'http://127.0.0.1:9/' }, { name: 'cm', publicKey: at('their.pem') }] }
    t.strictSame(mistakesOf(await loadTrusted({ ...config, tokens }, upstream)), [`tokens.issuers[1]: the key of cm is our own, ${each.file}`], name)
  }
})

await t.test('a folder without a key is a sentence', async t => {
  const dir = testFolder(t)
  t.strictSame(mistakesOf(await loadTrusted({ stateDir: dir, tokens: { ttl: 300, keys: [], issuers: [] } }, undefined)), [`the keys in ${join(dir, 'keys')} cannot be used: ${join(dir, 'keys', 'token.pem')} is not there yet: \`serve\` and \`keys export\` make it`])
})
