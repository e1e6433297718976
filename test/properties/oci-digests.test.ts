// While an archive is stored every digest that was answered for it is answered, with the same
// bytes, whoever asks and after every restart; when another one is stored in its place, or none,
// it is not. Over random histories of pushes by either door, overwrites, deletes, provenance,
// restarts, and looks for what is gone, during which others go on.
import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir, readFile, stat, utimes } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { createKept } from '../../src/doors/oci/kept.ts'
import { createKeptShelf } from '../../src/doors/oci/kept-shelf.ts'
import { readRepository, type OciRepository } from '../../src/doors/oci/names.ts'
import { createPuller, type Puller } from '../../src/doors/oci/pull.ts'
import { createPusher, type Pusher } from '../../src/doors/oci/push.ts'
import { readManifest } from '../../src/doors/oci/read-manifest.ts'
import { createStoredVersions, type StoredVersions } from '../../src/doors/oci/stored-versions.ts'
import { createSweep } from '../../src/doors/oci/sweep.ts'
import { createWaiting } from '../../src/doors/oci/waiting.ts'
import { createWaitingLedger } from '../../src/doors/oci/waiting-ledger.ts'
import { RefusalError } from '../../src/http/errors.ts'
import { createLocks } from '../../src/lib/locks.ts'
import type { Uploader } from '../../src/uploads/store.ts'
import type { ListReader } from '../../src/upstream/list-reader.ts'
import type { FileReader } from '../../src/upstream/file-reader.ts'
import { chartOf } from '../helpers/packages.ts'
import { digestOfBytes, MANIFEST_TYPE, pushOf } from '../helpers/oci.ts'
import { NOTHING_ATTACHED } from '../helpers/attached.ts'
import { someAsker } from '../helpers/askers.ts'
import { inShort } from '../helpers/in-short.ts'

const REPOSITORY = readRepository('org1/repo1/mychart', 2) as OciRepository
const VERSIONS = ['1.0.0', '2.0.0+b'] as const
const WORKERS = 2
const HOUR = 60 * 60_000

type Version = typeof VERSIONS[number]
/** Some of each version, of which each is another one. */
const ARCHIVES = new Map<Version, Buffer[]>()
for (const version of VERSIONS) ARCHIVES.set(version, await Promise.all(['a', 'b', 'c'].map(async body => await chartOf('mychart', version, [{ name: 'mychart/which', body }]))))
interface Stored { readonly archive: Buffer, readonly provenance?: string }

/** A repository of one chart. */
class Shelf {
  readonly stored = new Map<Version, Stored>()

  readonly lists: ListReader = {
    read: async ({ version }) => {
      if (version === undefined) return Buffer.from(`[${[...this.stored].map(([each, { archive }]) => entryOf(each, archive)).join(',')}]`)
      const found = this.stored.get(version as Version)
      return found === undefined ? undefined : Buffer.from(entryOf(version as Version, found.archive))
    }
  }

  readonly files: FileReader = {
    read: async ({ file = '' }) => {
      const found = this.stored.get(/^mychart-(.*?)\.tgz/.exec(file)?.[1] as Version)
      const body = file.endsWith('.prov') ? found?.provenance : found?.archive
      return body === undefined
        ? { kind: 'failed', refusal: { code: 'not_in_upstream' }, cause: undefined }
        : { kind: 'whole', status: 200, headers: {}, body: Buffer.from(body) }
    }
  }
}

/** What the registry stores a push with. */
function uploaderOf (shelf: Shelf): Pick<Uploader, 'alone'> {
  return {
    async alone (_request, file, _caller, sending, work) {
      await work({
        async store ({ chart, version }) {
          const before = shelf.stored.get(version as Version)
          const archive = await readFile(chart?.path ?? '')
          if (before !== undefined) throw new RefusalError({ code: before.archive.equals(archive) ? 'already_stored' : 'file_exists' })
          sending()
          shelf.stored.set(version as Version, { archive })
          return true
        },
        async compare ({ digest }) {
          const there = VERSIONS.find(version => file === `mychart-${version}.tgz`)
          const archive = there === undefined ? undefined : shelf.stored.get(there)?.archive
          if (archive === undefined) return 'missing'
          return hexOf(archive) === digest ? 'same' : 'other'
        }
      })
    }
  }
}

const hexOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex')

function entryOf (version: Version, archive: Buffer): string {
  return JSON.stringify({ name: 'mychart', version, urls: [`charts/mychart-${version}.tgz`], digest: hexOf(archive) })
}

type Step =
  | { readonly kind: 'store', readonly version: Version, readonly archive: number }
  | { readonly kind: 'push', readonly version: Version, readonly archive: number, readonly day: number, readonly worker: number }
  | { readonly kind: 'delete', readonly version: Version }
  | { readonly kind: 'sign', readonly version: Version, readonly text: string | undefined }
  | { readonly kind: 'pull', readonly version: Version, readonly worker: number }
  | { readonly kind: 'restart', readonly worker: number }
  | { readonly kind: 'sweep', readonly hours: number, readonly isMeanwhile: boolean }

