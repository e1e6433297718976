import { execFileSync } from 'node:child_process'
import { generateKeyPairSync, type KeyObject } from 'node:crypto'
import * as fs from 'node:fs/promises'
import { chmod, mkdir, readdir, readFile, rm, stat, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { calculateJwkThumbprint, exportJWK } from 'jose'
import t from 'tap'
import { LEAD, openFolder, openUpstreamKey, prepareFolder, prepareUpstreamKey, rotateFolder, showTime } from '../../src/tokens/key-folder.ts'
import { readSigningKey, type SigningKey } from '../../src/tokens/keys.ts'
import { createRing } from '../../src/tokens/ring.ts'
import { testFolder } from '../helpers/folder.ts'
import { layKeys } from '../helpers/key-pool.ts'
import { builtUrl } from '../helpers/built.ts'

const modeOf = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8)
const pemOf = (key: KeyObject): string => key.export({ type: 'pkcs8', format: 'pem' }) as string

interface Keys { readonly signing: SigningKey, readonly upstream: SigningKey }

/** What a start does with the folder. */
async function opened (dir: string): Promise<Keys> {
  await prepareFolder(dir)
  await prepareUpstreamKey(dir)
  const upstream = await openUpstreamKey(dir)
  const [{ key }] = await openFolder(dir)
  return { signing: key, upstream }
}

/** A folder with two keys that a start has made. */
async function laid (t: Parameters<typeof testFolder>[0]): Promise<string> {
  const stateDir = testFolder(t)
  await layKeys(stateDir)
  return join(stateDir, 'keys')
}

async function faultOf (dir: string): Promise<string> {
  return await opened(dir).then(() => 'none', (error: Error) => error.message)
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
    const fault = await faultOf(dir)
    t.match(fault, expected, name)
    t.match(fault, /upstream\.pem/, name)
    for (const line of content.split('\n').filter(line => line !== '')) t.notOk(fault.includes(line.slice(0, 20)), name)
  }
})

await t.test('a key that others can read is refused, with what to do', async t => {
  const dir = await laid(t)
  const { signing } = await opened(dir)
  for (const mode of [0o644, 0o640, 0o604, 0o620, 0o601]) {
    await chmod(signing.file, mode)
    t.equal(await faultOf(dir), `the keys in ${dir} cannot be used: ${signing.file} can be read by others (mode ${mode.toString(8)}): chmod 600 it`)
  }
})

await t.test('a key of another user may be read by others, as a Secret of Kubernetes is, but not written', { skip: process.geteuid?.() !== 0 && 'only root can be another user' }, async t => {
  const folder = await fs.mkdtemp(join(tmpdir(), 'chartgate-'))
  const dir = join(folder, 'keys')
  t.teardown(async () => { await rm(folder, { recursive: true }) })
  await chmod(folder, 0o755)
  await layKeys(folder)
  const { signing } = await opened(dir)
  await chmod(dir, 0o755)
  const asAnother = async <T>(work: () => Promise<T>): Promise<T> => {
    process.setegid?.(4711)
    process.seteuid?.(4711)
    try {
      return await work()
    } finally {
      process.seteuid?.(0)
      process.setegid?.(0)
    }
  }
  const fault = async (): Promise<string> => await asAnother(async () => await readSigningKey(signing.file).then(() => 'none', (error: Error) => error.message))
  await fs.chown(signing.file, 0, 4711)
  for (const mode of [0o440, 0o444, 0o640, 0o644]) {
    await chmod(signing.file, mode)
    t.equal(await fault(), 'none', mode.toString(8))
  }
  for (const mode of [0o460, 0o446]) {
    await chmod(signing.file, mode)
    t.equal(await fault(), `${signing.file} can be written by others (mode ${mode.toString(8)}): chmod go-w it`)
  }
  await chmod(signing.file, 0o400)
  t.match(await fault(), /EACCES/)
  await fs.chown(signing.file, 4711, 4711)
  await chmod(signing.file, 0o440)
  t.match(await fault(), /can be read by others \(mode 440\): chmod 600 it/, 'of its own user it is as ever')
})

