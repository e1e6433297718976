// Whatever is pushed, overwritten, deleted, attached and detached, in whichever order and by
// whichever worker, before and after restarts: what is answered of attachments is what was attached
// to a manifest of what is stored now, and all of that. Over random histories.
import { mkdtempSync, rmSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import t from 'tap'
import { RefusalError } from '../../src/http/errors.ts'
import { createLocks } from '../../src/lib/locks.ts'
import { attachmentOf, cosignTag } from '../helpers/attached.ts'
import { attachingIn, hexOf, repositoryOf, storeVersion, type Attaching, type AttachingParts } from '../helpers/attaching.ts'
import { someAsker } from '../helpers/askers.ts'
import { inShort } from '../helpers/in-short.ts'
import type { OciPush } from '../helpers/oci.ts'

const CHARTS = ['org1/repo1/one', 'org1/repo1/two'].map(repositoryOf)
const VERSIONS = ['1.0.0', '2.0.0+b'] as const
const KINDS = ['referrer', 'sig', 'att', 'nested', 'nested sig'] as const
const WORKERS = 2
const PER_CHART = 6

interface Of { readonly chart: number, readonly version: typeof VERSIONS[number] }

type Step =
  | Of & { readonly kind: 'store', readonly archive: 'a' | 'b' }
  | Of & { readonly kind: 'delete', readonly door: 'here' | 'elsewhere' }
  | Of & { readonly kind: 'attach', readonly archive: 'a' | 'b', readonly how: typeof KINDS[number], readonly text: number, readonly worker: number }
  | { readonly kind: 'detach', readonly chart: number, readonly which: number, readonly worker: number }
  | { readonly kind: 'restart', readonly worker: number }

const of = { chart: fc.nat({ max: CHARTS.length - 1 }), version: fc.constantFrom(...VERSIONS) }
/** Seldom the other one: what is attached to what is not stored is refused, and says little. */
const archive = fc.constantFrom('a' as const, 'a' as const, 'a' as const, 'a' as const, 'b' as const)
const worker = fc.nat({ max: WORKERS - 1 })
const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('store' as const), ...of, archive }),
  fc.record({ kind: fc.constant('delete' as const), ...of, door: fc.constantFrom('here' as const, 'elsewhere' as const) }),
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('attach' as const), ...of, archive, how: fc.constantFrom(...KINDS), text: fc.nat({ max: 2 }), worker }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('detach' as const), chart: of.chart, which: fc.nat({ max: 4 }), worker }) },
  fc.record({ kind: fc.constant('restart' as const), worker })
)

/** What should be there, by `CHART NAME` of its file. */
interface Expected { readonly chart: number, readonly name: string, readonly version: string, readonly archive: string, readonly subject: string, readonly nested: boolean, readonly pushed: OciPush }