const version = fc.constantFrom(...VERSIONS)
const worker = fc.nat({ max: WORKERS - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('store' as const), version, archive: fc.nat({ max: 2 }) }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('push' as const), version, archive: fc.nat({ max: 2 }), day: fc.integer({ min: 1, max: 2 }), worker }) },
  fc.record({ kind: fc.constant('delete' as const), version }),
  fc.record({ kind: fc.constant('sign' as const), version, text: fc.constantFrom('one', 'two', undefined) }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('pull' as const), version, worker }) },
  fc.record({ kind: fc.constant('restart' as const), worker }),
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('sweep' as const), hours: fc.constantFrom(1, 24, 48), isMeanwhile: fc.boolean() }) }
)

/** What was answered once, as long as its archive is stored without a break. */
interface Answered { readonly version: Version, readonly archive: Buffer, readonly bytes: Buffer, readonly kind: 'manifest' | 'blob' }

async function tell (steps: readonly Step[], dir: string): Promise<void> {
  const shelf = new Shelf()
  const spool = join(dir, 'spool')
  const bounds = { patience: Infinity, ofRepository: 100, ofTenant: 100, ofAll: 100, bytesOfTenant: () => Infinity, bytesOfAll: () => Infinity }
  const waiting = createWaiting(spool, createWaitingLedger(spool, bounds, { clock: () => 0, wall: () => 0 }), { left: () => Infinity }, () => Infinity)
  const locks = createLocks()
  const open = (): Puller & Pusher => {
    const [stored, kept] = [createStoredVersions(shelf.lists, shelf.files), createKept(join(dir, 'oci'), error => { throw error })]
    const puller = createPuller({ stored, kept, attached: NOTHING_ATTACHED, waiting, locks })
    const changed = async (): Promise<void> => {}
    return { ...puller, ...createPusher({ waiting, puller, stored, kept, attached: NOTHING_ATTACHED, uploader: uploaderOf(shelf), taker: { depth: 2, namesProvenanceBy: 'its text' }, locks, changed }) }
  }
  const pullers = Array.from({ length: WORKERS }, open)
  const answered = new Map<string, Answered>()
  const gone = new Map<string, Answered>()
  let [now, sweeping, goesOn] = [0, Promise.resolve(), Promise.resolve()]
  let goOn = (): void => {}
  const oci = join(dir, 'oci')
  const listing = createStoredVersions(shelf.lists, shelf.files)
  /** What it goes by is what was stored before all that happens meanwhile. */
  const archives: StoredVersions['archives'] = async (...asked) => {
    const listed = await listing.archives(...asked)
    await goesOn
    return listed
  }
  const sweep = createSweep({ dir: oci, shelves: [createKeptShelf(oci, () => Date.now())], stored: { archives }, depth: 2, clock: () => now })
  for (const step of steps) {
    switch (step.kind) {
      case 'sweep': {
        goOn()
        await sweeping
        now += step.hours * HOUR
        await age(oci, step.hours * HOUR)
        pullers.splice(0, WORKERS, ...Array.from({ length: WORKERS }, open)) // who runs for so long knows no more of files' times
        if (step.isMeanwhile) goesOn = new Promise(resolve => { goOn = resolve })
        sweeping = sweep()
        if (step.isMeanwhile) continue // with what comes next
        break
      }
      case 'store': put(step.version, { archive: archiveAt(step) }); break
      case 'push': await push(pullers[step.worker] as Puller & Pusher, step); break
      case 'delete': put(step.version, undefined); break
      case 'sign': {
        const found = shelf.stored.get(step.version)
        if (found !== undefined) shelf.stored.set(step.version, { archive: found.archive, ...(step.text === undefined ? {} : { provenance: `${step.text} of ${step.version}` }) })
        break
      }
      case 'restart': pullers[step.worker] = open(); break
      case 'pull': await learn(pullers[step.worker] as Puller, step.version)
    }
    goOn()
    await sweeping
    for (const puller of pullers) {
      for (const [digest, { kind, bytes }] of answered) {
        const read = await ask(puller, kind, digest)
        if (read?.equals(bytes) !== true) throw new Error(`${digest} was answered, and is not any more`)
      }
      for (const [digest, { kind }] of gone) if (await ask(puller, kind, digest) !== undefined) throw new Error(`${digest} is answered, and its archive is gone`)
    }
  }

  goOn()
  await sweeping

  function put (version: Version, stored: Stored | undefined): void {
    if (stored !== undefined && shelf.stored.get(version)?.archive.equals(stored.archive) === true) return
    if (stored === undefined) shelf.stored.delete(version)
    else shelf.stored.set(version, stored)
    for (const [digest, known] of answered) {
      if (known.version !== version) continue
      answered.delete(digest)
      gone.set(digest, known)
    }
    // The same archive again, or what it has in common with another one: it may be known, and may have to be asked for.
    for (const [digest, known] of gone) if (known.version === version && (stored?.archive.equals(known.archive) === true || known.kind === 'blob')) gone.delete(digest)
  }

  async function push (worker: Puller & Pusher, step: Extract<Step, { kind: 'push' }>): Promise<void> {
    const { version, day } = step
    const [archive, before] = [archiveAt(step), shelf.stored.get(version)]
    const config = Buffer.from(`{"name":"mychart","version":"${version}"}`)
    const { manifest, blobs, digest } = pushOf('mychart', version, { chart: archive, config, created: `2026-01-0${day}T00:00:00Z` })
    for (const blob of blobs) await waiting.put(REPOSITORY, 'blob', hexOf(blob), bodyOf(blob))
    const incoming = { repository: REPOSITORY, bytes: manifest, manifest: readManifest(manifest, MANIFEST_TYPE), asker: someAsker(), version, found: async () => {} }
    const refused = await worker.commit(incoming).then(() => undefined, (error: unknown) => error instanceof RefusalError ? error.refusal.code : error)
    if (refused !== (before === undefined || before.archive.equals(archive) ? undefined : 'chart_exists')) throw new Error(`${version} was pushed: ${String(refused)}`)
    if (refused !== undefined) return
    if (before === undefined) {
      shelf.stored.delete(version)
      put(version, { archive })
    }
    answered.set(digest, { version, archive, bytes: manifest, kind: 'manifest' })
    for (const blob of blobs) answered.set(digestOfBytes(blob), { version, archive, bytes: blob, kind: 'blob' })
    const tagged = await worker.manifest(REPOSITORY, { kind: 'tag', tag: '', version }, someAsker())
    if (before?.provenance === undefined && `sha256:${tagged.hex}` !== digest) throw new Error(`${digest} was pushed, and has not the tag`)
  }

  async function learn (puller: Puller, version: Version): Promise<void> {
    const tag = { kind: 'tag', tag: version.replace('+', '_'), version } as const
    const found = await puller.manifest(REPOSITORY, tag, someAsker()).catch(missing)
    const stored = shelf.stored.get(version)
    if ((found === undefined) !== (stored === undefined)) throw new Error(`${version} is there, and not found, or the other way`)
    if (found === undefined || stored === undefined) return
    const { layers, config } = JSON.parse(found.bytes.toString()) as { layers: { digest: string }[], config: { digest: string } }
    answered.set(`sha256:${found.hex}`, { version, archive: stored.archive, bytes: found.bytes, kind: 'manifest' })
    if (layers.length !== (stored.provenance === undefined ? 1 : 2)) throw new Error('a manifest has an archive, and a provenance where there is one')
    for (const { digest } of [...layers, config]) {
      const bytes = await ask(puller, 'blob', digest)
      if (bytes === undefined || `sha256:${hexOf(bytes)}` !== digest) throw new Error(`${digest} is named, and not there`)
      answered.set(digest, { version, archive: stored.archive, bytes, kind: 'blob' })
    }
  }
}

