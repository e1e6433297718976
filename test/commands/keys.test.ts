// The commands about keys, as a person types them.
import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { chmod, readdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeKey } from '../../src/tokens/keys.ts'
import { command, type CommandResult } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { until } from '../helpers/until.ts'

async function keys (stateDir: string, ...argv: string[]): Promise<CommandResult> {
  return await command(['keys', ...argv], { CHARTGATE_STATE_DIR: stateDir })
}

const pem = async (dir: string, name: string): Promise<string> => await readFile(join(dir, 'keys', name), 'utf8')

await t.test('rotate makes a key, waits until it signs, and leaves the upstream key alone', async t => {
  const dir = testFolder(t)
  const env = { CHARTGATE_STATE_DIR: dir }
  t.match(await command(['keys', 'export'], env), { code: 0 })
  const before = await Promise.all(['token.pem', 'upstream.pem'].map(async name => await pem(dir, name)))
  const [rotated, second] = await Promise.all([
    command(['keys', 'rotate'], env),
    until(async () => (await readdir(join(dir, 'keys'))).find(name => name.startsWith('token-'))).then(async () => await command(['keys', 'rotate'], env))
  ])
  t.match(rotated, { code: 0, err: '', out: /^\S+token-\d{8}T\d{6}Z\.pem \(RS256, \S{43}\) is made and published\nit signs since \d{4}-\S+Z; \S+token\.pem is verified until \d{4}-\S+Z, and retired then\n$/ })
  t.match(second, { code: 1, out: '', err: /^chartgate: a rotation is under way: \S+ signs from \S+Z on\n$/ }, 'one at a time')
  t.match(await command(['keys', 'list'], env), { code: 0, out: /^USE .*\ntokens +active +RS256 +\d{4}-\S+Z +\S{43} +\S+token-\S+\.pem\ntokens +verify +RS256 +- +\S{43} +\S+token\.pem\nupstream +active +RS256 +- +\S{43} +\S+upstream\.pem\n$/ }, 'the new one signs when the command ends')
  t.match(JSON.parse((await command(['keys', 'list', '--json'], env)).out), [
    { use: 'tokens', state: 'active', alg: 'RS256', since: /^\d{4}-\S+Z$/, kid: /^\S{43}$/, file: /token-\S+\.pem$/ },
    { use: 'tokens', state: 'verify', since: null, file: /token\.pem$/ },
    { use: 'upstream', state: 'active', file: /upstream\.pem$/ }
  ])
  t.strictSame(await Promise.all(['token.pem', 'upstream.pem'].map(async name => await pem(dir, name))), before)
})

await t.test('rotate changes the algorithm, and removes what is retired', async t => {
  const dir = testFolder(t)
  const env = { CHARTGATE_STATE_DIR: dir }
  await command(['keys', 'export'], env)
  await makeKey(join(dir, 'keys', 'token-20200101T000000Z.pem'), 'ES256')
  t.match(await command(['keys', 'rotate', '--alg', 'EdDSA'], env), { code: 0, out: /^\S+ \(EdDSA, \S+\) is made and published\n\S+token\.pem was retired, and is removed\nit signs since .*; \S+token-20200101T000000Z\.pem is verified until/ })
  t.match((await readdir(join(dir, 'keys'))).sort(), ['token-20200101T000000Z.pem', /^token-20[^0]/, 'upstream.pem'])
})

await t.test('an algorithm that is none of ours is wrong usage', async t => {
  for (const alg of ['HS256', 'rs256', 'none', '']) t.match(await command(['keys', 'rotate', '--alg', alg]), { code: 2, err: /is no algorithm for tokens: RS256, ES256, EdDSA/ }, alg)
})

await t.test('with keys of one\'s own the steps are told, and nothing is touched', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'tokens: { ttl: 10m, keys: [{ file: old.pem, alg: RS256, state: verify }, { file: mine.pem, alg: ES256, state: active }] }' })
  await makeKey(join(dir, 'old.pem'), 'RS256')
  await makeKey(join(dir, 'mine.pem'), 'ES256')
  const argv = ['--config', join(dir, 'chartgate.yaml')]
  const told = await command(['keys', 'rotate', ...argv])
  t.match(told, { code: 1, out: '', err: /^chartgate: tokens\.keys names keys of your own/ })
  t.match(told.err, `state: verify for ${join(dir, 'mine.pem')}`)
  t.match(told.err, '660 s later')
  await command(['keys', 'export', ...argv])
  t.match(await command(['keys', 'list', ...argv]), { code: 0, out: /^USE .*\ntokens +active +ES256 +- +\S{43} +\S+mine\.pem\ntokens +verify +RS256 +- +\S{43} +\S+old\.pem\nupstream/ })
  t.strictSame(await readdir(join(dir, 'data', 'keys')), ['upstream.pem'], 'no key for tokens is made beside them')
})

