import { spawnSync } from 'node:child_process'
import { readdirSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { setTimeout as rest } from 'node:timers/promises'
import t from 'tap'
import { holdLockFile } from '../../src/files/lock-file.ts'
import { testFolder } from '../helpers/folder.ts'

const SHORT = { wait: 60, stale: 60_000 }
/** A process that has ended. */
const { pid: DEAD } = spawnSync(process.execPath, ['--version'])

await t.test('one holder at a time, and nothing is left behind', async t => {
  const lock = join(testFolder(t), 'x.lock')
  let [inside, most, count] = [0, 0, 0]
  await Promise.all(Array.from({ length: 8 }, async () => {
    t.match(await holdLockFile(lock, async () => {
      most = Math.max(most, ++inside)
      await rest(5)
      inside--
      return ++count
    }), { ok: true })
  }))
  t.strictSame([most, count], [1, 8])
  await t.rejects(holdLockFile(lock, async () => { throw new Error('in between') }), /in between/)
  t.strictSame(readdirSync(join(lock, '..')), [])
})

await t.test('a lock whose holder is gone is taken away, by one of those who wait', async t => {
  const lock = join(testFolder(t), 'x.lock')
  for (const [name, content, age] of [['a dead process', `${DEAD} ${hostname()} a\n`, 0], ['a number that another process has by now', `${process.pid} ${hostname()} a\n`, 120], ['another machine long ago', '1 elsewhere a\n', 120], ['half written, long ago', '', 120]] as const) {
    writeFileSync(lock, content)
    utimesSync(lock, new Date(), new Date(Date.now() - age * 1000))
    const held = await Promise.all([1, 2, 3].map(async i => await holdLockFile(lock, async () => i)))
    t.strictSame(held.map(each => each.ok), [true, true, true], name)
    t.strictSame(readdirSync(join(lock, '..')), [])
  }
})

await t.test('a lock that is held is waited for, and then told', async t => {
  const lock = join(testFolder(t), 'x.lock')
  const cases: [name: string, content: string, message: RegExp][] = [
    ['this process', `${process.pid} ${hostname()} a\n`, new RegExp(`^process ${process.pid} on ${hostname()} changes the file`)],
    ['somebody else\'s process', `1 ${hostname()} a\n`, /^process 1 on /],
    ['another machine', '1 elsewhere a\n', /^process 1 on elsewhere .* or remove \S+x\.lock when there is no such process$/],
    ['half written', '', /^somebody changes the file/]
  ]
  for (const [name, content, message] of cases) {
    writeFileSync(lock, content)
    t.match(await holdLockFile(lock, async () => 1, SHORT), { ok: false, message }, name)
  }
  rmSync(lock)
  symlinkSync('nowhere', lock)
  t.match(await holdLockFile(lock, async () => 1, SHORT), { ok: false, message: /^somebody changes the file/ }, 'one that cannot be read')
  rmSync(lock)
  writeFileSync(lock, `${DEAD} ${hostname()} a\n`)
  writeFileSync(`${lock}.stale`, '')
  t.match(await holdLockFile(lock, async () => 1, SHORT), { ok: false, message: /^process \d+ on / }, 'somebody else takes it away')
})

await t.test('a folder that is not there is an error of the system', async t => {
  await t.rejects(holdLockFile(join(testFolder(t), 'none', 'x.lock'), async () => 1), { code: 'ENOENT' })
})