/** Lets files be older. */
async function age (dir: string, ms: number): Promise<void> {
  for (const entry of await readdir(dir, { recursive: true, withFileTypes: true }).catch(() => [])) {
    const path = join(entry.parentPath, entry.name)
    const then = ((await stat(path)).mtimeMs - ms) / 1000
    if (entry.isFile()) await utimes(path, then, then)
  }
}

async function * bodyOf (bytes: Buffer): AsyncGenerator<Buffer> {
  yield bytes
}

function archiveAt ({ version, archive }: { version: Version, archive: number }): Buffer {
  return ARCHIVES.get(version)?.[archive] as Buffer
}

async function ask (puller: Puller, kind: Answered['kind'], digest: string): Promise<Buffer | undefined> {
  if (kind === 'manifest') return (await puller.manifest(REPOSITORY, { kind: 'digest', digest }, someAsker()).catch(missing))?.bytes
  const blob = await puller.blob(REPOSITORY, digest, someAsker()).catch(missing)
  if (blob === undefined || blob.kind === 'bytes') return blob?.bytes
  return await blob.open() as Buffer // no archive here streams
}

function missing (error: unknown): undefined {
  if (error instanceof RefusalError && ['oci_manifest_unknown', 'oci_blob_unknown'].includes(error.refusal.code)) return undefined
  throw error
}

/** What was deleted elsewhere is pushed again while it is swept away, and then asked for by another worker. */
const AGAIN: readonly Step[] = [
  { kind: 'push', version: '1.0.0', archive: 0, day: 1, worker: 0 },
  { kind: 'delete', version: '1.0.0' },
  { kind: 'sweep', hours: 1, isMeanwhile: false },
  { kind: 'sweep', hours: 24, isMeanwhile: true },
  { kind: 'push', version: '1.0.0', archive: 0, day: 1, worker: 0 },
  { kind: 'pull', version: '1.0.0', worker: 1 }
]

await t.test('every digest that was answered is answered as long as its archive is stored', async t => {
  await t.resolves(fc.assert(fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 24 }), async steps => {
    const dir = mkdtempSync(join(tmpdir(), 'chartgate-oci-'))
    try {
      await tell(steps, dir)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }), { numRuns: inShort(60, 1_000), examples: [[[...AGAIN]]] }))
})