await t.test('keys that belong to somebody else are said to, and what to do', async t => {
  const dir = join(testFolder(t), 'keys')
  const [me, other] = [process.geteuid?.() as number, 4711]
  const denied = async (): Promise<never> => { throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', path: join(dir, 'token.pem') }) }
  const gone = async (): Promise<never> => { throw new Error('ENOENT') }
  const cases: [name: string, stat: (path: string) => Promise<unknown>, expected: string][] = [
    ['the file', async () => ({ uid: other }), `${join(dir, 'token.pem')} belongs to user ${other}, and this is user ${me}: chown it`],
    ['the folder', async path => path === dir ? { uid: other } : await gone(), `${dir} belongs to user ${other}, and this is user ${me}: chown it`],
    ['neither', async () => ({ uid: me }), 'EACCES: permission denied']
  ]
  for (const [name, stat, expected] of cases) {
    const { openFolder } = await t.mockImport<typeof import('../../src/tokens/key-folder.ts')>(builtUrl('tokens/key-folder.ts'), { 'node:fs/promises': { ...fs, readdir: denied, stat } })
    await t.rejects(openFolder(dir), { message: `the keys in ${dir} cannot be used: ${expected}` }, name)
  }
})

await t.test('a disk that is mounted read-only is said to be one, and what to do', async t => {
  const dir = join(testFolder(t), 'keys')
  const readOnly = async (): Promise<never> => { throw Object.assign(new Error('EROFS: read-only file system'), { code: 'EROFS', path: dir }) }
  const { openFolder } = await t.mockImport<typeof import('../../src/tokens/key-folder.ts')>(builtUrl('tokens/key-folder.ts'), { 'node:fs/promises': { ...fs, readdir: readOnly, mkdir: readOnly } })
  await t.rejects(openFolder(dir), { message: `the keys in ${dir} cannot be used: its disk is mounted read-only, and no key can be made there: mount one that can be written, put the keys there, or choose another stateDir` })
})

await t.test('a folder that cannot be used is one sentence with the reason', async t => {
  const dir = testFolder(t, { file: 'x', 'a-folder': { 'token.pem': {} }, dangling: { 'upstream.pem': pemOf(generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey) } })
  await chmod(join(dir, 'dangling', 'upstream.pem'), 0o600)
  await symlink(join(dir, 'nowhere', 'token.pem'), join(dir, 'dangling', 'token.pem'))
  const cases: [name: string, path: string, expected: RegExp][] = [
    ['a file in its place', join(dir, 'file'), /EEXIST/],
    ['a file above it', join(dir, 'file', 'keys'), /ENOTDIR/],
    ['a folder in the place of a key', join(dir, 'a-folder'), /EISDIR/],
    ['a link that leads nowhere', join(dir, 'dangling'), /token\.pem is not there yet/]
  ]
  for (const [name, path, expected] of cases) {
    const fault = await faultOf(path)
    t.match(fault, expected, name)
    t.ok(fault.startsWith(`the keys in ${path} cannot be used: `) && !fault.includes('\n'), name)
  }
  t.strictSame(await readdir(join(dir, 'dangling')), ['token.pem', 'upstream.pem'], 'and nothing is left behind')
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
    const { makeKey } = await t.mockImport<typeof import('../../src/tokens/keys.ts')>(builtUrl('tokens/keys.ts'), { 'node:fs/promises': { ...fs, ...changes } })
    await t.rejects(makeKey(join(dir, 'token.pem'), 'ES256'), { code }, code)
    t.strictSame(await readdir(dir), [], code)
  }
})

const NOW = Date.UTC(2026, 10, 24, 23, 55, 0) / 1000
const LIFETIME = 300

