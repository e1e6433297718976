// Class 55: something is attached by who may not, to what is somebody else's or is going, or is
// begun and never sent. Nothing of another tenant is had or changed by it, and nothing is left that
// belongs to no chart.
import { connect } from 'node:net'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { TestGateway } from '../helpers/app.ts'
import { attach, attachmentOf, cosignTag, referrersOf } from '../helpers/attached.ts'
import { inShort } from '../helpers/in-short.ts'
import { askOci, digestOfBytes, MANIFEST_TYPE, ociAsker, pushBlob, pushOci, pushOf, putManifest, type AskOci, type OciPush } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { overEachRepository } from '../helpers/repositories.ts'
import { untilTrue } from '../helpers/until.ts'
import type { Grant } from '../../src/words/access.ts'

const [MINE, BESIDE, THEIRS] = ['org1/repo1/mychart', 'org1/repo1/other', 'org2/repo2/mychart'] as const

/** Who has these rights on one repository. */
async function somebody (gateway: TestGateway, name: string, ...actions: Grant['actions']): Promise<AskOci> {
  const token = await gateway.token([{ type: 'repository', name, actions }])
  return ociAsker(gateway.url, () => `Bearer ${token}`)
}

async function attachmentsIn ({ config }: Pick<TestGateway, 'config'>, name: string): Promise<string[]> {
  return await readdir(join(config.stateDir, 'oci', name, '_attachments')).catch(() => [])
}

