import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { chmod, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import t from 'tap'
import { openKeyStore, type KeyStore } from '../../src/tokens/keys.ts'
import { testFolder } from '../helpers/folder.ts'

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)
const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

async function opened (dir: string): Promise<KeyStore> {
  const result = await openKeyStore(dir)
  if (!result.ok) throw new Error(result.message)
  return result.keys
}

await t.test('the first start makes two keys that only this user can read', async t => {
  const dir = join(testFolder(t), 'state', 'keys')
  const before = process.umask(0)
  t.teardown(() => { process.umask(before) })
  const keys = await opened(dir)
  t.strictSame((await readdir(dir)).sort(), ['token.pem', 'upstream.pem'])
  t.strictSame([await modeOf(dir), await modeOf(keys.signing.file), await modeOf(keys.upstream.file)], ['700', '600', '600'])
  t.strictSame([keys.signing.file, keys.upstream.file], [join(dir, 'token.pem'), join(dir, 'upstream.pem')])
  t.not(keys.signing.kid, keys.upstream.kid)
  for (const key of [keys.signing, keys.upstream]) {
    t.equal(key.alg, 'RS256')
    t.equal(key.kid, await calculateJwkThumbprint(await exportJWK(key.publicKey), 'sha256'))
    t.equal(key.privateKey.asymmetricKeyDetails?.modulusLength, 2048)
    t.match(await readFile(key.file, 'utf8'), /^-----BEGIN PRIVATE KEY-----\n/)
  }
})

await t.test('a narrow umask takes nothing from their owner', async t => {
  const dir = join(testFolder(t), 'keys')
  const before = process.umask(0o077)
  t.teardown(() => { process.umask(before) })
  const keys = await opened(dir)
  t.equal(await modeOf(keys.signing.file), '600')
})

await t.test('later starts find the same keys, and a lost one alone is made again', async t => {
  const dir = join(testFolder(t), 'keys')
  const first = await opened(dir)
  const second = await opened(dir)
  t.strictSame([second.signing.kid, second.upstream.kid], [first.signing.kid, first.upstream.kid])
  await rm(first.signing.file)
  const third = await opened(dir)
  t.not(third.signing.kid, first.signing.kid)
  t.equal(third.upstream.kid, first.upstream.kid)
})

await t.test('processes that start together agree on the keys, and leave nothing behind', async t => {
  const dir = join(testFolder(t), 'keys')
  const all = await Promise.all(Array.from({ length: 3 }, async () => await opened(dir)))
  t.equal(new Set(all.map(keys => keys.signing.kid)).size, 1)
  t.equal(new Set(all.map(keys => keys.upstream.kid)).size, 1)
  t.strictSame((await readdir(dir)).sort(), ['token.pem', 'upstream.pem'])
})

await t.test('what is published is the public half of the key for clients, and nothing else', async t => {
  const keys = await opened(join(testFolder(t), 'keys'))
  const { n, e } = await exportJWK(keys.signing.publicKey)
  t.strictSame(keys.jwks(), { keys: [{ kty: 'RSA', n, e, kid: keys.signing.kid, alg: 'RS256', use: 'sig' }] })
})

await t.test('keys that others made are taken when they are as good', async t => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 })
  for (const type of ['pkcs1', 'pkcs8'] as const) {
    const dir = testFolder(t, { 'token.pem': privateKey.export({ type, format: 'pem' }) as string })
    await chmod(join(dir, 'token.pem'), 0o400)
    t.equal((await opened(dir)).signing.privateKey.asymmetricKeyDetails?.modulusLength, 3072, type)
  }
})

await t.test('a key file that cannot be used is one sentence with its name, and none of its bytes', async t => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const encrypted = rsa.privateKey.export({ type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' }) as string
  const cases: [name: string, content: string, expected: RegExp][] = [
    ['empty', '', /not an unencrypted private key in PEM/],
    ['text', 'bytes that nobody should see', /not an unencrypted private key in PEM/],
    ['an encrypted key', encrypted, /not an unencrypted private key in PEM/],
    ['a public key', rsa.publicKey.export({ type: 'spki', format: 'pem' }) as string, /not an unencrypted private key in PEM/],
    ['half a key', pemOf(rsa.privateKey).slice(0, 800), /not an unencrypted private key in PEM/],
    ['a JWK', JSON.stringify(rsa.privateKey.export({ format: 'jwk' })), /not an unencrypted private key in PEM/],
    ['a short RSA key', pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }).privateKey), /not an RSA key of at least 2048 bits/],
    ['an RSA-PSS key', pemOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 }).privateKey), /not an RSA key of at least 2048 bits/],
    ['an EC key', pemOf(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), /not an RSA key of at least 2048 bits/],
    ['an Ed25519 key', pemOf(generateKeyPairSync('ed25519').privateKey), /not an RSA key of at least 2048 bits/]
  ]
  for (const [name, content, expected] of cases) {
    const dir = testFolder(t, { 'upstream.pem': content })
    await chmod(join(dir, 'upstream.pem'), 0o600)
    const result = await openKeyStore(dir)
    t.match(result, { ok: false, message: expected }, name)
    t.match(result, { message: /upstream\.pem/ }, name)
    for (const line of content.split('\n').filter(line => line !== '')) t.notOk(JSON.stringify(result).includes(line.slice(0, 20)), name)
  }
})

