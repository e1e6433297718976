// What was exchanged is known after a restart, however the process ended; and what nobody can
// know or keep is not exchanged.
import { execFileSync } from 'node:child_process'
import { mkdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import type { Spent, Use } from '../../src/tokens/spent.ts'
import { openSpentFile, type OpenedSpent } from '../../src/tokens/spent-file.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { testFolder } from '../helpers/folder.ts'
import { keptForEver, shown } from '../helpers/spent.ts'
import { NOW } from '../helpers/tokens.ts'

interface Lab {
  readonly file: string
  readonly clock: TestClock
  /** What was said of it, in order. */
  readonly said: (string | undefined)[]
  /** As a process does that begins. */
  open (): Promise<Spent>
  tryOpen (): Promise<OpenedSpent>
  text (): Promise<string>
}

async function lab (t: Test, isNew = false): Promise<Lab> {
  const folder = testFolder(t)
  const file = isNew ? join(folder, 'exchanged') : await keptForEver(folder)
  const [clock, said]: [TestClock, Lab['said']] = [testClock(NOW), []]
  const tryOpen = async (): Promise<OpenedSpent> => await openSpentFile(file, { clock, outages: { report (sentence) { said.push(sentence) } }, least: 5 })
  return {
    file,
    clock,
    said,
    tryOpen,
    async open () {
      const opened = await tryOpen()
      if (!opened.ok) throw new Error(opened.message)
      return opened.spent
    },
    text: async () => await readFile(file, 'utf8')
  }
}

async function use (spent: Spent, ...names: string[]): Promise<Use[]> {
  return await Promise.all(names.map(async name => await spent.spend(shown(name))))
}

await t.test('a token that was exchanged is used up after a restart too, and until it has ended', async t => {
  const { open, clock, text, file } = await lab(t)
  t.strictSame(await use(await open(), 'a', 'a', 'b'), ['first', 'used', 'first'])
  t.equal(await text(), `since 0\n${NOW + 600} github a\n${NOW + 600} github b\n`)
  t.equal((await stat(file)).mode & 0o777, 0o600)
  clock.pass(599)
  t.strictSame(await use(await open(), 'a', 'b', 'c'), ['used', 'used', 'first'])
  clock.pass(2)
  t.strictSame(await use(await open(), 'a', 'c'), ['first', 'used'])
  t.equal(await text(), `since 0\n${NOW + 1_199} github c\n${NOW + 1_201} github a\n`, 'what has ended is left out')
})

await t.test('where there is no file, or it went away, a token of before counts nowhere, and restarts do not change that', async t => {
  const { open, clock, text, file } = await lab(t, true)
  let spent = await open()
  t.strictSame(await use(spent, 'of before'), ['too_early'])
  clock.pass(30)
  t.strictSame(await use(spent, 'a'), ['first'])
  t.match(await text(), new RegExp(`^since ${NOW + 1}\n`))
  spent = await open()
  t.equal(await spent.spend(shown('b', { age: 29 })), 'too_early')
  t.equal(await spent.spend(shown('b', { age: 28 })), 'first')
  await rm(file)
  t.strictSame(await use(spent, 'c'), ['first'], 'who runs still knows, and writes it anew')
  t.match(await text(), / github a\n.* github b\n.* github c\n$/)
  await rm(file)
  t.strictSame(await use(await open(), 'a', 'd'), ['too_early', 'too_early'])
})

await t.test('a file that was written while the clock was ahead keeps nobody out for so long', async t => {
  const { open, clock, file, text } = await lab(t)
  await writeFile(file, `since ${NOW + 1e8}\n`)
  const spent = await open()
  t.strictSame(await use(spent, 'a'), ['too_early'])
  clock.pass(10)
  t.strictSame(await use(spent, 'a'), ['first'])
  t.match(await text(), new RegExp(`^since ${NOW + 1}\n`))
})

await t.test('half a line at the end is what the machine stopped in, and nobody got anything for it', async t => {
  const { open, file, text } = await lab(t)
  for (const half of [`${NOW + 600} git`, '\0\0\0\0']) {
    await writeFile(file, `since 0\n${NOW + 600} github a\n${half}`)
    t.strictSame(await use(await open(), 'a', 'b'), ['used', 'first'])
    t.equal(await text(), `since 0\n${NOW + 600} github a\n${NOW + 600} github b\n`)
  }
})

await t.test('a file that says nothing of what was exchanged is said at the start, and not used', async t => {
  const { tryOpen, file } = await lab(t)
  for (const text of ['', 'since 0', 'since yesterday\n', `since 0\n${NOW} github a\nnothing\n`, `since 0\n\n${NOW} github a\n`]) {
    await writeFile(file, text)
    t.match(await tryOpen(), { ok: false, message: `${file}: it has lines that no chartgate wrote, ` }, JSON.stringify(text))
  }
  await rm(file)
  await mkdir(file)
  t.strictSame(await tryOpen(), { ok: false, message: `${file}: the file cannot be read (EISDIR)` })
})

await t.test('it is written anew when most of it has ended, and never has much more than what counts', async t => {
  const { open, clock, text } = await lab(t)
  const spent = await open()
  let most = 0
  for (let i = 0; i < 200; i++) {
    t.strictSame(await use(spent, `t${i}`), ['first'])
    clock.pass(60)
    most = Math.max(most, (await text()).split('\n').length)
  }
  t.ok(most < 40, `${most} lines for 12 that count`)
  t.match(await text(), /^since 0\n/)
})

await t.test('a token whose line does not come to the disk is not exchanged, and may be when it does', async t => {
  const { open, file, said, text } = await lab(t)
  const spent = await open()
  t.strictSame(await use(spent, 'a'), ['first'])
  const folder = join(file, '..')
  await rename(folder, `${folder}-gone`)
  t.strictSame(await use(spent, 'b', 'c', 'a'), ['unproved', 'unproved', 'used'])
  await rename(`${folder}-gone`, folder)
  t.strictSame([...new Set(said)], [undefined, `${file} cannot be written (ENOENT)`])
  t.strictSame(await use(spent, 'b', 'b', 'c'), ['first', 'used', 'first'])
  t.equal(await text(), `since 0\n${['a', 'b', 'c'].map(name => `${NOW + 600} github ${name}\n`).join('')}`)
  t.equal(said.at(-1), undefined)
})

await t.test('many at once are all written, whole, and each is used up once', async t => {
  const { open } = await lab(t)
  const spent = await open()
  const names = Array.from({ length: 500 }, (_, i) => `t${i}`)
  const asked = await Promise.all([...names, ...names].map(async (name, i) => {
    if (i % 3 === 0) await new Promise(resolve => { setImmediate(resolve) })
    return await spent.spend(shown(name))
  }))
  t.equal(asked.filter(found => found === 'first').length, 500)
  t.strictSame(new Set(await use(await open(), ...names)), new Set(['used']))
})

await t.test('a process that is killed has told the disk of all that it let in', async t => {
  const folder = testFolder(t)
  const file = await keptForEver(folder)
  const script = `
    const { openSpentFile } = await import(${JSON.stringify(new URL('../../src/tokens/spent-file.js', import.meta.url).href)})
    const clock = { wall: () => ${NOW}, monotonic: () => 0 }
    const { spent } = await openSpentFile(${JSON.stringify(file)}, { clock, outages: { report () {} } })
    for (let i = 0; i < 100; i++) void spent.spend({ provider: 'github', name: 't' + i, seconds: 600, age: 1 }).then(use => {
      process.stdout.write(i + ' ' + use + '\\n')
      if (i === 50) process.kill(process.pid, 'SIGKILL')
    })
    setTimeout(() => {}, 60_000)`
  let told = ''
  try {
    execFileSync(process.execPath, ['--input-type=module', '-e', script], { encoding: 'utf8' })
  } catch (error) {
    told = (error as { stdout: string }).stdout
  }
  const first = Array.from(told.matchAll(/^(\d+) first$/gm), ([, i]) => `t${i}`)
  t.ok(first.length > 0)
  const opened = await openSpentFile(file, { clock: testClock(NOW), outages: { report () {} } })
  if (!opened.ok) throw new Error(opened.message)
  t.strictSame(new Set(await use(opened.spent, ...first)), new Set(['used']))
})
