import { chmodSync, chownSync, lstatSync, mkdirSync, readFileSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { rewriteFile, type NewText } from '../../src/files/rewrite.ts'
import { testFolder } from '../helpers/folder.ts'
import { mountDisk, NO_DISK } from '../helpers/read-only.ts'

const ROOT_USER = process.getuid?.() === 0 ? false : 'only root may do this'
const to = (text: string) => async (): Promise<NewText> => ({ ok: true, text })

await t.test('a file is exchanged whole, with its mode, and nothing else is left', async t => {
  const dir = testFolder(t, { 'a.yaml': 'old' })
  const file = join(dir, 'a.yaml')
  chmodSync(file, 0o640)
  const { ino } = statSync(file)
  t.strictSame(await rewriteFile(file, async text => ({ ok: true, text: `${text}, new` })), { ok: true })
  t.equal(readFileSync(file, 'utf8'), 'old, new')
  t.equal(statSync(file).mode & 0o777, 0o640)
  t.not(statSync(file).ino, ino, 'another file has its name')
  t.strictSame(readdirSync(dir), ['a.yaml'])
  const before = statSync(file)
  t.strictSame(await rewriteFile(file, to('old, new')), { ok: true })
  t.equal(statSync(file).ino, before.ino, 'the same text is not written')
  writeFileSync(`${file}.new`, 'of a command that was ended')
  t.strictSame(await rewriteFile(file, to('x')), { ok: true })
  t.strictSame([readFileSync(file, 'utf8'), readdirSync(dir)], ['x', ['a.yaml']])
})

await t.test('a file that is missing is made, for its owner alone', async t => {
  const dir = testFolder(t)
  const file = join(dir, 'a.yaml')
  t.strictSame(await rewriteFile(file, async text => ({ ok: true, text: String(text) })), { ok: true })
  t.strictSame([readFileSync(file, 'utf8'), statSync(file).mode & 0o777], ['undefined', 0o600])
})

await t.test('the owner stays', { skip: ROOT_USER }, async t => {
  const file = join(testFolder(t, { 'a.yaml': 'old' }), 'a.yaml')
  chownSync(file, 1234, 2345)
  t.strictSame(await rewriteFile(file, to('new')), { ok: true })
  t.match(statSync(file), { uid: 1234, gid: 2345 })
})

await t.test('a link leads to the file that is changed', async t => {
  const dir = testFolder(t, { real: { 'a.yaml': 'old' } })
  symlinkSync('real/a.yaml', join(dir, 'link.yaml'))
  t.strictSame(await rewriteFile(join(dir, 'link.yaml'), to('new')), { ok: true })
  t.ok(lstatSync(join(dir, 'link.yaml')).isSymbolicLink())
  t.equal(readFileSync(join(dir, 'real/a.yaml'), 'utf8'), 'new')
  t.strictSame(readdirSync(dir).sort(), ['link.yaml', 'real'])
})

await t.test('two at once lose nothing, and who writes without asking is noticed', async t => {
  const file = join(testFolder(t, { 'a.yaml': '' }), 'a.yaml')
  await Promise.all(Array.from({ length: 10 }, async (_, i) => { await rewriteFile(file, async text => ({ ok: true, text: `${text}${i}` })) }))
  t.equal([...readFileSync(file, 'utf8')].sort().join(''), '0123456789')
  let calls = 0
  t.strictSame(await rewriteFile(file, async text => {
    if (++calls === 1) writeFileSync(file, 'by an editor')
    return { ok: true, text: `${text}, and by a command` }
  }), { ok: true })
  t.strictSame([calls, readFileSync(file, 'utf8')], [2, 'by an editor, and by a command'])
  t.match(await rewriteFile(file, async () => {
    writeFileSync(file, `again ${calls++}`)
    return { ok: true, text: 'x' }
  }), { ok: false, mistakes: [/a\.yaml is not changed: somebody else writes it all the time$/] })
  t.match(readFileSync(file, 'utf8'), /^again/)
  t.strictSame(readdirSync(join(file, '..')), ['a.yaml'])
})

await t.test('what hinders it is said, and the file stays as it was', async t => {
  const dir = testFolder(t, { 'a.yaml': 'old', latin: Buffer.from('sch\xf6n', 'latin1'), folder: {}, '..2026_11_28': { 'k.yaml': 'old' } })
  symlinkSync('..2026_11_28', join(dir, '..data'))
  symlinkSync('..data/k.yaml', join(dir, 'k.yaml'))
  symlinkSync('nowhere', join(dir, 'dangling.yaml'))
  writeFileSync(join(dir, 'locked.yaml'), 'old')
  writeFileSync(join(dir, 'locked.yaml.lock'), '1 elsewhere x\n')
  const cases: [file: string, mistake: RegExp][] = [
    ['latin', /latin is no UTF-8$/],
    ['folder', /folder cannot be changed: EISDIR/],
    ['k.yaml', /k\.yaml, which is \S+\/\.\.2026_11_28\/k\.yaml, is in a Kubernetes volume, which follows a Secret or ConfigMap: change that$/],
    ['dangling.yaml', /dangling\.yaml cannot be changed: ENOENT/],
    ['none/a.yaml', /none\/a\.yaml cannot be changed: ENOENT/],
    ['locked.yaml', /locked\.yaml is not changed: process 1 on elsewhere changes the file/]
  ]
  for (const [file, mistake] of cases) t.match(await rewriteFile(join(dir, file), to('new'), { wait: 30, stale: 60_000 }), { ok: false, mistakes: [mistake] }, file)
  t.strictSame(await rewriteFile(join(dir, 'a.yaml'), async () => ({ ok: false, mistakes: ['no'] })), { ok: false, mistakes: ['no'] })
  t.equal(readFileSync(join(dir, 'a.yaml'), 'utf8'), 'old')
})

await t.test('another user may neither write into the folder nor give a file away', { skip: ROOT_USER }, async t => {
  const dir = testFolder(t, { 'a.yaml': 'old', shut: { 'a.yaml': 'old' } })
  mkdirSync(join(dir, 'open'))
  writeFileSync(join(dir, 'open/a.yaml'), 'old')
  for (const [name, mode] of [['shut', 0o755], ['open', 0o777]] as const) chmodSync(join(dir, name), mode)
  const seteuid = process.seteuid as (id: number) => void
  seteuid(1234)
  try {
    t.match(await rewriteFile(join(dir, 'shut/a.yaml'), to('new')), { ok: false, mistakes: [/this user may not write in \S+shut \(EACCES\)/] })
    t.match(await rewriteFile(join(dir, 'open/a.yaml'), to('new')), { ok: false, mistakes: [/it belongs to somebody else, and has to stay theirs/] })
  } finally {
    seteuid(0)
  }
  t.strictSame([readdirSync(join(dir, 'open')), readFileSync(join(dir, 'open/a.yaml'), 'utf8')], [['a.yaml'], 'old'])
})

await t.test('a disk that is mounted read-only is named as such', { skip: NO_DISK ?? false }, async t => {
  const { dir, mount } = await mountDisk(t)
  writeFileSync(join(dir, 'a.yaml'), 'old')
  await mount('ro')
  const link = join(testFolder(t), 'link.yaml')
  symlinkSync(join(dir, 'a.yaml'), link)
  t.match(await rewriteFile(link, to('new')), { ok: false, mistakes: [/link\.yaml, which is \S+a\.yaml, cannot be changed: it is mounted read-only, or as a single file: change it where it comes from$/] })
})
