// What was attached to a version that was deleted elsewhere goes, a day later and not before.
import { mkdir, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { createAttachmentSweep } from '../../../src/doors/oci/attachment-sweep.ts'
import type { StoredVersions } from '../../../src/doors/oci/stored-versions.ts'
import { RefusalError } from '../../../src/http/errors.ts'
import { attachmentOf } from '../../helpers/attached.ts'
import { attachingIn, repositoryOf, storeVersion, type AttachingParts } from '../../helpers/attaching.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const [ONE, OTHER] = [repositoryOf('org1/repo1/one'), repositoryOf('org1/repo1/other')]
const HOUR = 60 * 60_000

await t.test('it is left while its version may come back, and while nobody says whether it is there', async t => {
  const dir = await temporaryFolder(t)
  const parts: AttachingParts = { stored: new Map() }
  const worker = attachingIn(dir, parts)
  const [first, second, third] = [await storeVersion(worker, parts, ONE, '1.0.0'), await storeVersion(worker, parts, ONE, '2.0.0'), await storeVersion(worker, parts, OTHER, '1.0.0')]
  for (const subject of [first, second]) for (const text of ['SBOM', 'signature']) await worker.attach(ONE, attachmentOf({ subject, blobs: [Buffer.from(text)] }))
  await worker.attach(OTHER, attachmentOf({ subject: third, blobs: [Buffer.from('SBOM')] }))
  await mkdir(join(dir, 'oci', 'org1', 'of another depth', '_attachments'), { recursive: true })
  const countOf = async ({ name }: typeof ONE): Promise<number> => (await readdir(join(dir, 'oci', name, '_attachments'))).length

  let [now, isAway] = [0, false]
  const asked: string[] = []
  const stored: Pick<StoredVersions, 'listed'> = {
    async listed (repository, version, asker) {
      asked.push(`${repository.name} ${version} by ${asker.party}`)
      if (isAway) throw new RefusalError({ code: 'upstream_away' })
      const archive = parts.stored.get(`${repository.name} ${version}`)
      return archive === undefined ? undefined : { archive } as NonNullable<Awaited<ReturnType<StoredVersions['listed']>>>
    }
  }
  const sweep = createAttachmentSweep({ attachments: worker.attachments, stored, depth: 2, clock: () => now })
  const after = async (hours: number): Promise<void> => {
    now += hours * HOUR
    await sweep()
  }

  await after(0)
  t.strictSame(asked.sort(), ['org1/repo1/one 1.0.0 by the gateway itself', 'org1/repo1/one 2.0.0 by the gateway itself', 'org1/repo1/other 1.0.0 by the gateway itself'], 'each version is asked for once')
  const gone = parts.stored.get('org1/repo1/one 1.0.0') as string
  parts.stored.delete('org1/repo1/one 1.0.0')
  for (let hour = 0; hour < 24; hour++) await after(1)
  t.equal(await countOf(ONE), 4, 'missing for 23 hours')
  parts.stored.set('org1/repo1/one 1.0.0', gone)
  await after(1)
  parts.stored.set('org1/repo1/one 1.0.0', 'another archive')
  await after(1)
  await after(20)
  isAway = true
  await after(10)
  t.equal(await countOf(ONE), 4, 'missing anew, and nobody says of now')
  isAway = false
  await after(1)
  t.equal(await countOf(ONE), 2, 'and still, which is more than a day')
  t.equal(await countOf(OTHER), 1)
})
