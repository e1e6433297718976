// The conformance suite of the OCI distribution specification against the registry. It pushes
// images, indexes and things attached to them too, which are no charts: what of it passes, and
// what does not, is held against what is written down here.
import { join } from 'node:path'
import t from 'tap'
import { startGateway } from '../helpers/gateway.ts'
import { BUILD_LIMIT, goTool } from '../helpers/go-tool.ts'
import { notTried } from '../helpers/not-tried.ts'
import { run, temporaryFolder } from '../helpers/processes.ts'
import { newMasterKey } from '../helpers/secrets.ts'

/** Groups of tests that push what is no chart; whatever else fails is a mistake of ours. */
const NO_CHARTS = [
  'artifact', 'artifact-index', 'artifact-without-layers', 'artifacts-with-subject', 'custom-fields', 'data-field', 'empty-index', 'image',
  'image-uncompressed', 'index', 'index-with-subject', 'large-manifest', 'missing-subject', 'nested-index', 'no-layers', 'non-distributable-layers'
]
/** How many pass: fewer are a mistake, more are to be written down. */
const PASSES = 329

t.setTimeout(BUILD_LIMIT)
const suite = await goTool('conformance')
if (suite.ok) await conform(suite.path)
else await notTried(t, 'the conformance suite of the distribution specification', suite.reason)

async function conform (program: string): Promise<void> {
  await t.test('blobs, errors, tags and deletes are those of the specification, and nothing but a chart is taken', async t => {
    const masterKey = newMasterKey()
    const { url } = await startGateway(t, { masterKey })
    const home = await temporaryFolder(t)
    const { stdout, stderr } = await run(program, [], {
      cwd: home,
      env: {
        HOME: home,
        OCI_REGISTRY: new URL(url).host,
        OCI_TLS: 'disabled',
        OCI_REPO1: 'org1/repo1/conformance',
        OCI_REPO2: 'org2/repo2/conformance',
        OCI_USERNAME: 'any',
        OCI_PASSWORD: masterKey,
        OCI_VERSION: '1.1',
        OCI_RESULTS_DIR: join(home, 'results'),
        OCI_DATA_SHA512: 'false'
      }
    })
    const output = stdout + stderr
    const failed = [...output.matchAll(/msg="failed test" name="OCI Conformance Test\/([^/"]+)/g)].map(([, group]) => group as string)
    t.strictSame([...new Set(failed)].sort(), NO_CHARTS, 'no other group fails')
    t.match(output, /Blobs sha256\.+: +Pass/, 'pushed in one go, in chunks, as a stream, mounted, read in parts')
    t.equal(Number(/^ +Pass\.+: +(\d+)$/m.exec(output)?.[1]), PASSES)
    t.match(output, /^ +Error\.+: +0$/m)
  })
}
