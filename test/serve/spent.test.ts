// Where it is kept which tokens were exchanged, and what is said while it cannot be.
import { access, readFile, rename } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { OutageLog } from '../../src/lib/outages.ts'
import { openSpent } from '../../src/serve/spent.ts'
import type { Spent, Use } from '../../src/tokens/spent.ts'
import { testFolder } from '../helpers/folder.ts'
import { keptForEver, shown } from '../helpers/spent.ts'

async function open (stateDir: string, shared?: Spent, log: OutageLog = { error () {} }): Promise<Spent> {
  const opened = await openSpent({ stateDir }, shared, log)
  if (!opened.ok) throw new Error(opened.message)
  return opened.spent
}

await t.test('a gateway without Redis keeps it in its stateDir, and says once that it cannot and once that it can again', async t => {
  const stateDir = join(testFolder(t), 'state')
  const file = await keptForEver(stateDir)
  const said: [object, string][] = []
  const spent = await open(stateDir, undefined, { error (fields, message) { said.push([fields, message]) } })
  const use = async (name: string): Promise<Use> => await spent.spend(shown(name))
  t.equal(await use('a'), 'first')
  t.match(await readFile(file, 'utf8'), / github a\n$/)
  await rename(stateDir, `${stateDir}-gone`)
  t.strictSame([await use('b'), await use('b')], ['unproved', 'unproved'])
  await rename(`${stateDir}-gone`, stateDir)
  t.equal(await use('b'), 'first')
  t.match(said, [
    [{ file }, `${file} cannot be written (ENOENT); till then no token of a provider with exchangeOnce is exchanged`],
    [{ file, seconds: 0 }, `${file} can be written again, after 0 s`]
  ])
  t.equal(await (await open(stateDir)).spend(shown('a')), 'used')
})

await t.test('with Redis it is there alone, and no file says later that nobody exchanged what was exchanged meanwhile', async t => {
  const stateDir = testFolder(t)
  const file = await keptForEver(stateDir)
  const shared: Spent = { spend: async () => 'first' }
  t.equal(await open(stateDir, shared), shared)
  await t.rejects(access(file), { code: 'ENOENT' })
  t.equal(await (await open(stateDir)).spend(shown('a')), 'too_early')
})