await t.test('a key that others can read is refused, with what to do', async t => {
  const dir = join(testFolder(t), 'keys')
  const { signing } = await opened(dir)
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o601]) {
    await chmod(signing.file, mode)
    t.match(await openKeyStore(dir), { ok: false, message: `${signing.file} can be read by others (mode ${mode.toString(8)}): chmod 600 it` })
  }
})

await t.test('one key for clients and upstream is refused: the upstream would take the tokens of clients', async t => {
  const dir = join(testFolder(t), 'keys')
  const { signing, upstream } = await opened(dir)
  await fs.copyFile(signing.file, upstream.file)
  t.match(await openKeyStore(dir), { ok: false, message: `${signing.file} and ${upstream.file} are the same key` })
})

await t.test('keys that belong to somebody else are said to, and what to do', async t => {
  const dir = join(testFolder(t), 'keys')
  const { signing } = await opened(dir)
  const [me, other] = [process.geteuid?.() as number, 4711]
  const denied = async (path: string): Promise<never> => { throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', path }) }
  const missing = async (): Promise<never> => { throw new Error('ENOENT') }
  const cases: [name: string, stat: (path: string) => Promise<unknown>, expected: string][] = [
    ['the file', async () => ({ uid: other }), `${signing.file} belongs to user ${other}, and this is user ${me}: chown it`],
    ['the folder', async path => path === dir ? { uid: other } : await missing(), `${dir} belongs to user ${other}, and this is user ${me}: chown it`],
    ['neither', async () => ({ uid: me }), 'EACCES: permission denied']
  ]
  for (const [name, stat, expected] of cases) {
    const { openKeyStore } = await t.mockImport<typeof import('../../src/tokens/keys.ts')>('../../src/tokens/keys.ts', { 'node:fs/promises': { ...fs, readFile: denied, stat } })
    t.match(await openKeyStore(dir), { ok: false, message: `the keys in ${dir} cannot be used: ${expected}` }, name)
  }
})

await t.test('a folder that cannot be used is one sentence with the reason', async t => {
  const dir = testFolder(t, { file: 'x', 'a-folder': { 'token.pem': {} }, dangling: {} })
  await symlink(join(dir, 'nowhere', 'token.pem'), join(dir, 'dangling', 'token.pem'))
  const cases: [name: string, path: string, expected: RegExp][] = [
    ['a file in its place', join(dir, 'file'), /EEXIST/],
    ['a file above it', join(dir, 'file', 'keys'), /ENOTDIR/],
    ['a folder in the place of a key', join(dir, 'a-folder'), /EISDIR/],
    ['a link that leads nowhere', join(dir, 'dangling'), /ENOENT/]
  ]
  for (const [name, path, expected] of cases) {
    const result = await openKeyStore(path)
    t.match(result, { ok: false, message: expected }, name)
    t.ok(!result.ok && result.message.startsWith(`the keys in ${path} cannot be used: `) && !result.message.includes('\n'), name)
  }
  t.strictSame(await readdir(join(dir, 'dangling')), ['token.pem'], 'and nothing is left behind')
})

await t.test('a disk that fails while a key is written leaves no part of it', async t => {
  const failing = (code: string) => async (): Promise<never> => { throw Object.assign(new Error(`${code}: the disk says no`), { code }) }
  const broken: [name: string, changes: Partial<typeof fs>][] = [
    ['ENOSPC', {
      open: (async (path: string, flags: string, mode: number) => {
        const handle = await fs.open(path, flags, mode)
        handle.sync = failing('ENOSPC')
        return handle
      }) as typeof fs.open
    }],
    ['EPERM', { link: failing('EPERM') }],
    ['EIO', { chmod: failing('EIO') }]
  ]
  for (const [code, changes] of broken) {
    const dir = join(testFolder(t), code)
    await mkdir(dir)
    const { openKeyStore } = await t.mockImport<typeof import('../../src/tokens/keys.ts')>('../../src/tokens/keys.ts', { 'node:fs/promises': { ...fs, ...changes } })
    t.match(await openKeyStore(dir), { ok: false, message: new RegExp(code) }, code)
    t.strictSame(await readdir(dir), [], code)
  }
})

await t.test('what is exported opens with openssl as the same key', { skip: hasOpenssl() ? false : 'no openssl here' }, async t => {
  const { upstream } = await opened(join(testFolder(t), 'keys'))
  const publicPem = upstream.publicKey.export({ type: 'spki', format: 'pem' }) as string
  t.equal(execFileSync('openssl', ['pkey', '-in', upstream.file, '-pubout'], { encoding: 'utf8' }), publicPem)
})

function hasOpenssl (): boolean {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}
