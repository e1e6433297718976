// A push whose requests come to one worker and the other by turns is a push as any other: what
// waits is in one folder, and no worker knows more of it than the others.
import type { Agent } from 'node:http'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { digestOfBytes, MANIFEST_TYPE, placeOf, pushBlob, pushOf, putManifest } from '../../helpers/oci.ts'
import { chartOf } from '../../helpers/packages.ts'
import { connectionTo, ociOver, startSeveral } from '../../helpers/several.ts'

const CHART = 'org1/repo1/mychart'

await t.test('requests of a push alternate between two workers', async t => {
  const gateway = await startSeveral(t)
  const one = await connectionTo(gateway, t)
  const two = await connectionTo(gateway, t, pid => pid !== one.pid)
  let turn = 0
  const ask = ociOver(gateway, () => [one, two][turn++ % 2]?.agent as Agent)
  const chart = await chartOf('mychart', '1.0.0')
  const push = pushOf('mychart', '1.0.0', { chart })
  const [config, archive] = push.blobs as [Buffer, Buffer]

  t.equal((await pushBlob(ask, CHART, config)).status, 201)
  let place = placeOf(await ask(`${CHART}/blobs/uploads/`, { method: 'POST' }))
  for (const part of [archive.subarray(0, 100), archive.subarray(100, 200), archive.subarray(200)]) {
    const answer = await ask(place, { method: 'PATCH', body: part })
    t.equal(answer.status, 202)
    place = placeOf(answer)
  }
  t.equal((await ask(`${place}&digest=${digestOfBytes(archive)}`, { method: 'PUT' })).status, 201)
  t.equal((await putManifest(ask, CHART, push.digest, push.manifest)).status, 201)
  t.match(await ask(`${CHART}/manifests/${push.digest}`), { status: 200, bytes: push.manifest, headers: { 'content-type': MANIFEST_TYPE } })
  t.equal((await putManifest(ask, CHART, '1.0.0', push.manifest)).status, 201)
  for (const reference of ['1.0.0', push.digest, '1.0.0', push.digest]) t.equal((await ask(`${CHART}/manifests/${reference}`)).headers['docker-content-digest'], push.digest)
  for (const blob of [config, archive, archive, config]) t.ok((await ask(`${CHART}/blobs/${digestOfBytes(blob)}`)).bytes.equals(blob))
  const pids = new Set(gateway.log().filter(({ route }) => String(route).startsWith('oci-')).map(({ pid }) => pid))
  t.strictSame([...pids].sort(), [one.pid, two.pid].sort(), 'both have answered')
  const left = (await readdir(join(gateway.stateDir, 'spool', 'oci'), { recursive: true, withFileTypes: true })).filter(entry => entry.isFile())
  t.strictSame(left.map(({ name }) => name), ['_key'])

  t.equal((await ask(`${CHART}/manifests/1.0.0`, { method: 'DELETE' })).status, 202)
  for (const reference of ['1.0.0', push.digest, '1.0.0', push.digest]) t.equal((await ask(`${CHART}/manifests/${reference}`)).status, 404, 'and both have forgotten')
})