await overEachRepository(t, {}, async (t, { gateway }) => {
  const all = ociAsker(gateway.url, () => `Bearer ${gateway.masterKey}`)
  const charts = new Map<string, OciPush>()
  for (const name of [MINE, BESIDE, THEIRS]) {
    const chart = name.split('/').at(-1) as string
    const push = pushOf(chart, '1.0.0', { chart: await chartOf(chart, '1.0.0', [{ name: `${chart}/of`, body: name }]) })
    t.equal((await pushOci(all, name, '1.0.0', push)).status, 201)
    charts.set(name, push)
  }
  const chartAt = (name: string): OciPush => charts.get(name) as OciPush
  const sbomOf = (name: string, text = `an SBOM of ${name}`): OciPush => attachmentOf({ subject: chartAt(name), blobs: [Buffer.from(text)] })

  await t.test('each right is asked for, in this repository and in no other', async t => {
    const [reader, pusher] = [await somebody(gateway, MINE, 'pull'), await somebody(gateway, MINE, 'pull', 'push')]
    const [sbom, tag] = [sbomOf(MINE), cosignTag(chartAt(MINE).digest, 'sig')]
    for (const reference of [sbom.digest, tag]) t.equal((await putManifest(reader, MINE, reference, sbom.manifest)).status, 401)
    for (const name of [BESIDE, THEIRS]) {
      const theirs = sbomOf(name)
      t.equal((await putManifest(pusher, name, theirs.digest, theirs.manifest)).status, 401)
      t.equal((await pusher(`${name}/referrers/${chartAt(name).digest}`)).status, 401)
      t.equal((await attach(all, name, theirs)).status, 201)
      t.equal((await pusher(`${name}/manifests/${theirs.digest}`)).status, 401)
      t.match(await pusher(`${MINE}/manifests/${theirs.digest}`), { status: 404 })
      t.match(await pusher(`${MINE}/blobs/${digestOfBytes(Buffer.from(`an SBOM of ${name}`))}`), { status: 404 })
      t.match(await attach(pusher, MINE, theirs), { status: 400, codes: ['MANIFEST_INVALID'] }, 'attached to a chart of somebody else\'s')
      t.match(await attach(pusher, MINE, attachmentOf({ subject: theirs, blobs: [Buffer.from('x')] })), { status: 400 }, 'or to what is attached there')
      t.match(await attach(pusher, MINE, attachmentOf({ blobs: [Buffer.from('x')] }), cosignTag(chartAt(name).digest, 'sig')), { status: 400 })
    }
    for (const [of, reference] of [[sbom, sbom.digest], [attachmentOf({ blobs: [Buffer.from('a signature')] }), tag]] as const) {
      t.equal((await attach(pusher, MINE, of, reference)).status, 201)
      t.equal((await reader(`${MINE}/manifests/${reference}`)).status, 200)
      t.equal((await pusher(`${MINE}/manifests/${reference}`, { method: 'DELETE' })).status, 401, 'to push is not to delete')
      t.equal((await askOci(gateway.url, `${MINE}/manifests/${reference}`, undefined)).status, 401)
    }
    for (const reference of [sbom.digest, tag]) t.equal((await (await somebody(gateway, MINE, 'delete'))(`${MINE}/manifests/${reference}`, { method: 'DELETE' })).status, 202)
    t.strictSame(await attachmentsIn(gateway, MINE), [])
    for (const name of [BESIDE, THEIRS]) t.equal((await referrersOf(all, name, chartAt(name).digest)).length, 1)
  })

  await t.test('a manifest that never comes, or breaks off, attaches nothing and holds nobody up', async t => {
    const sbom = sbomOf(MINE, 'never')
    t.equal((await pushBlob(all, MINE, Buffer.from('never'))).status, 201)
    const head = `PUT /v2/${MINE}/manifests/${sbom.digest} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\nContent-Type: ${MANIFEST_TYPE}\r\nContent-Length: ${sbom.manifest.length}\r\n\r\n`
    const sockets = Array.from({ length: 50 }, (_, at) => {
      const socket = connect(gateway.port, '127.0.0.1').on('error', () => {})
      socket.write(head)
      socket.write(sbom.manifest.subarray(0, at))
      return socket
    })
    t.equal((await attach(all, MINE, sbomOf(MINE, 'another'))).status, 201, 'meanwhile')
    for (const socket of sockets) socket.destroy()
    await untilTrue(() => gateway.app.running().length === 0)
    t.match(await all(`${MINE}/manifests/${sbom.digest}`), { status: 404 })
    t.equal((await putManifest(all, MINE, sbom.digest, sbom.manifest)).status, 201, 'its blob waits still')
    t.equal((await putManifest(all, MINE, sbom.digest, Buffer.alloc(4 * 1024 * 1024 + 1))).status, 413)
  })

  await t.test('who may push and not delete takes nothing away that others attach, also with a chart that is attached to itself', async t => {
    const name = 'org1/repo1/trap'
    const push = pushOf('trap', '1.0.0', { chart: await chartOf('trap', '1.0.0') })
    const pusher = await somebody(gateway, name, 'pull', 'push')
    t.equal((await pushOci(pusher, name, '1.0.0', push)).status, 201)
    const tag = cosignTag(push.digest, 'att')
    t.equal((await putManifest(pusher, name, tag, push.manifest)).status, 201)
    const sbom = attachmentOf({ subject: push, blobs: [Buffer.from('an SBOM')] })
    t.equal((await attach(all, name, sbom)).status, 201)
    t.equal((await attach(pusher, name, attachmentOf({ blobs: [Buffer.from('another')] }), tag)).status, 201)
    t.match(await referrersOf(all, name, push.digest), [{ digest: sbom.digest }])
    t.equal((await putManifest(pusher, name, tag, push.manifest)).status, 201)
    t.equal((await all(`${name}/manifests/${push.digest}`, { method: 'DELETE' })).status, 202)
    t.equal((await all(`${name}/manifests/1.0.0`)).status, 404, 'and its digest names the version')
    t.strictSame(await attachmentsIn(gateway, name), [])
  })

  await t.test('of a chart that goes while things are attached to it nothing is left', async t => {
    for (let round = 0; round < inShort(3, 30); round++) {
      const name = `org1/repo1/going${round}`
      const push = pushOf(`going${round}`, '1.0.0', { chart: await chartOf(`going${round}`, '1.0.0') })
      t.equal((await pushOci(all, name, '1.0.0', push)).status, 201)
      const works = Array.from({ length: 8 }, async (_, at) => await attach(all, name, attachmentOf({ subject: push, blobs: [Buffer.from(`SBOM ${at}`)] })))
      const gone = await all(`${name}/manifests/1.0.0`, { method: 'DELETE' })
      t.equal(gone.status, 202)
      const statuses = (await Promise.all(works)).map(({ status }) => status)
      t.ok(statuses.every(status => status === 201 || status === 400 || status === 404), 'each is taken or told why not', { statuses })
      t.strictSame(await referrersOf(all, name, push.digest), [])
      await untilTrue(async () => (await all(`${name}/manifests/${push.digest}`)).status === 404)
    }
  })
})
