// Class 54: pushes to a registry that are begun and not finished, broken off, forged or meant
// for somebody else. What waits is bounded for each repository, tenant and all, nothing of
// another tenant is had by it, and who does all this keeps nobody else from pushing.
import { connect } from 'node:net'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { askOci, digestOfBytes, ociAsker, placeOf, pushBlob, pushOci, pushOf, putManifest, type AskOci } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { inShort } from '../helpers/in-short.ts'
import { overEachRepository } from '../helpers/repositories.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'
import { untilTrue } from '../helpers/until.ts'
import type { Grant } from '../../src/words/access.ts'

const [MINE, THEIRS] = ['org1/repo1/mychart', 'org2/repo2/mychart'] as const

async function waitingOf ({ config }: Pick<TestGateway, 'config'>): Promise<string[]> {
  const folder = join(config.stateDir, 'spool', 'oci')
  const files = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return files.filter(entry => entry.isFile() && entry.name !== '_key').map(({ parentPath, name }) => join(parentPath, name).slice(folder.length + 1))
}

/** Who may push to one repository, and pull from it. */
async function pusherOf (gateway: TestGateway, name: string, ...actions: Grant['actions']): Promise<AskOci> {
  const token = await gateway.token([{ type: 'repository', name, actions: actions.length === 0 ? ['pull', 'push'] : actions }])
  return ociAsker(gateway.url, () => `Bearer ${token}`)
}

async function startBefore (t: Test, spool?: number): Promise<TestGateway> {
  const stub = await startStubUpstream(t)
  stub.answer = ({ method }) => method === 'POST' ? { status: 201, body: '{"saved":true}' } : { status: 404, body: '{"error":"not found"}' }
  return await startApp(t, { origin: stub.origin, config: config => ({ ...config, log: { ...config.log, reads: false }, ...(spool === undefined ? {} : { charts: { ...config.charts, maxUploadSize: 1024 * 1024, spool: { maxBytes: spool } } }) }) })
}

await t.test('ten thousand uploads that nobody finishes are bounded, and others push meanwhile', async t => {
  const gateway = await startBefore(t)
  const statuses = new Map<number, number>()
  const names = Array.from({ length: 100 }, (_, i) => `org1/repo1/chart${i}`)
  const pushers = await Promise.all(names.map(async name => ({ name, ask: await pusherOf(gateway, name) })))
  const theirs = await pusherOf(gateway, THEIRS)
  const push = pushOf('mychart', '1.0.0', { chart: await chartOf('mychart', '1.0.0') })
  await Promise.all(pushers.map(async ({ name, ask }) => {
    for (let i = 0; i < inShort(20, 100); i++) {
      const { status } = await ask(`${name}/blobs/uploads/`, { method: 'POST' })
      statuses.set(status, (statuses.get(status) ?? 0) + 1)
    }
  }))
  const begun = statuses.get(202) ?? 0
  t.ok(begun > 768 && begun <= 1_024, `${begun} are begun`)
  t.equal(statuses.get(429), 100 * inShort(20, 100) - begun, 'and no more')
  t.equal((await waitingOf(gateway)).length, begun)
  for (const blob of push.blobs) t.equal((await pushBlob(theirs, THEIRS, blob)).status, 201, 'another tenant')
  t.equal((await fetch(`${gateway.url}/api/org1/repo1/charts`, { method: 'POST', headers: { authorization: `Bearer ${gateway.masterKey}` }, body: new Uint8Array(await chartOf('classic', '1.0.0')) })).status, 201, 'the same tenant by the API')
  const refused = Array.from({ length: 257 }, async () => await askOci(gateway.url, `${names[0] as string}/blobs/uploads/`, `Bearer ${gateway.masterKey}`, { method: 'POST' }))
  t.match((await Promise.all(refused)).find(({ status }) => status !== 202), { status: 429, codes: ['TOOMANYREQUESTS'], headers: { 'retry-after': '5' } })
})

await t.test('one repository has its part of what its tenant may begin', async t => {
  const gateway = await startBefore(t)
  const ask = await pusherOf(gateway, MINE)
  const places: string[] = []
  for (let i = 0; i < 256; i++) places.push(placeOf(await ask(`${MINE}/blobs/uploads/`, { method: 'POST' })))
  t.equal((await ask(`${MINE}/blobs/uploads/`, { method: 'POST' })).status, 429)
  t.equal((await (await pusherOf(gateway, 'org1/repo1/other'))('org1/repo1/other/blobs/uploads/', { method: 'POST' })).status, 202)
  t.equal((await ask(places[0] as string, { method: 'DELETE' })).status, 204)
  t.equal((await ask(`${MINE}/blobs/uploads/`, { method: 'POST' })).status, 202)
})

await t.test('bytes that wait have the room of a tenant, and of the spool', async t => {
  const gateway = await startBefore(t, 8 * 1024 * 1024)
  const [mine, theirs] = [await pusherOf(gateway, MINE), await pusherOf(gateway, THEIRS)]
  const noise = (byte: number): Buffer => Buffer.alloc(1024 * 1024, byte)
  for (const byte of [1, 2]) t.equal((await pushBlob(mine, MINE, noise(byte))).status, 201)
  t.match(await pushBlob(mine, MINE, noise(3)), { status: 429, codes: ['TOOMANYREQUESTS'] }, 'a quarter of it for a tenant')
  for (const byte of [1, 2]) t.equal((await pushBlob(theirs, THEIRS, noise(byte))).status, 201)
  const third = await pusherOf(gateway, 'org3/repo3/x')
  t.match(await pushBlob(third, 'org3/repo3/x', noise(1)), { status: 503, codes: ['UNAVAILABLE'] }, 'and half of it for all')
  t.equal((await waitingOf(gateway)).filter(file => file.includes('_uploads')).length, 0, 'nothing stays of what was refused')
  t.equal(gateway.spool.left(), 4 * 1024 * 1024, 'the rest is there for the API')
})

