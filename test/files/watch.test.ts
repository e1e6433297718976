// When somebody looks at the files, and how often at those that could not be read.
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { stampOf, stampsOf, type Stamps } from '../../src/files/files.ts'
import { watchFiles, type Glance, type Stand, type Watch } from '../../src/files/watch.ts'
import { testFolder, type TestLike } from '../helpers/folder.ts'
import { until } from '../helpers/until.ts'

interface Running {
  readonly watch: Watch
  readonly glances: Glance[]
}

/** A watch that takes what it sees for read, but for what `make` makes of it. */
function run (t: TestLike, stamps: Stamps, make: (glance: Glance) => Partial<Stand> | Promise<Partial<Stand>> = () => ({})): Running {
  const glances: Glance[] = []
  const watch = watchFiles(stamps, async glance => {
    glances.push(glance)
    return { stamps: glance.stamps, again: false, ...await make(glance) }
  })
  t.teardown(() => { watch.close() })
  return { watch, glances }
}

/** Longer than a watch looks away. */
async function aLook (): Promise<void> {
  await new Promise(resolve => setTimeout(resolve, 450))
}

const count = async (glances: readonly Glance[], least: number): Promise<void> => { await until(() => glances.length >= least ? true : undefined) }

await t.test('a link in the path that is exchanged is noticed, as Kubernetes mounts secrets', async t => {
  const dir = testFolder(t)
  for (const version of ['v1', 'v2']) {
    mkdirSync(join(dir, version))
    writeFileSync(join(dir, version, 'accounts.yaml'), 'users: []')
  }
  symlinkSync('v1', join(dir, '..data'))
  symlinkSync('..data/accounts.yaml', join(dir, 'accounts.yaml'))
  const file = join(dir, 'accounts.yaml')
  const { glances } = run(t, await stampsOf([file]))
  symlinkSync('v2', join(dir, '..new'))
  renameSync(join(dir, '..new'), join(dir, '..data'))
  await count(glances, 1)
  t.strictSame([...(glances[0] as Glance).changed], [file])
  await aLook()
  t.equal(glances.length, 1)
})

await t.test('a file that changed between being read and being watched is read again', async t => {
  const dir = testFolder(t, { a: '1', b: '1' })
  const [a, b] = [join(dir, 'a'), join(dir, 'b')]
  const stamps = await stampsOf([a])
  writeFileSync(a, 'longer')
  const { glances } = run(t, stamps, async () => ({ stamps: new Map([[b, 'another']]) }))
  await count(glances, 2)
  t.strictSame(glances.slice(0, 2).map(({ changed }) => [...changed]), [[a], [b]], 'and files that come to count are compared with what they were when they were read')
})

await t.test('a watch that ends while something is read again is over', async t => {
  const file = join(testFolder(t, { a: '1' }), 'a')
  const stamps = await stampsOf([file])
  writeFileSync(file, 'longer')
  const { watch, glances } = run(t, stamps, () => {
    watch.close()
    writeFileSync(file, 'longer still')
    return {}
  })
  await count(glances, 1)
  await aLook()
  await watch.lookNow()
  t.equal(glances.length, 1)
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
  const { watch, glances } = run(t, new ClosedByALook([[file, 'another stamp']]))
  await until(() => looks === 1 ? true : undefined)
  await aLook()
  t.same([looks, glances.length], [1, 0])
})

await t.test('what could not be read is tried at the next look, and then less and less often', async t => {
  const file = join(testFolder(t, { a: '1' }), 'a')
  let [again, looks] = [true, 0]
  class Counted extends Map<string, string> {
    override keys (): MapIterator<string> {
      looks++
      return super.keys()
    }
  }
  const tries: number[] = []
  const { glances } = run(t, new Map([[file, 'another']]), ({ stamps }) => {
    tries.push(looks)
    return { again, stamps: new Counted(stamps) }
  })
  await count(glances, 5)
  t.strictSame(glances.map(glance => [glance.changed.size, glance.again]), [[1, false], [0, true], [0, true], [0, true], [0, true]])
  t.strictSame(tries, [0, 1, 3, 7, 15])
  writeFileSync(file, 'changed')
  await count(glances, 7)
  t.strictSame(glances.slice(5, 7).map(glance => [glance.changed.size, glance.again]), [[1, false], [0, true]], 'a change begins anew')
  again = false
  await count(glances, 8)
  await aLook()
  await aLook()
  t.equal(glances.length, 8, 'until it could be')
})

await t.test('who asks has everything read, once for all who ask before it begins', async t => {
  const file = join(testFolder(t, { a: '1' }), 'a')
  let inside = 0
  const { watch, glances } = run(t, await stampsOf([file]), async () => {
    t.equal(++inside, 1, 'one at a time')
    await new Promise(resolve => setTimeout(resolve, 20))
    inside--
    return {}
  })
  const first = watch.lookNow()
  await until(() => inside === 1 ? true : undefined)
  await Promise.all([first, ...Array.from({ length: 50 }, async () => { await watch.lookNow() })])
  t.equal(glances.length, 2)
  t.match(glances, [{ asked: true, again: false }, { asked: true }])
  t.strictSame([...(glances[0] as Glance).stamps], [[file, await stampOf(file)]])
  writeFileSync(file, 'longer')
  await count(glances, 3)
  t.match(glances[2], { asked: false })
})
