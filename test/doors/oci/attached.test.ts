// What is attached is answered while its chart is stored, and no more is asked of the repository than has to be.
import t from 'tap'
import { attachmentOf, cosignTag } from '../../helpers/attached.ts'
import { attachingIn, hexOf, repositoryOf, storeVersion, type AttachingParts } from '../../helpers/attaching.ts'
import { someAsker } from '../../helpers/askers.ts'
import { temporaryFolder } from '../../helpers/processes.ts'

const CHART = repositoryOf('org1/repo1/mychart')

await t.test('a blob or a manifest that is attached to many versions is asked for at one of them', async t => {
  let looks = 0
  const parts: AttachingParts = { stored: new Map(), beforeLook: async () => { looks++ } }
  const { attach, attached, kept } = attachingIn(await temporaryFolder(t), parts)
  const blob = Buffer.from('the same')
  const signature = attachmentOf({ blobs: [blob] })
  for (let at = 0; at < 20; at++) {
    const { digest } = await storeVersion({ kept }, parts, CHART, `1.0.${at}`)
    await attach(CHART, signature, { tag: cosignTag(digest, 'sig') })
  }
  const reference = { kind: 'digest', digest: signature.digest } as const
  looks = 0
  t.match(await attached.blob(CHART, hexOf(blob), someAsker()), { size: blob.length })
  t.equal(looks, 1)
  t.match(await attached.manifest(CHART, reference, someAsker()), { bytes: signature.manifest })
  t.equal(looks, 2)
  t.equal((await attached.named(CHART, reference, someAsker())).length, 20)
  parts.stored.delete(`${CHART.name} 1.0.0`)
  t.match(await attached.blob(CHART, hexOf(blob), someAsker()), { size: blob.length }, 'of another one when that has gone')
  parts.stored.clear()
  t.equal(await attached.blob(CHART, hexOf(blob), someAsker()), undefined)
  t.equal(await attached.manifest(CHART, reference, someAsker()), undefined)
})
