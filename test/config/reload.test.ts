// Accounts and rules of a running gateway change with their files: all of them, or none.
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { authorityPart, openAuthority, watchConfig, type LiveAuthority } from '../../src/config/reload.ts'
import { stampsOf, watchFiles } from '../../src/config/watch.ts'
import { cheapBcrypt, cheapHash } from '../helpers/accounts.ts'
import { testFolder } from '../helpers/folder.ts'
import { until } from '../helpers/until.ts'

const hash = await cheapHash('x')
const users = (...names: string[]): string => `users:\n${names.map(name => `  - { name: ${name}, passwordHash: "${hash}", groups: [team] }\n`).join('')}`

type LogLine = Record<string, unknown> & { level: string, message: string }

interface Running {
  readonly dir: string
  readonly live: LiveAuthority
  readonly log: LogLine[]
  /** Writes a file as editors and Kubernetes do: a new one takes the name. */
  write (name: string, text: string): void
  /** Waits for a line of the log that was not there before. */
  nextLine (message: string): Promise<LogLine>
}

async function run (t: Test, config: string, files: Record<string, string>): Promise<Running> {
  const dir = testFolder(t, { 'chartgate.yaml': config, ...files })
  const reload = async () => await loadConfig(join(dir, 'chartgate.yaml'), {})
  const loaded = await reload()
  if (!loaded.ok) throw new Error(loaded.mistakes.join('\n'))
  const authority = await openAuthority(loaded.config)
  if (!authority.ok) throw new Error(authority.mistakes.join('\n'))
  const log: LogLine[] = []
  const write = (level: string) => (fields: object, message: string) => { log.push({ ...fields, level, message }) }
  const watch = watchConfig({ parts: [authorityPart(authority.opened.live)], stamps: authority.opened.stamps, config: loaded.config, reload, log: { info: write('info'), warn: write('warn'), error: write('error') } })
  t.teardown(() => { watch.close() })
  let seen = 0
  return {
    dir,
    live: authority.opened.live,
    log,
    write (name, text) {
      writeFileSync(join(dir, `${name}.new`), text)
      renameSync(join(dir, `${name}.new`), join(dir, name))
    },
    nextLine: async message => await until(() => {
      const i = log.findIndex((line, i) => i >= seen && line.message === message)
      if (i >= 0) seen = i + 1
      return log[i]
    })
  }
}

const CONFIG = 'accounts: { files: [accounts.yaml] }\npolicy:\n  - { repositories: ["team/*"], subjects: ["group:team"], actions: [pull] }\n'
const AGAIN = 'accounts and rules were read again'
const NOT_USED = 'a changed file is not used'

await t.test('a changed accounts file takes the place of the old one', async t => {
  const { live, write, nextLine } = await run(t, CONFIG, { 'accounts.yaml': users('alice', 'bob') })
  const before = live.current
  t.same([...before.accounts.users.keys()], ['alice', 'bob'])
  write('accounts.yaml', users('alice'))
  t.match(await nextLine(AGAIN), { level: 'info', users: 1, robots: 0, rules: 1 })
  t.same([...live.current.accounts.users.keys()], ['alice'])
  t.same([...before.accounts.users.keys()], ['alice', 'bob'], 'the old set is as it was: it is swapped, not changed')
})

await t.test('a broken file leaves the old one in force, and the next good one takes its place', async t => {
  const { dir, live, write, nextLine } = await run(t, CONFIG, { 'accounts.yaml': users('alice') })
  const before = live.current
  write('accounts.yaml', 'users: [')
  t.match(await nextLine(NOT_USED), { level: 'error', mistake: /accounts\.yaml:\d+: / })
  rmSync(join(dir, 'accounts.yaml'))
  t.match(await nextLine(NOT_USED), { mistake: /cannot be read \(ENOENT\)/ })
  write('chartgate.yaml', 'polcy: []')
  t.match(await nextLine(NOT_USED), { mistake: /polcy: unknown key/ })
  t.equal(live.current, before)
  write('chartgate.yaml', CONFIG)
  t.match(await nextLine(NOT_USED), { mistake: /accounts\.yaml/ })
  write('accounts.yaml', users('carol'))
  await nextLine(AGAIN)
  t.same([...live.current.accounts.users.keys()], ['carol'])
})

await t.test('rules and the list of files change with the configuration; what needs a restart says so', async t => {
  const { live, write, nextLine } = await run(t, CONFIG, { 'accounts.yaml': users('alice'), 'more.yaml': 'users: []' })
  t.equal(live.current.rules.find(['group:team'], 'team/x', 'push'), undefined)
  write('chartgate.yaml', 'charts: { depth: 3 }\naccounts: { files: [more.yaml] }\npolicy:\n  - { repositories: ["team/*"], subjects: ["group:team"], actions: [pull, push] }\n')
  await nextLine(AGAIN)
  t.equal(live.current.rules.find(['group:team'], 'team/x', 'push'), 'policy[0]')
  t.match(await nextLine('a rule may not mean what it says'), { level: 'warn', warning: /chartgate\.yaml:4: policy\[0\]: the pattern team\/\* can never match/ })
  t.match(await nextLine('these changed keys take effect at the next start'), { keys: ['charts'] })
  write('more.yaml', users('dora'))
  await nextLine(AGAIN)
  t.same([...live.current.accounts.users.keys()], ['dora'], 'the file that is named since then is watched')
})

