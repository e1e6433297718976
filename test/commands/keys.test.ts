import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { readdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { command, type CommandResult } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'

async function keys (stateDir: string, ...argv: string[]): Promise<CommandResult> {
  return await command(['keys', ...argv], { CHARTGATE_STATE_DIR: stateDir })
}

await t.test('keys list makes no keys, and shows those that keys export made', async t => {
  const dir = testFolder(t)
  t.match(await keys(dir, 'list'), { code: 1, out: '', err: /^chartgate: the keys in \S+ cannot be used: \S+token\.pem is not there yet: `serve` and `keys export` make it\n$/ })
  t.same(await readdir(dir), [])
  const exported = await keys(dir, 'export')
  t.equal(createPublicKey(exported.out).asymmetricKeyType, 'rsa')
  const listed = await keys(dir, 'list')
  t.match(listed, { code: 0, err: '', out: /^USE +ALG +KID +FILE\ntokens +RS256 +\S{43} \S+token\.pem\nupstream +RS256 +\S{43} \S+upstream\.pem\n$/ })
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
