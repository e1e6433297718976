import t from 'tap'
import { certificatesPart, openCertificates } from '../../src/live/live-certificates.ts'
import type { Look } from '../../src/live/part.ts'
import { testConfig } from '../helpers/app.ts'

await t.test('whom certificates stand for follows the configuration', async t => {
  const config = testConfig('/nowhere', undefined)
  const live = openCertificates({ identity: { certificates: [{ name: 'ci', dns: 'ci' }] } })
  const part = certificatesPart(live)
  t.strictSame([await part.files(config), live.current.isActive('cert:ci')], [[], true])
  t.strictSame(await part.load({ config } as Look, { info () {}, warn () {}, error () {} }), { changed: [], mistakes: [], again: false })
  t.equal(live.current.isActive('cert:ci'), false)
})
