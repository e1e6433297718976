// Large files are understood in a thread, and everybody else goes on meanwhile.
import { getPriority } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { accountsOf } from '../../src/identity/sources/accounts-file.ts'
import { configOf } from '../../src/config/load.ts'
import { openReader } from '../../src/config/reading.ts'
import { cheapHash } from '../helpers/accounts.ts'
import { testFolder } from '../helpers/folder.ts'
import { manyAccounts, manyRules } from '../helpers/many-accounts.ts'
import { watched } from '../helpers/watched.ts'

const hash = await cheapHash('x')
// A thread holds up no end of a process: here nothing else does.
const awake = setInterval(() => {}, 1_000)
t.teardown(() => { clearInterval(awake) })

await t.test('a small file is understood here', async t => {
  const reader = openReader(() => { throw new Error('no thread is made for it') })
  t.match(await reader.accounts('a.yaml', `users: [{ name: a, passwordHash: "${hash}" }]`), { users: [{ name: 'a' }], mistakes: [] })
  t.match(await reader.config('c.yaml', 'policy: []', {}), { ok: true, config: { policy: [] } })
  reader.close()
})

await t.test('what a thread understands is the same, also when it is wrong', async t => {
  const reader = openReader()
  t.teardown(() => { reader.close() })
  const accounts = manyAccounts(500, hash)
  const before = getPriority()
  t.strictSame(await reader.accounts('a.yaml', accounts), await accountsOf('a.yaml', accounts))
  t.equal(getPriority(), before, 'a thread that comes after all others changes nothing for them')
  const rules = manyRules(500, 'a.yaml')
  const env = { CHARTGATE_LISTEN_PORT: '6000' }
  t.strictSame(await reader.config('c.yaml', rules, env), await configOf('c.yaml', rules, env))
  for (const [name, text] of [['a.yaml', `${accounts}users: [`], ['a.yaml', accounts.replaceAll('robot-', 'Robot-')], ['htpasswd', 'x\n'.repeat(5_000)]] as const) t.strictSame(await reader.accounts(name, text), await accountsOf(name, text))
  for (const text of [`${rules}x: [`, rules.replaceAll('pull', 'pul')]) t.strictSame(await reader.config('c.yaml', text, env), await configOf('c.yaml', text, env))
})

await t.test('a thread that cannot be had, or ends, is a file that can be read another time', async t => {
  const large = manyAccounts(100, hash)
  let made = 0
  const endings = [
    () => { throw Object.assign(new Error('no more'), { code: 'EMFILE' }) },
    () => new Worker('process.exit(1)', { eval: true }),
    () => new Worker('throw new Error("out of memory")', { eval: true }),
    () => new Worker('require("node:worker_threads").parentPort.on("message", () => { process.exit() })', { eval: true })
  ]
  const reader = openReader(() => (endings[made++] as () => Worker)())
  const failed = (why: string): unknown => ({ users: [], robots: [], mistakes: [`a.yaml: the file cannot be read now (${why})`], again: true })
  t.strictSame(await reader.accounts('a.yaml', large), failed('EMFILE'))
  t.strictSame(await reader.accounts('a.yaml', large), failed('the thread that read it ended'))
  t.strictSame(await reader.accounts('a.yaml', large), failed('out of memory'))
  t.strictSame(await reader.config('a.yaml', large, {}), { ok: false, mistakes: ['a.yaml: the file cannot be read now (the thread that read it ended)'], again: true })
  t.equal(made, 4, 'each time by another thread')
  reader.close()
})

/** Turns of the event loop during the work. */
async function turnsDuring (work: () => Promise<unknown>): Promise<number> {
  let [turns, over] = [0, false]
  const turn = (): void => {
    turns++
    if (!over) setImmediate(turn)
  }
  setImmediate(turn)
  await work()
  over = true
  return turns
}

await t.test('while 2,000 accounts and as many rules are read, everybody else has their turns', async t => {
  const [accounts, rules] = [manyAccounts(2_000, hash), manyRules(2_000, 'a.yaml')]
  const { live, watch, log, write } = await watched(t, manyRules(1, 'a.yaml'), { 'a.yaml': '' })
  const here = await turnsDuring(async () => {
    await accountsOf('a.yaml', accounts)
    await configOf('c.yaml', rules, {})
  })
  write('a.yaml', accounts)
  write('chartgate.yaml', rules)
  const aside = await turnsDuring(async () => { await watch.lookNow() })
  t.match(log.map(({ level }) => level), ['info', ...Array<string>(21).fill('warn'), 'info'], 'of the rules that may not mean what they say twenty are told')
  t.same([live.current.accounts.users.size, live.current.accounts.robots.size, live.current.policies[0].length], [1_600, 400, 2_000])
  t.ok(aside > 1_000 && aside > here * 10, `${aside} turns, where there are ${here} when it is done at once`)
})

await t.test('a file is read when nobody writes, and its stamp is known', async t => {
  const file = join(testFolder(t, { a: 'x' }), 'a')
  const reader = openReader()
  const read = await reader.text(file)
  t.match(read, { ok: true, text: 'x' })
  t.strictSame([...reader.stamps], [[file, read.stamp]])
})