await t.test('check, list, export and serve say what is wrong with keys, each on a line', async t => {
  const dir = await temporaryFolder(t)
  await writeFile(join(dir, 'chartgate.yaml'), 'tokens: { keys: [{ file: mine.pem, alg: ES256, state: active }], issuers: [{ name: cm, publicKey: none.pem }] }')
  await makeKey(join(dir, 'mine.pem'), 'RS256')
  const argv = ['--config', join(dir, 'chartgate.yaml')]
  for (const name of [['check'], ['keys', 'export'], ['keys', 'list'], ['serve']]) {
    t.match(await command([...name, ...argv]), { code: 1, out: '', err: `chartgate: ${join(dir, 'mine.pem')} is not an EC key on the curve P-256\nchartgate: tokens.issuers[0]: ${join(dir, 'none.pem')} cannot be read (ENOENT)\n` }, name.join(' '))
  }
  await writeFile(join(dir, 'chartgate.yaml'), 'tokens: { issuers: [{ name: cm, publicKey: none.pem }] }')
  t.match(await command(['check', ...argv]), { code: 1, err: `chartgate: tokens.issuers[0]: ${join(dir, 'none.pem')} cannot be read (ENOENT)\n` })
})

await t.test('a rotation that cannot be written says so', async t => {
  const dir = testFolder(t)
  const env = { CHARTGATE_STATE_DIR: dir }
  await command(['keys', 'export'], env)
  await chmod(join(dir, 'keys', 'token.pem'), 0o644)
  t.match(await command(['keys', 'rotate'], env), { code: 1, out: '', err: /^chartgate: the keys in \S+ cannot be used: \S+token\.pem can be read by others \(mode 644\): chmod 600 it\n$/ })
})

await t.test('keys list makes no keys, and shows those that keys export made', async t => {
  const dir = testFolder(t)
  t.match(await keys(dir, 'list'), { code: 1, out: '', err: /^chartgate: the keys in \S+ cannot be used: \S+upstream\.pem is not there yet: `serve` and `keys export` make it\n$/ })
  t.same(await readdir(dir), [])
  const exported = await keys(dir, 'export')
  t.equal(createPublicKey(exported.out).asymmetricKeyType, 'rsa')
  const listed = await keys(dir, 'list')
  t.match(listed, { code: 0, err: '', out: /^USE +STATE +ALG +SINCE +KID +FILE\ntokens +active +RS256 +- +\S{43} +\S+token\.pem\nupstream +active +RS256 +- +\S{43} +\S+upstream\.pem\n$/ })
  t.notMatch(listed.out, 'PRIVATE')
})

await t.test('keys export writes the public key into a file, and says so where it is in nobody\'s way', async t => {
  const dir = testFolder(t, { empty: '', folder: {} })
  const { out: pem } = await keys(dir, 'export')
  for (const name of ['new.pem', 'new.pem', 'empty']) {
    const out = join(dir, name)
    t.same(await keys(dir, 'export', '--out', out), { code: 0, out: '', err: `chartgate: ${out} is the public upstream key, for ChartMuseum's AUTH_CERT_PATH\n` })
    t.equal(await readFile(out, 'utf8'), pem)
  }
  for (const name of ['folder', 'none/x.pem']) t.match(await keys(dir, 'export', '--out', join(dir, name)), { code: 1, out: '', err: /^chartgate: \S+ cannot be written: [^\n]+\n$/ }, name)
})

await t.test('keys export writes over nothing but a public key, and never where the private ones are', async t => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const dir = testFolder(t, { 'private.pem': privateKey.export({ type: 'pkcs8', format: 'pem' }) as string, 'chartgate.yaml': 'listen: {}' })
  await keys(dir, 'export')
  await symlink('keys', join(dir, 'link'))
  await symlink('keys/token.pem', join(dir, 'link.pem'))
  const before = await Promise.all(['private.pem', 'chartgate.yaml', 'keys/token.pem', 'keys/upstream.pem'].map(async name => await readFile(join(dir, name), 'utf8')))
  for (const name of ['private.pem', 'chartgate.yaml', 'link.pem']) {
    t.match(await keys(dir, 'export', '--out', join(dir, name)), { code: 1, out: '', err: `chartgate: ${join(dir, name)} holds something else than a public key, and is not written over` }, name)
  }
  for (const name of ['keys/upstream.pem', 'keys/upstream.pub.pem', 'link/token.pem']) {
    t.match(await keys(dir, 'export', '--out', join(dir, name)), { code: 1, out: '', err: `chartgate: ${join(dir, name)} is in the folder of the private keys` }, name)
  }
  t.same(await Promise.all(['private.pem', 'chartgate.yaml', 'keys/token.pem', 'keys/upstream.pem'].map(async name => await readFile(join(dir, name), 'utf8'))), before)
  t.same((await readdir(join(dir, 'keys'))).sort(), ['token.pem', 'upstream.pem'])
})