await t.test('what breaks off leaves an upload as it was, and of a whole blob or a manifest nothing', async t => {
  const gateway = await startBefore(t)
  const ask = await pusherOf(gateway, MINE)
  const token = await gateway.token([{ type: 'repository', name: MINE, actions: ['push'] }])
  const place = placeOf(await ask(`${MINE}/blobs/uploads/`, { method: 'POST' }))
  const cases = [['PATCH', place], ['POST', `${MINE}/blobs/uploads/?digest=${digestOfBytes(Buffer.from('x'))}`], ['PUT', `${MINE}/manifests/1.0.0`]] as const
  for (const [method, path] of cases) {
    const before = gateway.log.length
    const socket = connect(gateway.port, '127.0.0.1')
    socket.write(`${method} /v2/${path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\nContent-Length: 1000\r\n\r\nhalf`)
    await untilTrue(async () => method === 'PUT' ? gateway.app.running().length > 0 : (await waitingOf(gateway)).some(file => file.endsWith('.busy')))
    socket.destroy()
    await untilTrue(() => gateway.log.slice(before).some(({ decision }) => decision === 'aborted'))
    await untilTrue(async () => !(await waitingOf(gateway)).some(file => file.endsWith('.busy')))
  }
  t.match(await waitingOf(gateway), [/_uploads/])
  t.match(await ask(place), { status: 204, headers: { range: '0-0' } })
})

await overEachRepository(t, {}, async (t, repository) => {
  const { gateway } = repository
  const [mine, theirs] = [await pusherOf(gateway, MINE), await pusherOf(gateway, THEIRS)]
  const secret = pushOf('mychart', '1.0.0', { chart: await chartOf('mychart', '1.0.0', [{ name: 'mychart/secret', body: 'theirs' }]) })
  const waits = pushOf('mychart', '2.0.0', { chart: await chartOf('mychart', '2.0.0', [{ name: 'mychart/secret', body: 'theirs' }]) })
  t.equal((await pushOci(theirs, THEIRS, '1.0.0', secret)).status, 201)
  for (const blob of waits.blobs) t.equal((await pushBlob(theirs, THEIRS, blob)).status, 201)
  t.equal((await putManifest(theirs, THEIRS, waits.digest, waits.manifest)).status, 201)

  await t.test('nothing of another tenant is read, mounted, named, gone on with or deleted', async t => {
    const begun = placeOf(await theirs(`${THEIRS}/blobs/uploads/`, { method: 'POST' }))
    for (const { blobs, manifest, digest } of [secret, waits]) {
      for (const blob of blobs) {
        const named = digestOfBytes(blob)
        t.match(await mine(`${MINE}/blobs/${named}`, { method: 'HEAD' }), { status: 404 })
        t.match(await mine(`${THEIRS}/blobs/${named}`), { status: 401 })
        t.match(await mine(`${MINE}/blobs/uploads/?mount=${named}&from=${THEIRS}`, { method: 'POST' }), { status: 202 }, 'as of what is not there')
      }
      t.match(await mine(`${MINE}/manifests/${digest}`), { status: 404 })
      t.match(await putManifest(mine, MINE, digest, manifest), { status: 400, codes: ['MANIFEST_BLOB_UNKNOWN'] })
      t.match(await putManifest(mine, MINE, '1.0.0', manifest), { status: 400, codes: ['MANIFEST_BLOB_UNKNOWN'] })
      t.match(await mine(`${MINE}/manifests/${digest}`, { method: 'DELETE' }), { status: 401 }, 'without the right to')
    }
    t.match(await mine(begun, { method: 'PATCH', body: 'x' }), { status: 401 })
    t.match(await mine(begun.replace(THEIRS, MINE), { method: 'PATCH', body: 'x' }), { status: 404 })
    t.strictSame(await repository.files('org1/repo1'), [])
  })

  await t.test('who may push and not pull mounts nothing, and who may pull pushes nothing', async t => {
    const [pusher, reader] = [await pusherOf(gateway, THEIRS, 'push'), await pusherOf(gateway, THEIRS, 'pull')]
    const digest = digestOfBytes(secret.blobs[1] as Buffer)
    t.match(await pusher(`${THEIRS}/blobs/uploads/?mount=${digest}&from=${THEIRS}`, { method: 'POST' }), { status: 202 })
    t.match(await pusher(`${THEIRS}/blobs/${digest}`), { status: 401 })
    for (const [method, path] of [['POST', 'blobs/uploads/'], ['PUT', 'manifests/1.0.0'], ['DELETE', 'manifests/1.0.0'], ['POST', `blobs/uploads/?digest=${digest}`]] as const) t.match(await reader(`${THEIRS}/${path}`, { method }), { status: 401 }, `${method} ${path}`)
    t.match(await theirs(`${THEIRS}/manifests/1.0.0`, { method: 'DELETE' }), { status: 401 }, 'to push is not to delete')
    t.match(await reader(`${THEIRS}/manifests/1.0.0`), { status: 200 })
  })
})
