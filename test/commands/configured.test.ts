// check: what is wrong with what somebody wrote, and, asked for it, with what it names.
import { createPublicKey } from 'node:crypto'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { makeKey } from '../../src/tokens/keys.ts'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { freePorts } from '../helpers/processes.ts'
import { EMPTY_INDEX, startStubUpstream } from '../helpers/stub-upstream.ts'

const NOT_FOUND = { status: 404, body: '{"error":"object not found"}' }

await t.test('check --upstream says whether the chart repository answers, which it is, and whether it is open', async t => {
  const stub = await startStubUpstream(t)
  const env = { CHARTGATE_MASTER_KEY: 'a-key-of-sixteen-characters', CHARTGATE_STATE_DIR: testFolder(t), CHARTGATE_UPSTREAM_URL: stub.origin, CHARTGATE_UPSTREAM_AUTH: 'basic', CHARTGATE_UPSTREAM_USERNAME: 'u', CHARTGATE_UPSTREAM_PASSWORD: 'p' }
  const pages = (more: Record<string, string>) => ({ target }: { target: string }) => more[target] === undefined ? NOT_FOUND : { body: more[target] }
  stub.answer = pages({ '/info': '{"version":"0.16.5"}' })
  t.match(await command(['check', '--upstream'], env), { code: 0, err: '', out: new RegExp(`^configuration is valid: .*\\nthe chart repository at ${stub.origin} answers as it is configured: ChartMuseum 0\\.16\\.5\\n$`) })
  stub.answer = pages({ '/nobody/nobody/index.yaml': EMPTY_INDEX })
  t.match(await command(['check', '--upstream'], env), {
    code: 0,
    out: /ChartMuseum \(it does not say its version\)\n$/,
    err: `chartgate: warning: ${stub.origin} gives a tenant's index to whoever asks, without a credential: run ChartMuseum with --bearer-auth or --basic-auth-user, without --auth-anonymous-get, or see that nobody but chartgate can reach it\n`
  })
  stub.answer = () => ({ status: 401 })
  t.match(await command(['check', '--upstream'], env), { code: 1, out: /^configuration is valid: [^\n]*\n$/, err: /^chartgate: the chart repository does not accept the gateway \(401\): are upstream\.username/ })
  const [nobody] = await freePorts(1)
  t.match(await command(['check', '--upstream'], { ...env, CHARTGATE_UPSTREAM_URL: `http://127.0.0.1:${nobody}` }), { code: 1, err: /cannot be reached \(ECONNREFUSED\)/ })
})

await t.test('check --upstream makes no key: with bearer there has to be one', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => NOT_FOUND
  const env = { CHARTGATE_MASTER_KEY: 'a-key-of-sixteen-characters', CHARTGATE_STATE_DIR: testFolder(t), CHARTGATE_UPSTREAM_URL: stub.origin }
  t.match(await command(['check', '--upstream'], env), { code: 1, err: /upstream\.pem is not there yet: `serve` and `keys export` make it\n$/ })
  t.match(await command(['keys', 'export'], env), { code: 0 })
  t.match(await command(['check', '--upstream'], env), { code: 0, out: /answers as it is configured/ })
  t.match(stub.seen[0]?.headers.authorization, /^Bearer eyJ/)
})

await t.test('check --upstream needs an upstream, and what else is asked for is done all the same', async t => {
  const env = { CHARTGATE_MASTER_KEY: 'a-key-of-sixteen-characters', CHARTGATE_STATE_DIR: testFolder(t) }
  t.match(await command(['check', '--upstream', '--charts'], env), { code: 1, out: /\n0 charts, 0 files in no index\n$/, err: 'chartgate: there is no upstream.url, and the embedded repository needs no such check\n' })
  t.match(await command(['serve', '--upstream'], env), { code: 2, err: /^chartgate: serve takes no --upstream\n/ })
})

