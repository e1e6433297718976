// Two gateways before one repository, each with a stateDir of its own: what one has answered or
// taken in at /v2/, and what the other knows of it.
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { ARCHIVE_TYPE, digestOfBytes, manifestIn, ociAsker, pushOci, pushOf } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { overEachRepository } from '../helpers/repositories.ts'

const CHART = 'org1/repo1/mychart'

await overEachRepository(t, {}, async (t, { gateway: one, origin, ask: askApi }) => {
  const stateDir = await temporaryFolder(t)
  const other = await startApp(t, { origin, config: config => ({ ...config, stateDir, upstream: { ...config.upstream, auth: 'none' } }) })
  const [here, there] = [one, other].map(({ url, masterKey }) => ociAsker(url, () => `Bearer ${masterKey}`)) as [ReturnType<typeof ociAsker>, ReturnType<typeof ociAsker>]

  await t.test('a chart that came by the API has one digest, which each knows when it was asked for the tag', async t => {
    t.equal((await askApi('POST', '/api/org1/repo1/charts', await chartOf('mychart', '0.1.0'))).status, 201)
    const manifest = await here(`${CHART}/manifests/0.1.0`)
    const digest = digestOfBytes(manifest.bytes)
    t.equal((await there(`${CHART}/manifests/${digest}`)).status, 404)
    t.ok((await there(`${CHART}/manifests/0.1.0`)).bytes.equals(manifest.bytes))
    t.equal((await there(`${CHART}/manifests/${digest}`)).status, 200)
  })

  await t.test('a pushed manifest is that of the tag where it was pushed; the archive is the same at both', async t => {
    const chart = await chartOf('mychart', '0.2.0')
    const push = pushOf('mychart', '0.2.0', { chart })
    t.equal((await pushOci(here, CHART, '0.2.0', push)).status, 201)
    t.equal((await here(`${CHART}/manifests/0.2.0`)).headers['docker-content-digest'], push.digest)
    const manifest = await there(`${CHART}/manifests/0.2.0`)
    t.not(manifest.headers['docker-content-digest'], push.digest)
    t.equal((await there(`${CHART}/manifests/${push.digest}`)).status, 404)
    const archive = manifestIn(manifest).layers.find(({ mediaType }) => mediaType === ARCHIVE_TYPE)?.digest
    t.equal(archive, digestOfBytes(chart))
    for (const ask of [here, there]) t.ok((await ask(`${CHART}/blobs/${digestOfBytes(chart)}`)).bytes.equals(chart))
  })
}, [2])
