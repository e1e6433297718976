// Accounts and rules of a running gateway change with their files: all of them, or none.
import { rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { loadConfig } from '../../src/config/load.ts'
import { openAuthority } from '../../src/live/reload.ts'
import { cheapBcrypt, cheapHash } from '../helpers/accounts.ts'
import { testFolder } from '../helpers/folder.ts'
import { untilTrue } from '../helpers/until.ts'
import { watched } from '../helpers/watched.ts'

const hash = await cheapHash('x')
const users = (...names: string[]): string => `users:\n${names.map(name => `  - { name: ${name}, passwordHash: "${hash}", groups: [team] }\n`).join('')}`

const CONFIG = 'accounts: { files: [accounts.yaml] }\npolicy:\n  - { repositories: ["team/*"], subjects: ["group:team"], actions: [pull] }\n'
const AGAIN = 'accounts and rules were read again'
const NOT_USED = 'a changed file is not used'

await t.test('a changed accounts file takes the place of the old one', async t => {
  const { live, write, nextLine } = await watched(t, CONFIG, { 'accounts.yaml': users('alice', 'bob') })
  const before = live.current
  t.same([...before.accounts.users.keys()], ['alice', 'bob'])
  write('accounts.yaml', users('alice'))
  t.match(await nextLine(AGAIN), { level: 'info', users: 1, robots: 0, rules: 1 })
  t.same([...live.current.accounts.users.keys()], ['alice'])
  t.same([...before.accounts.users.keys()], ['alice', 'bob'], 'the old set is as it was: it is swapped, not changed')
})

await t.test('a broken file leaves the old one in force, and the next good one takes its place', async t => {
  const { dir, live, log, write, nextLine } = await watched(t, CONFIG, { 'accounts.yaml': users('alice') })
  const before = live.current
  write('accounts.yaml', 'users: [')
  t.match(await nextLine(NOT_USED), { level: 'error', mistake: /accounts\.yaml:\d+:\d+: / })
  rmSync(join(dir, 'accounts.yaml'))
  t.match(await nextLine(NOT_USED), { mistake: /cannot be read \(ENOENT\)/ })
  write('chartgate.yaml', 'polcy: []')
  t.match(await nextLine(NOT_USED), { mistake: /polcy: unknown key/ })
  t.equal(live.current, before)
  write('chartgate.yaml', CONFIG)
  write('accounts.yaml', users('carol'))
  await nextLine(AGAIN)
  t.equal(log.filter(({ message }) => message === NOT_USED).length, 3, 'each is said once')
  t.same([...live.current.accounts.users.keys()], ['carol'])
})

await t.test('a configuration that is empty, as while somebody writes it, is not used; {} stands for the defaults', async t => {
  const { dir, live, write, nextLine } = await watched(t, CONFIG, { 'accounts.yaml': users('alice') })
  for (const text of ['', '# the rules of the team\n', '---\n']) {
    write('chartgate.yaml', text)
    t.match(await nextLine(NOT_USED), { mistake: `${dir}/chartgate.yaml: the file is empty: write {} into it if the defaults are meant` }, JSON.stringify(text))
    t.same([...live.current.accounts.users.keys()], ['alice'])
    t.equal(live.current.rules.find(['group:team'], 'team/x', 'pull'), 'policy[0]')
    write('chartgate.yaml', CONFIG)
    await nextLine(AGAIN)
  }
  write('chartgate.yaml', '{}')
  t.match(await nextLine(AGAIN), { users: 0, rules: 0 })
  write('chartgate.yaml', '')
  t.match(await nextLine(NOT_USED), { mistake: /the file is empty/ })
})

await t.test('a configuration that was empty from the start may stay so', async t => {
  const { live, log, write, nextLine } = await watched(t, '', {})
  write('chartgate.yaml', '# nothing yet\n')
  await nextLine(AGAIN)
  write('chartgate.yaml', 'policy: [{ repositories: [a/b], subjects: [anonymous], actions: [pull] }]')
  await nextLine(AGAIN)
  t.equal(live.current.rules.find(['anonymous'], 'a/b', 'pull'), 'policy[0]')
  t.same(log.filter(({ message }) => message === NOT_USED), [])
})

await t.test('each reading is reported: what is new of it, and whether all that the files say is in force', async t => {
  const { dir, reports, write, nextLine } = await watched(t, CONFIG, { 'accounts.yaml': users('alice') })
  const file = join(dir, 'chartgate.yaml')
  write('accounts.yaml', users('alice', 'bob'))
  await nextLine(AGAIN)
  await untilTrue(() => reports.length === 1)
  write('accounts.yaml', 'users: [')
  await untilTrue(() => reports.length === 2)
  write('chartgate.yaml', CONFIG + 'log: { reads: true }\n')
  await untilTrue(() => reports.length === 3)
  write('accounts.yaml', users('alice'))
  await untilTrue(() => reports.length === 4)
  t.match(reports, [
    { isInForce: true, isSound: true, mistakes: [], file },
    { isInForce: false, isSound: false, mistakes: [/accounts\.yaml:\d+:\d+: /], file },
    { isInForce: false, isSound: false, file },
    { isInForce: true, isSound: true, mistakes: [], file }
  ])
  t.same(reports[2]?.mistakes, [], 'it was said before')
})

await t.test('rules and the list of files change with the configuration; what needs a restart says so', async t => {
  const { live, reports, write, nextLine } = await watched(t, CONFIG, { 'accounts.yaml': users('alice'), 'more.yaml': 'users: []' })
  t.equal(live.current.rules.find(['group:team'], 'team/x', 'push'), undefined)
  write('chartgate.yaml', 'charts: { depth: 3 }\naccounts: { files: [more.yaml] }\npolicy:\n  - { repositories: ["team/*"], subjects: ["group:team"], actions: [pull, push] }\n')
  await nextLine(AGAIN)
  t.equal(live.current.rules.find(['group:team'], 'team/x', 'push'), 'policy[0]')
  t.match(await nextLine('this may not be as it was meant'), { level: 'warn', warning: /chartgate\.yaml:4: policy\[0\]: the subject group:team is in no accounts file/ }, 'not of a depth that is none yet')
  await untilTrue(() => reports.some(({ later }) => later.length > 0))
  t.match(reports.at(-1), { later: ['charts.depth'], changed: ['accounts.files', 'policy'] })
  write('more.yaml', users('dora'))
  await nextLine(AGAIN)
  t.same([...live.current.accounts.users.keys()], ['dora'], 'the file that is named since then is watched')
})

await t.test('a start is refused with every mistake of every file', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': 'accounts: { files: [a.yaml, b] }', 'a.yaml': 'users: [{ name: a }]', b: 'x' })
  const loaded = await loadConfig(join(dir, 'chartgate.yaml'), {})
  t.match(loaded.ok && await openAuthority(loaded.config), { ok: false, mistakes: [/a\.yaml:1:\d+: /, /b:1:\d+: /] })
  writeFileSync(join(dir, 'a.yaml'), users('alice'))
  writeFileSync(join(dir, 'b'), `alice:${await cheapBcrypt('x')}\n`)
  t.match(loaded.ok && await openAuthority(loaded.config), { ok: false, mistakes: [/b:1:\d+: the user alice is there already, at .*a\.yaml:2/] })
})