await t.test('a link in the path that is exchanged is noticed, as Kubernetes mounts secrets', async t => {
  const dir = testFolder(t)
  for (const version of ['v1', 'v2']) {
    mkdirSync(join(dir, version))
    writeFileSync(join(dir, version, 'accounts.yaml'), users('alice'))
  }
  symlinkSync('v1', join(dir, '..data'))
  symlinkSync('..data/accounts.yaml', join(dir, 'accounts.yaml'))
  const file = join(dir, 'accounts.yaml')
  let changes = 0
  const watch = watchFiles(await stampsOf([file]), async () => { changes++; return [file] })
  t.teardown(() => { watch.close() })
  symlinkSync('v2', join(dir, '..new'))
  renameSync(join(dir, '..new'), join(dir, '..data'))
  await until(() => changes === 1 ? true : undefined)
  watch.close()
})

await t.test('a file that changed between being read and being watched is read again', async t => {
  const dir = testFolder(t, { a: '1' })
  const file = join(dir, 'a')
  const stamps = await stampsOf([file])
  writeFileSync(file, 'longer')
  let changes = 0
  const watch = watchFiles(stamps, async () => { changes++; return [file] })
  t.teardown(() => { watch.close() })
  await until(() => changes === 1 ? true : undefined)
})

await t.test('a watch that ends while something is read again is over', async t => {
  const file = join(testFolder(t, { a: '1' }), 'a')
  const stamps = await stampsOf([file])
  writeFileSync(file, 'longer')
  let changes = 0
  const watch = watchFiles(stamps, async () => {
    changes++
    watch.close()
    writeFileSync(file, 'longer still')
    return [file]
  })
  await until(() => changes === 1 ? true : undefined)
  await new Promise(resolve => setTimeout(resolve, 400)) // longer than it looks away
  t.equal(changes, 1)
})

await t.test('a watch that ends while it looks tells nobody of a change', async t => {
  const file = join(testFolder(t, { a: '1' }), 'a')
  let looks = 0
  class ClosedByALook extends Map<string, string> {
    override keys (): MapIterator<string> {
      looks++
      watch.close()
      return super.keys()
    }
  }
  const watch = watchFiles(new ClosedByALook([[file, 'another stamp']]), async () => {
    t.fail('nobody watches any more')
    return [file]
  })
  await until(() => looks === 1 ? true : undefined)
  await new Promise(resolve => setTimeout(resolve, 400)) // longer than it looks away
  t.equal(looks, 1)
})

await t.test('a start is refused with every mistake of every file', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'accounts: { files: [a.yaml, b] }', 'a.yaml': 'users: [{ name: a }]', b: 'x' })
  const loaded = await loadConfig(join(dir, 'chartgate.yaml'), {})
  t.match(loaded.ok && await openAuthority(loaded.config), { ok: false, mistakes: [/a\.yaml:1: /, /b:1: /] })
  writeFileSync(join(dir, 'a.yaml'), users('alice'))
  writeFileSync(join(dir, 'b'), `alice:${await cheapBcrypt('x')}\n`)
  t.match(loaded.ok && await openAuthority(loaded.config), { ok: false, mistakes: [/b:1: the user alice is there already, at .*a\.yaml:2/] })
})

await t.test('rules without a file are warned of without a place', async t => {
  const loaded = await loadConfig(undefined, {})
  if (!loaded.ok) throw new Error('defaults')
  const opened = await openAuthority({ ...loaded.config, policy: [{ repositories: ['a'], subjects: ['user:x'], actions: ['pull'] }] })
  t.match(opened, { ok: true, opened: { warnings: [/^policy\[0\]: the pattern a /, /^policy\[0\]: the subject user:x/] } })
})

await t.test('everything is read again when somebody asks for it, changed or not, and once more when it was being read', async t => {
  const dir = testFolder(t, { a: '', b: '' })
  const files = ['a', 'b'].map(name => join(dir, name))
  const read: string[][] = []
  const ends: (() => void)[] = []
  const watch = watchFiles(await stampsOf(files), async changed => {
    read.push([...changed])
    await new Promise<void>(resolve => { ends.push(resolve) })
    return files
  })
  t.teardown(() => { watch.close() })
  watch.lookNow()
  await until(() => ends.shift())
    .then(end => {
      for (let i = 0; i < 3; i++) watch.lookNow() // it is being read
      end()
    })
  await until(() => ends.shift()).then(end => { end() })
  t.same(read, [files, files])
  watch.close()
  watch.lookNow()
  await new Promise(resolve => { setTimeout(resolve, 20) })
  t.equal(read.length, 2, 'nothing is read after the end')
})
