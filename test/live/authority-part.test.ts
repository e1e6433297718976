// While a file cannot be used, the others take rights away and give none.
import { appendFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stringify } from 'yaml'
import { authorityPart } from '../../src/live/authority-part.ts'
import { stampsOf } from '../../src/files/files.ts'
import { loadConfig } from '../../src/config/load.ts'
import { openReader, type ConfigReader } from '../../src/config/reading.ts'
import type { Look, ReloadLog } from '../../src/live/part.ts'
import { openAuthority } from '../../src/live/reload.ts'
import { cheapBcrypt, cheapHash } from '../helpers/accounts.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'
import { watched, type Watched } from '../helpers/watched.ts'

const [hash, otherHash, bcrypt] = [await cheapHash('x'), await cheapHash('y'), await cheapBcrypt('x')]
const [first, second] = ['a1'.repeat(32), 'b2'.repeat(32)]
const AGAIN = 'accounts and rules were read again'
const AWAY = 'what was taken away is in force; what is new waits until every file can be used'

const alice = { name: 'alice', passwordHash: hash, groups: ['team', 'ops'] }
const bob = { name: 'bob', passwordHash: bcrypt, groups: ['team'] }
const ci = { name: 'ci', groups: ['team'], secrets: [{ hash: `sha256:${first}` }, { hash: `sha256:${second}`, notBefore: '2026-01-01', expires: '2027-01-01' }] }

const rule = (...subjects: string[]): object => ({ repositories: ['team/*'], subjects, actions: ['pull'] })
const config = (files: string[], ...policy: object[]): string => stringify({ accounts: { files }, policy })
const CONFIG = config(['a.yaml', 'b.yaml'], rule('group:team'))

/** Everybody in a.yaml, and nobody in b.yaml, which a test breaks as it likes. */
async function team (t: TestLike): Promise<Watched & { look (files: Record<string, unknown>): Promise<void> }> {
  const running = await watched(t, CONFIG, { 'a.yaml': stringify({ users: [alice, bob], robots: [ci] }), 'b.yaml': '' })
  return {
    ...running,
    async look (files) {
      for (const [name, content] of Object.entries(files)) running.write(name, typeof content === 'string' ? content : stringify(content))
      await running.watch.lookNow()
    }
  }
}

const BROKEN: Record<string, Record<string, unknown>> = {
  'the configuration': { 'chartgate.yaml': 'policy: [' },
  'another accounts file': { 'b.yaml': 'users: [' },
  'an account that is there twice': { 'b.yaml': { users: [{ ...alice, name: 'twice' }, { ...alice, name: 'twice' }] } }
}

for (const [what, broken] of Object.entries(BROKEN)) {
  await t.test(`beside ${what}, what an account loses it loses at once, and nothing else`, async t => {
    const { live, log, look } = await team(t)
    const users = (): unknown => [...live.current.accounts.users.values()].map(({ name, groups, disabled, principal: { subjects } }) => [name, groups, disabled, subjects.length])
    await look({ ...broken, 'a.yaml': { users: [{ ...alice, groups: ['ops', 'admins'] }, { ...bob, disabled: true }], robots: [{ ...ci, disabled: true }] } })
    t.strictSame(users(), [['alice', ['ops'], false, 4], ['bob', ['team'], true, 4]], 'a group that is gone, and none that is new')
    t.match(live.current.accounts.robots.get('ci'), { disabled: true })
    t.match(log.filter(({ message }) => message === AWAY), [{ level: 'warn', users: 2, robots: 1 }])
    await look({ 'a.yaml': { users: [alice, bob, { ...alice, name: 'carol' }], robots: [ci, { ...ci, name: 'new', secrets: [{ hash: `sha256:${'c3'.repeat(32)}` }] }] } })
    t.strictSame(users(), [['alice', ['ops'], false, 4], ['bob', ['team'], true, 4]], 'what comes, and what comes back, waits')
    t.match(live.current.accounts.robots, new Map([['ci', { disabled: true }]]))
    t.equal(log.filter(({ message }) => message === AWAY).length, 1, 'and nothing was taken')
    await look({ 'a.yaml': { users: [alice] } })
    t.strictSame(users(), [['alice', ['ops'], false, 4]])
    t.equal(live.current.accounts.secrets.size, 0)
    await look({ 'chartgate.yaml': CONFIG, 'b.yaml': '', 'a.yaml': { users: [alice, bob], robots: [ci] } })
    t.strictSame(users(), [['alice', ['team', 'ops'], false, 5], ['bob', ['team'], false, 4]])
    t.equal(live.current.accounts.secrets.size, 2)
  })
}

