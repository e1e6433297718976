// How many manifests of one version are kept, also of pushes that come at once.
import t from 'tap'
import { createKept, type Kept } from '../../../src/doors/oci/kept.ts'
import { createPushKeeper, type FoundManifest, type PushKeeper } from '../../../src/doors/oci/keep-push.ts'
import { createLocks } from '../../../src/lib/locks.ts'
import { RefusalError } from '../../../src/http/errors.ts'
import { hexOf, repositoryOf } from '../../helpers/attaching.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const CHART = repositoryOf('org1/repo1/mychart')
const MIB = 1024 * 1024

function manifestOf (text: string, version = '1.0.0'): FoundManifest {
  const bytes = Buffer.alloc(MIB, text)
  return { hex: hexOf(bytes), bytes, version, archive: { hex: hexOf(version), size: 5 }, config: { hex: hexOf('{}'), size: 2 }, configBytes: Buffer.from('{}'), provenanceBytes: undefined }
}

await t.test('manifests of one version have 4 MiB together, also when they are pushed at once, and each is kept once', async t => {
  // Two workers have one folder, and their locks in common.
  const [dir, locks] = [await temporaryFolder(t), createLocks()]
  const [kept, other] = [0, 1].map(() => createKept(dir, error => { throw error })) as [Kept, Kept]
  const keepers = [kept, other].map(each => createPushKeeper(each, locks))
  let pushes = 0
  const push = async (manifest: FoundManifest): Promise<unknown> => {
    const keeper = keepers[pushes++ % 2] as PushKeeper
    await keeper.checkRoom(CHART, manifest)
    return await keeper.keep(CHART, manifest).then(() => 'kept')
  }
  const codeOf = (error: unknown): unknown => error instanceof RefusalError ? error.refusal.code : error
  const all = 'abcdefghij'.split('').map(text => manifestOf(text))
  const ends = await Promise.all(all.map(async each => await push(each).catch(codeOf)))
  t.strictSame(ends.slice().sort(), [...Array.from({ length: 6 }, () => 'chart_exists'), ...Array.from({ length: 4 }, () => 'kept')])
  const there = await Promise.all(all.map(async ({ hex }) => await kept.find(CHART, hex)))
  t.equal(there.filter(each => each !== undefined).length, 4)
  for (const [at, end] of ends.entries()) t.equal(await push(all[at] as FoundManifest).catch(codeOf), end, 'once more')
  t.equal(await push(manifestOf('a', '2.0.0')), 'kept', 'of another version')
})