await t.test('rules without a file are warned of without a place', async t => {
  const loaded = await loadConfig(undefined, {})
  if (!loaded.ok) throw new Error('defaults')
  const opened = await openAuthority({ ...loaded.config, policy: [{ repositories: ['a'], subjects: ['user:x'], actions: ['pull'] }] })
  t.match(opened, { ok: true, opened: { warnings: [/^policy\[0\]: the pattern a /, /^policy\[0\]: the subject user:x/] } })
})

await t.test('who asks hears that everything was read, and what cannot be used, also when nothing has changed', async t => {
  const { watch, live, log, write, nextLine } = await watched(t, CONFIG, { 'accounts.yaml': users('alice') })
  const before = live.current
  await watch.lookNow()
  t.strictSame(log.map(({ level, message, ...fields }) => [level, message, fields]), [
    ['info', AGAIN, { users: 1, robots: 0, rules: 1 }],
    ['info', 'every file was read again, as was asked', { mistakes: 0 }]
  ])
  t.not(live.current, before)
  write('accounts.yaml', 'users: [')
  await nextLine(NOT_USED)
  await watch.lookNow()
  t.match(await nextLine(NOT_USED), { mistake: /accounts\.yaml:1:\d+: / }, 'once more for who asks')
  t.match(log.at(-1), { message: 'every file was read again, as was asked', mistakes: 1 })
})

await t.test('keys stay where they lay at the start, whatever the configuration says by now', async t => {
  const { reports, write } = await watched(t, `stateDir: one\n${CONFIG}`, { 'accounts.yaml': users('alice') })
  write('chartgate.yaml', `stateDir: two\ntokens: { ttl: 1h }\n${CONFIG}`)
  await untilTrue(() => reports.length === 1)
  t.same(reports[0]?.later, ['stateDir', 'tokens.ttl'])
})
