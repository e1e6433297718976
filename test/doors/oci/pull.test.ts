// What waits may be gone when it is read: then it is not there.
import { Readable } from 'node:stream'
import t from 'tap'
import { createKept } from '../../../src/doors/oci/kept.ts'
import { readRepository, type OciRepository } from '../../../src/doors/oci/names.ts'
import { createPuller } from '../../../src/doors/oci/pull.ts'
import type { StoredVersions } from '../../../src/doors/oci/stored-versions.ts'
import { RefusalError } from '../../../src/http/errors.ts'
import { someAsker } from '../../helpers/askers.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const REPOSITORY = readRepository('org1/repo1/mychart', 2) as OciRepository
const DIGEST = `sha256:${'a'.repeat(64)}`

await t.test('what was there a moment ago, and is not any more, is unknown', async t => {
  const folder = await temporaryFolder(t)
  const kept = createKept(folder, error => { throw error })
  const puller = createPuller({} as StoredVersions, kept, { find: async () => ({ path: `${folder}/gone`, size: 5 }) })
  const blob = await puller.blob(REPOSITORY, DIGEST, someAsker())
  t.match(blob, { kind: 'stream', size: 5 })
  const refused = async (work: Promise<unknown>): Promise<unknown> => await work.then(() => undefined, (error: unknown) => error instanceof RefusalError ? error.refusal.code : error)
  const body = blob.kind === 'stream' ? await blob.open() : []
  t.equal(await refused(Readable.from(body as AsyncIterable<Uint8Array>).toArray()), 'oci_blob_unknown')
  t.equal(await refused(puller.manifest(REPOSITORY, { kind: 'digest', digest: DIGEST }, someAsker())), 'oci_manifest_unknown')
})