async function tell (steps: readonly Step[], dir: string): Promise<void> {
  const locks = createLocks()
  const parts: AttachingParts = { stored: new Map(), locks, bounds: () => ({ perChart: PER_CHART, maxBytes: 1e9 }) }
  const workers = Array.from({ length: WORKERS }, () => attachingIn(dir, parts))
  const at = (index: number): Attaching => workers[index] as Attaching
  const repositoryAt = (chart: number): typeof CHARTS[number] => CHARTS[chart] as typeof CHARTS[number]
  const expected = new Map<string, Expected>()

  const archiveNow = ({ chart, version }: Of): string | undefined => parts.stored.get(`${repositoryAt(chart).name} ${version}`)
  const isAnswered = ({ chart, version, archive }: Expected): boolean => archiveNow({ chart, version: version as Of['version'] }) === archive
  const ofChart = (chart: number): Expected[] => [...expected.values()].filter(each => each.chart === chart)

  /** What hangs on nothing goes. */
  function fall (chart: number): void {
    const there = new Set(ofChart(chart).map(({ pushed }) => pushed.digest))
    const orphans = ofChart(chart).filter(({ nested, subject }) => nested && !there.has(subject))
    for (const { name } of orphans) expected.delete(`${chart} ${name}`)
    if (orphans.length > 0) fall(chart)
  }

  for (const [chart, repository] of CHARTS.entries()) for (const version of VERSIONS) await storeVersion(at(chart), parts, repository, version)
  for (const step of steps) {
    switch (step.kind) {
      case 'store': {
        await storeVersion(at(0), parts, repositoryAt(step.chart), step.version, step.archive)
        await forget(step)
        break
      }
      case 'delete': {
        parts.stored.delete(`${repositoryAt(step.chart).name} ${step.version}`)
        if (step.door === 'here') await forget(step)
        break
      }
      case 'attach': await attach(step); break
      case 'detach': await detach(step); break
      case 'restart': workers[step.worker] = attachingIn(dir, parts)
    }
    for (const [chart] of CHARTS.entries()) for (const each of workers) await check(each, chart)
  }

  /** As after a change by this gateway. */
  async function forget ({ chart, version }: Of): Promise<void> {
    const now = archiveNow({ chart, version })
    await at(1).attachments.remove(repositoryAt(chart), each => each.version === version && each.archive !== now)
    for (const each of ofChart(chart)) if (each.version === version && each.archive !== now) expected.delete(`${chart} ${each.name}`)
    fall(chart)
  }

  async function attach ({ chart, version, archive, how, text, worker }: Extract<Step, { kind: 'attach' }>): Promise<void> {
    const repository = repositoryAt(chart)
    const manifest = Buffer.from(JSON.stringify({ of: `${repository.chart} ${version} ${archive}` }))
    const root = { manifest, digest: `sha256:${hexOf(manifest)}` }
    const above = how.startsWith('nested') ? ofChart(chart)[text] : undefined
    if (how.startsWith('nested') && above === undefined) return
    const subject = above?.pushed ?? root
    const blobs = [Buffer.from(`${how} ${text}`), Buffer.from('shared')]
    const kind = how === 'att' ? 'att' : 'sig'
    const tag = how === 'referrer' || how === 'nested' ? undefined : cosignTag(subject.digest, kind)
    const pushed = attachmentOf({ ...(tag === undefined ? { subject } : {}), blobs })
    const name = tag ?? pushed.digest.slice(7)
    const [ofVersion, ofArchive] = above === undefined ? [version, hexOf(`${repository.name} ${version} ${archive}`)] : [above.version, above.archive]
    const candidate: Expected = { chart, name, version: ofVersion, archive: ofArchive, subject: subject.digest, nested: above !== undefined, pushed }
    const code = await at(worker).attach(repository, pushed, tag === undefined ? {} : { tag }).then(() => 'taken', (error: unknown) => error instanceof RefusalError ? error.refusal.code : String(error))
    const key = `${chart} ${name}`
    const isSame = expected.get(key)?.pushed.digest === pushed.digest
    const others = ofChart(chart).filter(each => each.name !== name).length
    const wanted = !isAnswered(candidate) ? 'oci_manifest_invalid' : isSame || others < PER_CHART ? 'taken' : 'oci_attachments_full'
    if (code !== wanted) throw new Error(`${JSON.stringify({ how, version, archive, text })} was answered ${code}, and not ${wanted}`)
    if (code !== 'taken') { // its blobs wait on, for ten minutes
      for (const blob of blobs) await at(worker).waiting.remove(repository, 'blob', hexOf(blob))
      return
    }
    expected.set(key, candidate)
    fall(chart)
  }

  async function detach ({ chart, which, worker }: Extract<Step, { kind: 'detach' }>): Promise<void> {
    const found = ofChart(chart)[which]
    if (found === undefined) return
    await at(worker).attachments.remove(repositoryAt(chart), ({ name }) => name === found.name)
    expected.delete(`${chart} ${found.name}`)
    fall(chart)
  }

  async function check ({ puller, attached, attachments }: Attaching, chart: number): Promise<void> {
    const repository = repositoryAt(chart)
    const [there, elsewhere] = [ofChart(chart), ofChart(1 - chart)]
    if ((await attachments.of(repository)).length !== there.length) throw new Error('another number of them lies there')
    if ((await readdir(join(dir, 'oci', repository.name, '_attachments')).catch(() => [])).length !== there.length) throw new Error('something else lies there')
    for (const each of there) {
      const reference = each.name.startsWith('sha256-') ? { kind: 'attached', tag: each.name, subject: '' } as const : { kind: 'digest', digest: each.pushed.digest } as const
      const manifest = await puller.manifest(repository, reference, someAsker()).catch(missing)
      if (isAnswered(each) ? manifest?.bytes.equals(each.pushed.manifest) !== true : manifest !== undefined) throw new Error(`${each.name} is ${isAnswered(each) ? 'there' : 'gone'}, and answered otherwise`)
    }
    const answered = there.filter(isAnswered)
    for (const { pushed } of [...there, ...elsewhere]) {
      for (const blob of pushed.blobs) {
        const isThere = answered.some(each => each.pushed.blobs.some(own => own.equals(blob)))
        const found = await puller.blob(repository, `sha256:${hexOf(blob)}`, someAsker()).catch(missing)
        if ((found !== undefined) !== isThere) throw new Error('a blob is had that nobody names, or the other way')
        if (found?.kind !== 'stream') continue
        const chunks: Uint8Array[] = []
        const body = await found.open()
        for await (const chunk of Buffer.isBuffer(body) ? [body] : body) chunks.push(chunk)
        if (!Buffer.concat(chunks).equals(blob)) throw new Error('a blob has other bytes')
      }
    }
    for (const subject of new Set([...there, ...elsewhere].map(each => each.subject))) {
      const wanted = answered.filter(each => each.subject === subject && !each.name.startsWith('sha256-')).map(({ pushed }) => pushed.digest).sort()
      const listed = (await attached.referrers(repository, subject.slice(7), someAsker())).map(({ digest }) => digest)
      if (JSON.stringify(listed) !== JSON.stringify(wanted)) throw new Error(`what refers to ${subject} is listed otherwise`)
    }
  }
}

function missing (error: Error): undefined {
  if (!(error instanceof RefusalError) || !/^oci_(?:manifest|blob)_unknown$/.test(error.refusal.code)) throw error
}

await t.test('what is answered is what was attached to what is stored', async t => {
  await t.resolves(fc.assert(fc.asyncProperty(fc.array(step, { minLength: 5, maxLength: 30 }), async steps => {
    const dir = mkdtempSync(join(tmpdir(), 'chartgate-'))
    try {
      await tell(steps, dir)
    } finally {
      rmSync(dir, { recursive: true, force: true })
    }
  }), { numRuns: inShort(20, 600) }))
})
