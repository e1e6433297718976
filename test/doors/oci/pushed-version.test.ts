// A manifest that names provenance is no version without it.
import t from 'tap'
import { RefusalError } from '../../../src/http/errors.ts'
import { createPushedVersions } from '../../../src/doors/oci/pushed-version.ts'
import type { PushedManifest } from '../../../src/doors/oci/pushed-manifest.ts'
import type { StoredVersions } from '../../../src/doors/oci/stored-versions.ts'
import type { Waiting } from '../../../src/doors/oci/waiting.ts'
import { someAsker } from '../../helpers/askers.ts'
import { hexOf, repositoryOf } from '../../helpers/attaching.ts'

await t.test('provenance that another push has ended with just now is missing, and nothing is held', async t => {
  const described = (text: string): PushedManifest['archive'] => ({ hex: hexOf(text), size: text.length })
  const manifest: PushedManifest = { config: described('config'), archive: described('archive'), provenance: described('provenance') }
  for (const waits of [true, false]) {
    let held = 0
    const waiting: Pick<Waiting, 'hold'> = {
      async hold (_place, hex) {
        if (!waits || hex !== manifest.archive.hex) return undefined
        held++
        return { path: '/nowhere', size: 7, digest: hex, remove: async () => { held-- } }
      }
    }
    const versions = createPushedVersions(waiting as Waiting, {} as StoredVersions, { depth: 2, namesProvenanceBy: 'its text' })
    await t.rejects(versions.understand(repositoryOf('org1/repo1/mychart'), manifest, someAsker()), new RefusalError({ code: 'oci_manifest_blob_unknown' }))
    t.equal(held, 0)
  }
})