await t.test('a password that is changed is no longer one, and the new one not yet; it costs the same to check', async t => {
  const { live, look } = await team(t)
  const hashes = (): (string | undefined)[] => ['alice', 'bob'].map(name => live.current.accounts.users.get(name)?.passwordHash)
  const others = { users: [{ ...alice, passwordHash: otherHash }, { ...bob, passwordHash: await cheapBcrypt('y') }] }
  await look({ 'chartgate.yaml': '[', 'a.yaml': others })
  const gone = hashes()
  t.match(gone, [new RegExp(`^${hash.slice(0, hash.lastIndexOf('$') + 1).replace(/[$+.]/g, '\\$&')}A+$`), new RegExp(`^${bcrypt.slice(0, 29).replace(/[$+.]/g, '\\$&')}\\.{31}$`)])
  t.strictSame(gone.map(each => each?.length), [hash.length, bcrypt.length])
  await look({ 'a.yaml': { users: [alice, bob] } })
  t.strictSame(hashes(), gone, 'nor does the old one come back')
  await look({ 'chartgate.yaml': CONFIG, 'a.yaml': others })
  t.strictSame(hashes(), others.users.map(({ passwordHash }) => passwordHash))
})

await t.test('a secret that is gone, or ends sooner, is or does; a new one waits', async t => {
  const { live, look } = await team(t)
  const secrets = (): unknown => live.current.accounts.robots.get('ci')?.secrets
  const seconds = (day: string): number => Date.parse(day) / 1000
  const only = (secret: object): object => ({ robots: [{ ...ci, secrets: [secret] }] })
  await look({ 'chartgate.yaml': '[', 'a.yaml': only({ hash: `sha256:${second}`, notBefore: '2026-02-01', expires: '2028-01-01' }) })
  t.strictSame(secrets(), [{ digest: second, notBefore: seconds('2026-02-01'), expires: seconds('2027-01-01') }])
  t.strictSame([...live.current.accounts.secrets.keys()], [second])
  await look({ 'a.yaml': only({ hash: `sha256:${second}`, expires: '2026-06-01' }) })
  t.strictSame(secrets(), [{ digest: second, notBefore: seconds('2026-02-01'), expires: seconds('2026-06-01') }])
  await look({ 'a.yaml': only({ hash: `sha256:${first}` }) })
  t.strictSame([secrets(), live.current.accounts.secrets.size], [[], 0])
  await look({ 'chartgate.yaml': CONFIG })
  t.strictSame([...live.current.accounts.secrets.keys()], [first])
})

for (const times of [{ notBefore: '2026-05-01' }, { expires: '2027-06-01' }, { notBefore: '2026-06-01', expires: '2027-06-01' }]) {
  await t.test(`a secret that had no times has those that it gets: ${Object.keys(times).join()}`, async t => {
    const { live, look } = await team(t)
    await look({ 'chartgate.yaml': '[', 'a.yaml': { robots: [{ ...ci, secrets: [{ hash: `sha256:${first}`, ...times }] }] } })
    const expected = Object.fromEntries(Object.entries(times).map(([name, day]) => [name, Date.parse(day) / 1000]))
    t.strictSame(live.current.accounts.robots.get('ci')?.secrets, [{ digest: first, ...expected }])
  })
}

await t.test('whoever is in a file that cannot be used, or is missing, stays as they are', async t => {
  const { dir, live, log, look, watch } = await team(t)
  const names = (): string[] => [...live.current.accounts.users.keys(), ...live.current.accounts.robots.keys()]
  await look({ 'a.yaml': 'users: [' })
  t.strictSame(names(), ['alice', 'bob', 'ci'])
  rmSync(join(dir, 'a.yaml'))
  await watch.lookNow()
  t.strictSame(names(), ['alice', 'bob', 'ci'])
  t.match(log.filter(({ mistake }) => mistake !== undefined).at(-1), { mistake: /a\.yaml: the file cannot be read \(ENOENT\)$/ })
  await look({ 'b.yaml': { users: [{ ...alice, disabled: true }] } })
  t.match(live.current.accounts.users.get('alice'), { disabled: true }, 'unless another file says otherwise')
  await look({ 'a.yaml': '' })
  t.strictSame(names(), ['alice'], 'an empty file is one that holds nobody')
})

await t.test('an account that moves to another file stays, one that changes its kind does not', async t => {
  const { live, look } = await team(t)
  const inForce = (): unknown => [[...live.current.accounts.users.keys()], [...live.current.accounts.robots.keys()], [...live.current.accounts.secrets.keys()]]
  await look({ 'chartgate.yaml': '[', 'a.yaml': { users: [alice] }, 'b.yaml': { users: [bob], robots: [ci] } })
  t.strictSame(inForce(), [['alice', 'bob'], ['ci'], [first, second]])
  await look({ 'a.yaml': { users: [{ ...alice, name: 'ci' }], robots: [{ ...ci, name: 'alice' }] }, 'b.yaml': '' })
  t.strictSame(inForce(), [[], [], []])
})

