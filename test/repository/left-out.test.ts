// A file that is in the folder of a tenant and in no index is one warning: what somebody put
// there by hand would be missed without a word.
import { copyFileSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { testFolder } from '../helpers/folder.ts'
import { chartOf } from '../helpers/packages.ts'
import { STORES, unpackStore } from '../helpers/stores.ts'
import { until } from '../helpers/until.ts'
import { OPEN, openEmbedded } from './servers.ts'
import { exchange } from './recordings.ts'

interface LeftOut { readonly event: string, readonly tenant: string, readonly file: string, readonly reason: string }

async function start (folder: string): Promise<{ index (tenant: string): Promise<string>, said (): LeftOut[], stop (): Promise<void> }> {
  const events: LeftOut[] = []
  const repository = await openEmbedded(folder, OPEN, event => { events.push(event as LeftOut) })
  await new Promise<void>(resolve => { repository.server.listen(0, '127.0.0.1', resolve) })
  const { port } = repository.server.address() as { port: number }
  return {
    index: async tenant => String((await exchange(port, 'GET', `/${tenant}/index.yaml`)).body),
    said: () => events.filter(({ event }) => event === 'file_left_out').splice(0),
    stop: async () => { await repository.close() }
  }
}

await t.test('what is in no index of the stores of the world is one warning each, and what is no chart\'s file is none', async t => {
  const folder = testFolder(t)
  for (const store of STORES) await unpackStore(store, join(folder, 'org', store.case))
  const { index, said, stop } = await start(folder)
  t.teardown(stop)
  for (const store of STORES) {
    for (let i = 0; i < 3; i++) await index(`org/${store.case}`)
    const listed = store.case === 'paren2' ? ['mychart-0.1.0.tgz'] : store.chartmuseum.map(({ url }) => url.slice('charts/'.length))
    const left = store.files.filter(file => file.endsWith('.tgz') && !listed.includes(file))
    t.strictSame(said().filter(({ tenant }) => tenant === `org/${store.case}`).map(({ file, reason }) => [file, reason.length > 2]), left.map(file => [file, true]), store.case)
  }
})

await t.test('a file that comes later is said then, and once', async t => {
  const folder = testFolder(t)
  const tenant = join(folder, 'a', 'b')
  mkdirSync(tenant, { recursive: true })
  writeFileSync(join(tenant, 'good-1.0.0.tgz'), await chartOf('good', '1.0.0'))
  const { index, said, stop } = await start(folder)
  t.teardown(stop)
  await index('a/b')
  t.strictSame(said(), [])
  copyFileSync(join(tenant, 'good-1.0.0.tgz'), join(tenant, 'good-1.0.0 (1).tgz'))
  writeFileSync(join(tenant, 'broken\u2028-1.0.0.tgz'), 'x')
  await until(async () => {
    await index('a/b')
    return said().length >= 2 ? true : undefined
  })
  for (let i = 0; i < 3; i++) await index('a/b')
  t.strictSame(said().map(({ tenant, file }) => `${tenant} ${file}`).sort(), ['a/b broken\\u{2028}-1.0.0.tgz', 'a/b good-1.0.0 (1).tgz'])
})