await t.test('check warns of who is kept out, and of a key set with no key that verifies', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: '{"keys":[]}' })
  const digest = (digit: string): string => `sha256:${digit.repeat(64)}`
  const dir = testFolder(t, {
    'c.yaml': `accounts: { files: [a.yaml] }\ntokens: { issuers: [{ name: corp, jwksUrl: "${stub.origin}/keys" }] }\npolicy: [{ repositories: ["**"], subjects: ["group:none"], actions: [pull] }]\n`,
    'a.yaml': `robots: [{ name: ci, secrets: [{ hash: "${digest('0')}", expires: 2026-01-01 }] }]\n`,
    'nobody.yaml': 'masterKey: ""\n'
  })
  t.match(await command(['check', '--config', join(dir, 'c.yaml')]), {
    code: 0,
    err: [
      `chartgate: warning: ${dir}/c.yaml:3: policy[0]: the subject group:none is in no accounts file\n`,
      `chartgate: warning: ${dir}/a.yaml:1:10: a secret of the robot ci ended at 2026-01-01T00:00:00Z: take it out, or give the robot a new one\n`,
      `chartgate: warning: tokens.issuers[0]: no key that verifies is to be had of corp now, at "${stub.origin}/keys"\n`
    ].join('')
  })
  t.match(await command(['check', '--config', join(dir, 'nobody.yaml')]), { code: 0, err: /^chartgate: warning: nobody has any right: / })
})

await t.test('a file in the working directory that others can write is said, and not read', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'lisen: 1\n' })
  const before = process.cwd()
  t.teardown(() => { process.chdir(before) })
  process.chdir(dir)
  await chmod('chartgate.yaml', 0o666)
  t.match(await command(['check']), { code: 0, out: /; no configuration file: defaults\n$/, err: /^chartgate: warning: \S+chartgate\.yaml is passed over: others can write it \(mode 666\): chmod go-w it, or name it with --config\n/ })
  await chmod('chartgate.yaml', 0o644)
  t.match(await command(['check']), { code: 1, err: /^chartgate: \S+chartgate\.yaml:1:1: lisen: unknown key/ })
})

await t.test('an upstream key of one\'s own is exported, listed and checked, and none is made', async t => {
  const dir = testFolder(t, { 'c.yaml': 'upstream: { key: { file: shared.pem } }\nmasterKey: a-key-of-sixteen-characters\nstateDir: state\n' })
  const argv = ['--config', join(dir, 'c.yaml')]
  for (const [name, err] of [[['check'], /shared\.pem cannot be read \(ENOENT\)/], [['keys', 'export'], /shared\.pem cannot be read \(ENOENT\)/]] as const) t.match(await command([...name, ...argv]), { code: 1, out: '', err }, name.join(' '))
  await makeKey(join(dir, 'shared.pem'), 'ES256')
  t.match(await command(['check', ...argv]), { code: 1, err: /shared\.pem is not an RSA key of at least 2048 bits/ })
  await chmod(join(dir, 'shared.pem'), 0o000)
  await makeKey(join(dir, 'rsa.pem'), 'RS256')
  const env = { CHARTGATE_UPSTREAM_KEY_FILE: 'rsa.pem' }
  t.match(await command(['check', ...argv], env), { code: 0, err: '' })
  const exported = await command(['keys', 'export', ...argv], env)
  t.match(exported, { code: 0, out: /^-----BEGIN PUBLIC KEY-----/ })
  t.equal((await command(['keys', 'export', ...argv], env)).out, exported.out)
  t.match(await command(['keys', 'list', ...argv], env), { code: 0, out: /\nupstream +active +RS256 +- +\S{43} +\S+rsa\.pem\n$/ })
})

await t.test('with keys of one\'s own for everything check reads all of them, and keys export needs no folder of keys', async t => {
  const dir = testFolder(t, { 'c.yaml': 'upstream: { key: { file: shared.pem } }\nmasterKey: a-key-of-sixteen-characters\nstateDir: state\ntokens: { keys: [{ file: mine.pem, alg: ES256, state: active }], issuers: [{ name: cm, publicKey: theirs.pem }] }\n' })
  const argv = ['--config', join(dir, 'c.yaml')]
  await makeKey(join(dir, 'mine.pem'), 'ES256')
  await makeKey(join(dir, 'theirs.key'), 'ES256')
  await writeFile(join(dir, 'theirs.pem'), createPublicKey(await readFile(join(dir, 'theirs.key'))).export({ type: 'spki', format: 'pem' }))
  t.match(await command(['check', ...argv]), { code: 1, out: '', err: /^chartgate: \S+shared\.pem cannot be read \(ENOENT\)\n$/ })
  await makeKey(join(dir, 'shared.pem'), 'RS256')
  t.match(await command(['check', ...argv]), { code: 0, err: '' })
  t.match(await command(['keys', 'export', ...argv, '--out', join(dir, 'public.pem')]), { code: 0, err: /public\.pem is the public upstream key/ })
  t.match(await readFile(join(dir, 'public.pem'), 'utf8'), /^-----BEGIN PUBLIC KEY-----/)
})