await t.test('a sound configuration takes files and rules away, while an accounts file cannot be used', async t => {
  const { live, log, look } = await team(t)
  const may = (...subjects: string[]): boolean[] => subjects.map(subject => live.current.rules.find([subject], 'team/x', 'pull') !== undefined)
  await look({ 'chartgate.yaml': config(['a.yaml', 'b.yaml'], rule('group:team'), rule('user:alice')), 'b.yaml': '' })
  t.strictSame(may('group:team', 'user:alice', 'user:bob'), [true, true, false])
  await look({ 'b.yaml': '[', 'chartgate.yaml': config(['a.yaml', 'b.yaml'], rule('user:alice', 'user:bob')) })
  t.strictSame(may('group:team', 'user:alice', 'user:bob'), [false, true, false], 'what both policies say')
  t.equal(live.current.rules.find(['user:alice'], 'team/x', 'pull'), 'policy[0]')
  const count = (): number => log.filter(({ message }) => message === AWAY).length
  t.equal(count(), 1)
  await look({ 'chartgate.yaml': config(['a.yaml', 'b.yaml'], rule('user:bob', 'user:alice')) })
  t.equal(count(), 2)
  await look({ 'chartgate.yaml': `# the same\n${config(['a.yaml', 'b.yaml'], rule('user:bob', 'user:alice'))}` })
  t.equal(count(), 2)
  await look({ 'chartgate.yaml': config(['a.yaml', 'b.yaml'], rule('group:team'), rule('user:alice')) })
  t.strictSame(may('group:team', 'user:alice', 'user:bob'), [true, true, false], 'what comes back was there when all files could be used')
  await look({ 'chartgate.yaml': '[' })
  t.strictSame(may('group:team', 'user:alice', 'user:bob'), [true, true, false])
  t.equal(live.current.accounts.users.size, 2)
  await look({ 'chartgate.yaml': config(['b.yaml'], rule('group:team')) })
  t.equal(live.current.accounts.users.size, 0, 'a file that is named no longer holds nobody')
})

await t.test('accounts and rules that were not there at one moment give nothing', async t => {
  const { live, write, log, dir, nextLine } = await team(t)
  // As who gives somebody a group and takes its right away, one file after the other.
  const loaded = await loadConfig(join(dir, 'chartgate.yaml'), {})
  if (!loaded.ok) throw new Error('it was right a moment ago')
  write('a.yaml', stringify({ users: [alice, { ...bob, groups: ['team', 'ops'] }] }))
  const stamps = await stampsOf(['chartgate.yaml', 'a.yaml', 'b.yaml'].map(name => join(dir, name)))
  const real = openReader()
  const reader: ConfigReader = {
    ...real,
    async text (file) {
      const read = await real.text(file)
      appendFileSync(join(dir, 'chartgate.yaml'), '# changed in between\n')
      return read
    }
  }
  const part = authorityPart({ live, stamps: new Map() })
  const to: ReloadLog = { info: () => { t.fail('nothing is given') }, warn () {}, error () {} }
  const look: Look = { config: loaded.config, sound: true, stamps, asked: false, reader }
  t.strictSame(await part.load(look, to), { changed: ['accounts.files'], mistakes: [], again: true })
  t.match(live.current.accounts, { users: new Map([['bob', { groups: ['team'] }]]), robots: new Map() }, 'it only takes')
  await nextLine(AGAIN)
  t.match(live.current.accounts.users.get('bob'), { groups: ['team', 'ops'] })
  t.strictSame(log.filter(({ level }) => level === 'error'), [])
})

await t.test('a file that could not be read is read again, and nothing else is', async t => {
  const dir = testFolder(t, { 'chartgate.yaml': CONFIG, 'a.yaml': stringify({ users: [alice, bob] }), 'b.yaml': '' })
  const loaded = await loadConfig(join(dir, 'chartgate.yaml'), {})
  const opened = loaded.ok ? await openAuthority(loaded.config) : loaded
  if (!loaded.ok || !opened.ok) throw new Error('it is right')
  const { stamps } = opened.opened
  const real = openReader()
  const asked: string[] = []
  let broken = 'b.yaml'
  const reader: ConfigReader = {
    ...real,
    async text (file) {
      asked.push(file.slice(file.lastIndexOf('/') + 1))
      return file.endsWith(broken) ? { ok: false, mistake: 'EMFILE', stamp: stamps.get(file) as string } : await real.text(file)
    }
  }
  const part = authorityPart(opened.opened)
  const load = async (): Promise<unknown> => await part.load({ config: loaded.config, sound: true, stamps, asked: false, reader }, { info () {}, warn () {}, error () {} })
  t.strictSame(await load(), { changed: [], mistakes: ['EMFILE'], again: true })
  t.strictSame(asked.splice(0), ['a.yaml', 'b.yaml'])
  t.strictSame(await load(), { changed: [], mistakes: ['EMFILE'], again: true })
  t.strictSame(asked.splice(0), ['b.yaml'], 'what is known is known')
  broken = 'none'
  t.strictSame(await load(), { changed: [], mistakes: [], again: false })
  t.strictSame(asked.splice(0), ['b.yaml'])
  t.strictSame(await load(), { changed: [], mistakes: [], again: false })
  t.strictSame(asked, [])
})
