// Which configuration file is read: whoever can write where somebody starts the program
// must not be able to say what it does.
import { chmod, chown, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { findConfig, nameOfConfig, type Whereabouts } from '../../src/config/find.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'

const ME = process.geteuid?.() as number

/** A working directory and a system of the test's own. */
function lab (t: TestLike, files: Record<string, string>, user: number | undefined = ME): Whereabouts {
  const dir = testFolder(t, files)
  return { local: join(dir, 'chartgate.yaml'), system: join(dir, 'system.yaml'), user }
}

await t.test('the first that is there is read: the option, the variable, the working directory, the system', async t => {
  const both = lab(t, { 'chartgate.yaml': '', 'system.yaml': '' })
  await chmod(both.local, 0o644)
  const cases: [named: string | undefined, env: Record<string, string>, where: Whereabouts, file: string | undefined][] = [
    ['named.yaml', { CHARTGATE_CONFIG: 'variable.yaml' }, both, 'named.yaml'],
    [undefined, { CHARTGATE_CONFIG: 'variable.yaml' }, both, 'variable.yaml'],
    [undefined, { CHARTGATE_CONFIG: '' }, both, both.local],
    [undefined, {}, both, both.local],
    [undefined, {}, { ...both, local: '/nowhere/chartgate.yaml' }, both.system],
    [undefined, {}, { ...both, local: '/nowhere/chartgate.yaml', system: '/nowhere/system.yaml' }, undefined]
  ]
  for (const [named, env, where, file] of cases) t.strictSame(await findConfig(named, env, where), { file, passedOver: [] })
})

await t.test('where nothing is said of it, it is looked for here', async t => {
  t.match(await findConfig(undefined, {}), { file: undefined, passedOver: [] }, 'the project has none')
  t.strictSame([nameOfConfig(undefined), nameOfConfig('/etc/chartgate/chartgate.yaml')], ['no configuration file: defaults', 'configuration file /etc/chartgate/chartgate.yaml'])
})

await t.test('one that others can write is passed over, and what to do is said', async t => {
  for (const [mode, isRead] of [[0o600, true], [0o644, true], [0o444, true], [0o664, false], [0o666, false], [0o602, false]] as const) {
    const where = lab(t, { 'chartgate.yaml': '', 'system.yaml': '' })
    await chmod(where.local, mode)
    t.strictSame(await findConfig(undefined, {}, where), isRead
      ? { file: where.local, passedOver: [] }
      : { file: where.system, passedOver: [`${where.local} is passed over: others can write it (mode ${mode.toString(8)}): chmod go-w it, or name it with --config`] }, mode.toString(8))
  }
})

await t.test('one that belongs to another user is passed over, unless that is root; so is a link of another user', { skip: ME !== 0 && 'only root can give files away' }, async t => {
  const other = 4711
  const foreign = (path: string): string => `${path} is passed over: it belongs to user ${other}, and this is user 0: chown it, or name it with --config`
  const where = lab(t, { 'chartgate.yaml': '' })
  await chmod(where.local, 0o644)
  t.match(await findConfig(undefined, {}, { ...where, user: other }), { file: where.local }, "root's is read by everybody")
  await chown(where.local, other, other)
  t.strictSame(await findConfig(undefined, {}, where), { file: undefined, passedOver: [foreign(where.local)] })
  t.match(await findConfig(undefined, {}, { ...where, user: other }), { file: where.local }, 'its owner reads it')
  t.match(await findConfig(undefined, {}, { ...where, user: undefined }), { file: where.local }, 'and whoever has no owners')

  const linked = lab(t, { 'mine.yaml': '' })
  await chmod(join(linked.local, '../mine.yaml'), 0o644)
  await symlink('mine.yaml', linked.local)
  t.match(await findConfig(undefined, {}, linked), { file: linked.local, passedOver: [] })
  const { lchown } = await import('node:fs/promises')
  await lchown(linked.local, other, other)
  t.strictSame(await findConfig(undefined, {}, linked), { file: undefined, passedOver: [foreign(linked.local)] })
})

await t.test('a link that leads nowhere is said, and not taken for none', async t => {
  const where = lab(t, {})
  await symlink('gone.yaml', where.local)
  await writeFile(where.system, '')
  t.strictSame(await findConfig(undefined, {}, where), { file: where.system, passedOver: [`${where.local} is passed over: it cannot be read (ENOENT): put it right, or name it with --config`] })
})
