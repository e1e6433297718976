// What is no refusal is passed on as it is, and what waits is left for whoever tries again.
import t from 'tap'
import { readRepository, type OciRepository } from '../../../src/doors/oci/names.ts'
import { readManifest } from '../../../src/doors/oci/read-manifest.ts'
import { createLocks } from '../../../src/lib/locks.ts'
import { createPusher, type PusherParts } from '../../../src/doors/oci/push.ts'
import { someAsker } from '../../helpers/askers.ts'
import { MANIFEST_TYPE, pushOf } from '../../helpers/oci.ts'

await t.test('a fault of ours is no reason to forget what was pushed', async t => {
  const fault = new Error('nobody expected this')
  const removed: string[] = []
  const waiting = {
    find: async () => { throw fault },
    remove: async (_place: unknown, _kind: unknown, hex: string) => { removed.push(hex) }
  }
  const pusher = createPusher({ waiting, locks: createLocks() } as unknown as PusherParts)
  const { manifest } = pushOf('mychart', '1.0.0', { chart: Buffer.from('chart') })
  const repository = readRepository('org1/repo1/mychart', 2) as OciRepository
  const incoming = { repository, bytes: manifest, manifest: readManifest(manifest, MANIFEST_TYPE), asker: someAsker(), version: '1.0.0', found: async () => {} }
  await t.rejects(pusher.commit(incoming), fault)
  t.strictSame(removed, [])
})
