// A push to the registry of bytes that are stored already, at every moment of which somebody else
// overwrites or deletes the version: what is there in the end is one version, with what belongs to it.
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import t, { type Test } from 'tap'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { attach, attachmentOf } from '../helpers/attached.ts'
import { startFaultyUpstream, type Fault, type FaultyUpstream } from '../helpers/faulty-upstream.ts'
import { ARCHIVE_TYPE, digestOfBytes, manifestIn, MANIFEST_TYPE, ociAsker, pushBlob, pushOci, pushOf, putManifest, type AskOci, type OciAnswer } from '../helpers/oci.ts'
import { chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { askAs } from '../helpers/repositories.ts'
import { until } from '../helpers/until.ts'
import { OPEN, startEmbedded } from '../repository/servers.ts'

const TENANT = 'org1/repo1'

interface Lab {
  readonly gateway: TestGateway
  readonly between: FaultyUpstream
  readonly ask: AskOci
  /** Of the repository behind it. */
  readonly origin: string
  /** What the repository has, and what the registry keeps of a chart. */
  files (): Promise<string[]>
  kept (chart: string): Promise<string[]>
  api (method: string, path: string, body?: Buffer): Promise<number>
}

async function open (t: Test): Promise<Lab> {
  const dir = await temporaryFolder(t)
  const { port } = await startEmbedded(t, dir, { ...OPEN, allowOverwrite: true, depth: 2 })
  const between = await startFaultyUpstream(t, `http://127.0.0.1:${port}`)
  const gateway = await startApp(t, { origin: between.origin, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
  return {
    gateway,
    between,
    origin: `http://127.0.0.1:${port}`,
    ask: ociAsker(gateway.url, () => `Bearer ${gateway.masterKey}`),
    files: async () => (await readdir(join(dir, TENANT)).catch(() => [])).filter(file => file.includes('.tgz')).sort(),
    kept: async chart => await readdir(join(gateway.config.stateDir, 'oci', TENANT, chart, '_content')).catch(() => []),
    api: async (method, path, body) => (await askAs(gateway, method, `/api/${TENANT}/charts${path}`, body)).status
  }
}

/**
 * Puts a manifest of which the archive is stored, and does something before the repository is asked for the n-th time;
 * what waits for the push to end is given time, and no more.
 */
async function putWhile ({ between, ask }: Lab, name: string, manifest: Buffer, n: number, work: () => Promise<Fault | undefined>): Promise<{ answer: OciAnswer, isReached: boolean }> {
  let asked = 0
  let working: Promise<Fault | undefined> | undefined
  between.fault = async () => {
    if (++asked !== n) return undefined
    working = work()
    return await Promise.race([working, sleep(150, undefined)])
  }
  const answer = await putManifest(ask, name, '1.0.0', manifest)
  between.fault = () => undefined
  await working
  return { answer, isReached: working !== undefined }
}

/** So often the repository is asked at least, for a push of what it has. */
const LEAST = 4
const MOST = 30

for (const isSigned of [false, true]) {
  const what = isSigned ? 'with new provenance' : 'under another manifest'
  await t.test(`the same again ${what}, while it is overwritten: what is pulled then is whole, and keeps its signature`, async t => {
    const lab = await open(t)
    const { ask, api } = lab
    let n = 0
    for (let isReached = true; isReached && n < MOST;) {
      const chart = `same${++n}`
      const name = `${TENANT}/${chart}`
      const [before, after] = await Promise.all(['before', 'after'].map(async body => await chartOf(chart, '1.0.0', [{ name: `${chart}/which`, body }]))) as [Buffer, Buffer]
      const provenance = isSigned ? { provenance: provenanceOf(chart, '1.0.0') } : {}
      t.equal((await pushOci(ask, name, '1.0.0', pushOf(chart, '1.0.0', { chart: before }))).status, 201)
      const again = pushOf(chart, '1.0.0', { chart: before, created: '2026-02-02T00:00:00Z', ...provenance })
      for (const blob of again.blobs.slice(2)) t.equal((await pushBlob(ask, name, blob)).status, 201)
      const signature: { digest?: string } = {}
      let pulled: OciAnswer | undefined
      const done = await putWhile(lab, name, again.manifest, n, async () => {
        t.equal(await api('POST', '?force', after), 201)
        pulled = await ask(`${name}/manifests/1.0.0`)
        const made = attachmentOf({ subject: { manifest: pulled.bytes, digest: digestOfBytes(pulled.bytes) }, blobs: [Buffer.from(`signed ${n}`)] })
        t.equal((await attach(ask, name, made)).status, 201)
        signature.digest = made.digest
        return undefined
      })
      isReached = done.isReached
      t.ok([201, 400, 409].includes(done.answer.status), `it was ${done.answer.status}`)
      if (pulled === undefined) continue
      t.equal(manifestIn(pulled).layers.find(({ mediaType }) => mediaType === ARCHIVE_TYPE)?.digest, digestOfBytes(after), `${n}`)
      t.ok((await ask(`${name}/manifests/${digestOfBytes(pulled.bytes)}`)).bytes.equals(pulled.bytes), `${n}: what was pulled is had by its digest`)
      t.equal((await ask(`${name}/manifests/${signature.digest}`)).status, 200, `${n}: and so is its signature`)
      t.ok((await ask(`${name}/manifests/1.0.0`)).bytes.equals(pulled.bytes), `${n}: it has the tag`)
      t.notOk((await lab.files()).includes(`${chart}-1.0.0.tgz.prov`), `${n}: provenance of what was there before is gone`)
    }
    t.ok(n > LEAST && n < MOST, `${n} moments`)
  })

  await t.test(`the same again ${what}, while it is deleted: all of it is there, or nothing`, async t => {
    const lab = await open(t)
    const { ask, api } = lab
    let n = 0
    for (let isReached = true; isReached && n < MOST;) {
      const chart = `gone${++n}`
      const name = `${TENANT}/${chart}`
      const archive = await chartOf(chart, '1.0.0')
      const provenance = isSigned ? { provenance: provenanceOf(chart, '1.0.0') } : {}
      t.equal((await pushOci(ask, name, '1.0.0', pushOf(chart, '1.0.0', { chart: archive }))).status, 201)
      const again = pushOf(chart, '1.0.0', { chart: archive, created: '2026-02-02T00:00:00Z', ...provenance })
      for (const blob of again.blobs.slice(2)) t.equal((await pushBlob(ask, name, blob)).status, 201)
      const { answer, isReached: isDone } = await putWhile(lab, name, again.manifest, n, async () => {
        t.equal(await api('DELETE', `/${chart}/1.0.0`), 200)
        return undefined
      })
      isReached = isDone
      t.ok([201, 400].includes(answer.status), `${n}: it was ${answer.status}`)
      if (answer.status === 400) t.strictSame(answer.codes, ['MANIFEST_BLOB_UNKNOWN'], `${n}`)
      if (!isReached) continue
      t.strictSame((await lab.files()).filter(file => file.startsWith(`${chart}-`)), [], `${n}`)
      t.strictSame(await lab.kept(chart), [], `${n}: nothing is kept of it`)
    }
    t.ok(n > LEAST && n < MOST, `${n} moments`)
  })
}

await t.test('under a tag of no version a blob that was not pushed is missing, too', async t => {
  const { ask } = await open(t)
  const push = pushOf('tagged', '1.0.0', { chart: await chartOf('tagged', '1.0.0') })
  t.match(await putManifest(ask, `${TENANT}/tagged`, 'latest', push.manifest), { status: 400, codes: ['MANIFEST_BLOB_UNKNOWN'] })
})

await t.test('provenance that was stored once is compared with what is stored now', async t => {
  const { gateway, ask, api, files } = await open(t)
  const name = `${TENANT}/proved`
  const [chart, provenance] = [await chartOf('proved', '1.0.0'), provenanceOf('proved', '1.0.0')]
  const push = pushOf('proved', '1.0.0', { chart, provenance })
  t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201)
  t.equal(await api('DELETE', '/proved/1.0.0'), 200)
  t.equal(await api('POST', '', chart), 201)
  t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201)
  t.strictSame(await files(), ['proved-1.0.0.tgz', 'proved-1.0.0.tgz.prov'])
  const form = formOf([{ field: 'chart', filename: 'c', body: chart }, { field: 'prov', filename: 'p', body: `${provenance}\n` }])
  t.equal((await fetch(`${gateway.url}/api/${TENANT}/charts?force`, { method: 'POST', body: form.body, headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': form.contentType } })).status, 201)
  t.match(await pushOci(ask, name, '1.0.0', push), { status: 409, codes: ['DENIED'] }, 'another one is there')
})

await t.test('a manifest that is put under another tag at the same time takes nothing of what the first is answered with', async t => {
  const { ask, files } = await open(t)
  for (let i = 0; i < 8; i++) {
    const chart = `both${i}`
    const name = `${TENANT}/${chart}`
    const provenance = provenanceOf(chart, '1.0.0')
    const push = pushOf(chart, '1.0.0', { chart: await chartOf(chart, '1.0.0'), provenance })
    for (const blob of push.blobs) t.equal((await pushBlob(ask, name, blob)).status, 201)
    const [made, other] = await Promise.all([putManifest(ask, name, '1.0.0', push.manifest), sleep(2 * i).then(async () => await putManifest(ask, name, 'latest', push.manifest))])
    t.match(other, { status: 400 })
    t.ok([201, 400].includes(made.status), `it was ${made.status}`)
    const isThere = made.status === 201
    for (const file of [`${chart}-1.0.0.tgz`, `${chart}-1.0.0.tgz.prov`]) t.equal((await files()).includes(file), isThere, file)
    for (const blob of isThere ? push.blobs : []) t.equal((await ask(`${name}/blobs/${digestOfBytes(blob)}`)).status, 200)
  }
})

await t.test('a client that leaves while it waits for what somebody else has asked for keeps nobody out', async t => {
  const { gateway, ask, between } = await open(t)
  const name = `${TENANT}/left`
  const push = pushOf('left', '1.0.0', { chart: await chartOf('left', '1.0.0') })
  t.equal((await pushOci(ask, name, '1.0.0', push)).status, 201)
  let goOn = (): void => {}
  const held = new Promise<void>(resolve => { goOn = resolve })
  between.fault = async request => {
    if (request.endsWith('/left/1.0.0')) await held
    return undefined
  }
  const reading = ask(`${name}/manifests/1.0.0`)
  await until(() => between.seen.some(request => request.endsWith('/left/1.0.0')) || undefined)
  const leaving = fetch(`${gateway.url}/v2/${name}/manifests/1.0.0`, { method: 'PUT', body: push.manifest, headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': MANIFEST_TYPE }, signal: AbortSignal.timeout(200) })
  await t.rejects(leaving)
  goOn()
  t.equal((await reading).status, 200)
  t.equal((await putManifest(ask, name, '1.0.0', push.manifest)).status, 201)
})

await t.test('who pushes what came by the API needs no config that somebody else was denied with', async t => {
  const { ask, api } = await open(t)
  const name = `${TENANT}/shared`
  const [chart, other] = [await chartOf('shared', '1.0.0'), await chartOf('shared', '1.0.0', [{ name: 'shared/other', body: 'x' }])]
  t.equal(await api('POST', '', chart), 201)
  const [right, wrong] = [pushOf('shared', '1.0.0', { chart }), pushOf('shared', '1.0.0', { chart: other })]
  for (const blob of right.blobs) t.equal((await pushBlob(ask, name, blob)).status, 201)
  t.match(await pushOci(ask, name, '1.0.0', wrong), { status: 409 })
  t.equal((await putManifest(ask, name, '1.0.0', right.manifest)).status, 201)
})

await t.test('of what came by the API, and is deleted or not said while it is pushed, nothing is made up', async t => {
  const lab = await open(t)
  const { ask, api } = lab
  for (const [what, refused] of [['deleted', 400], ['deleted elsewhere', 400], ['not said', 502]] as const) {
    let n = 0
    for (let isReached = true; isReached && n < MOST;) {
      const chart = `${what.replace(' ', '-')}${++n}`
      const path = `/api/${TENANT}/charts/${chart}/1.0.0`
      const name = `${TENANT}/${chart}`
      const push = pushOf(chart, '1.0.0', { chart: await chartOf(chart, '1.0.0') })
      t.equal(await api('POST', '', await chartOf(chart, '1.0.0')), 201)
      const done = await putWhile(lab, name, push.manifest, n, async () => {
        if (what === 'not said') return '500'
        if (what === 'deleted') t.equal(await api('DELETE', `/${chart}/1.0.0`), 200)
        else t.equal((await fetch(lab.origin + path, { method: 'DELETE' })).status, 200)
        return undefined
      })
      isReached = done.isReached
      t.ok([201, refused].includes(done.answer.status), `${what}, ${n}: it was ${done.answer.status}`)
      if (done.answer.status === 201) continue
      t.strictSame(done.answer.codes, [refused === 400 ? 'MANIFEST_BLOB_UNKNOWN' : 'UNAVAILABLE'], `${what}, ${n}`)
      t.match(await ask(`${name}/manifests/${push.digest}`), { status: 404 })
    }
    t.ok(n > LEAST && n < MOST, `${n} moments`)
  }
})

await t.test('what is deleted while it is asked for is unknown, in the codes of what was asked for', async t => {
  const { ask, api, between } = await open(t)
  const chart = await chartOf('leaving', '1.0.0')
  const name = `${TENANT}/leaving`
  const asks = {
    'a blob': { ask: async () => await ask(`${name}/blobs/${digestOfBytes(chart)}`), is: { status: 404, codes: ['BLOB_UNKNOWN'] } },
    'a manifest': { ask: async () => await ask(`${name}/manifests/1.0.0`), is: { status: 404, codes: ['MANIFEST_UNKNOWN'] } },
    'a mount': { ask: async () => await ask(`${TENANT}/other/blobs/uploads/?mount=${digestOfBytes(chart)}&from=${name}`, { method: 'POST' }), is: { status: 202 } }
  }
  for (const [what, { ask, is }] of Object.entries(asks)) {
    t.equal(await api('POST', '', chart), 201)
    let isAsked = false
    between.fault = async request => {
      if (isAsked || !request.endsWith('.tgz')) return undefined
      isAsked = true
      t.equal(await api('DELETE', '/leaving/1.0.0'), 200)
      return undefined
    }
    t.match(await ask(), is, what)
    between.fault = () => undefined
  }
})