await t.test('a rotation adds a key that signs a moment later, and touches no other file', async t => {
  const dir = await laid(t)
  const { signing, upstream } = await opened(dir)
  const before = await Promise.all([signing, upstream].map(async ({ file }) => await readFile(file, 'utf8')))
  const rotated = await rotateFolder(dir, undefined, LIFETIME, NOW)
  t.match(rotated, { ok: true, since: NOW + LEAD, removed: [], key: { alg: 'RS256', file: join(dir, 'token-20261124T235503Z.pem') } })
  t.strictSame((await readdir(dir)).sort(), ['token-20261124T235503Z.pem', 'token.pem', 'upstream.pem'])
  t.equal(await modeOf(join(dir, 'token-20261124T235503Z.pem')), '600')
  t.strictSame(await Promise.all([signing, upstream].map(async ({ file }) => await readFile(file, 'utf8'))), before)
  const signers = await openFolder(dir)
  t.strictSame(signers.map(({ since, key }) => [since, key.file]).sort(), [[0, signing.file], [NOW + LEAD, join(dir, 'token-20261124T235503Z.pem')]])
  const ring = createRing(signers, [], LIFETIME)
  t.equal(ring.signing(NOW + LEAD - 1).kid, signing.kid)
  t.equal(ring.signing(NOW + LEAD).kid, rotated.ok && rotated.key.kid)
})

await t.test('the next rotations keep the algorithm, change it when told, and remove what is retired', async t => {
  const dir = await laid(t)
  const { signing } = await opened(dir)
  const first = await rotateFolder(dir, 'ES256', LIFETIME, NOW)
  t.match(first, { ok: true, key: { alg: 'ES256' } })
  t.match(await rotateFolder(dir, undefined, LIFETIME, NOW + LEAD - 1), { ok: false, message: `a rotation is under way: ${join(dir, 'token-20261124T235503Z.pem')} signs from ${showTime(NOW + LEAD)} on` })
  const soon = await rotateFolder(dir, undefined, LIFETIME, NOW + LEAD)
  t.match(soon, { ok: true, key: { alg: 'ES256' }, removed: [] }, 'a key whose tokens may be there still is kept')
  const later = await rotateFolder(dir, 'EdDSA', LIFETIME, NOW + 10_000)
  t.match(later, { ok: true, key: { alg: 'EdDSA' }, removed: [signing.file, join(dir, 'token-20261124T235503Z.pem')] })
  t.strictSame((await readdir(dir)).sort(), ['token-20261124T235506Z.pem', 'token-20261125T024143Z.pem', 'upstream.pem'])
  t.strictSame((await openFolder(dir)).map(({ key }) => key.alg).sort(), ['ES256', 'EdDSA'])
})

await t.test('of two rotations at the same moment one says that there is another', async t => {
  const dir = join(testFolder(t), 'keys')
  await prepareFolder(dir)
  const outcomes = await Promise.allSettled([1, 2].map(async () => await rotateFolder(dir, 'EdDSA', LIFETIME, NOW)))
  t.equal((await readdir(dir)).length, 2)
  const lost = outcomes.flatMap(each => each.status === 'rejected' ? [(each.reason as Error).message] : each.value.ok ? [] : [each.value.message])
  t.match(lost, [/another rotation is under way|a rotation is under way/])
})

await t.test('a folder that has seen rotations needs no token.pem, and names that are no time mean nothing', async t => {
  const dir = join(testFolder(t), 'keys')
  await prepareFolder(dir)
  const rotated = await rotateFolder(dir, 'EdDSA', LIFETIME, NOW)
  await rm(join(dir, 'token.pem'))
  for (const name of ['token-.pem', 'token-new.pem', 'token-20269924T235503Z.pem', 'token.pem.0123.tmp', 'Token.pem', 'notes.txt']) await fs.writeFile(join(dir, name), 'x')
  const { signing } = await opened(dir)
  t.equal(signing.kid, rotated.ok && rotated.key.kid)
  t.equal((await readdir(dir)).includes('token.pem'), false)
})

await t.test('what is exported opens with openssl as the same key', { skip: hasOpenssl() ? false : 'no openssl here' }, async t => {
  const { upstream } = await opened(await laid(t))
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
