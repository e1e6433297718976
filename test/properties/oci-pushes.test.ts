// Whatever is sent to the registry in whatever order, what is stored is what was pushed as a
// whole: over random histories of blobs, manifests that are right, wrong, changed or for another
// tag, deletes, and pushes by the API between them, in front of each repository.
import fc from 'fast-check'
import t from 'tap'
import { inShort } from '../helpers/in-short.ts'
import { ARCHIVE_TYPE, configOf, CONFIG_TYPE, descriptorOf, digestOfBytes, manifestIn, ociAsker, placeOf, pushBlob, putManifest, type AskOci } from '../helpers/oci.ts'
import { chartOf } from '../helpers/packages.ts'
import { overEachRepository, type Repository } from '../helpers/repositories.ts'

const TENANT = 'org1/repo1'
const VERSIONS = ['1.0.0', '2.0.0+b'] as const
const WAYS = ['put', 'whole', 'chunks', 'wrong', 'given up'] as const
const CONFIGS = ['right', 'empty', 'lying', 'never pushed'] as const
const CHANGES = ['none', 'size', 'type', 'a key twice', 'no archive'] as const

type Version = typeof VERSIONS[number]
interface OfVersion { readonly version: Version, readonly which: number }

type Step =
  | OfVersion & { readonly kind: 'blob', readonly way: typeof WAYS[number], readonly config: boolean }
  | OfVersion & { readonly kind: 'manifest', readonly tag: Version | 'digest', readonly config: typeof CONFIGS[number], readonly change: typeof CHANGES[number] }
  | { readonly kind: 'delete', readonly version: Version, readonly door: 'oci' | 'api' }
  | OfVersion & { readonly kind: 'api' }

const version = fc.constantFrom(...VERSIONS)
const ofVersion = { version, which: fc.nat({ max: 1 }) }
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('blob' as const), ...ofVersion, way: fc.constantFrom(...WAYS), config: fc.boolean() }) },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('manifest' as const), ...ofVersion, tag: fc.constantFrom(...VERSIONS, 'digest' as const), config: fc.constantFrom(...CONFIGS), change: fc.constantFrom(...CHANGES, 'none' as const, 'none' as const) }) },
  fc.record({ kind: fc.constant('delete' as const), version, door: fc.constantFrom('oci' as const, 'api' as const) }),
  fc.record({ kind: fc.constant('api' as const), ...ofVersion })
)

/** One chart of its own, and what should be stored of it. */
class History {
  readonly name: string
  readonly stored = new Map<Version, Buffer>()
  private readonly ask: AskOci
  private readonly repository: Repository

  constructor (repository: Repository, chart: string) {
    this.name = chart
    this.repository = repository
    this.ask = ociAsker(repository.gateway.url, () => `Bearer ${repository.gateway.masterKey}`)
  }

  async tell (steps: readonly Step[]): Promise<void> {
    for (const step of steps) {
      const status = await this.take(step)
      if (status >= 500) throw new Error(`${JSON.stringify(step)} was answered ${status}`)
      for (const version of VERSIONS) await this.check(version)
    }
  }

  private async take (step: Step): Promise<number> {
    switch (step.kind) {
      case 'blob': return await this.pushBlob(step)
      case 'manifest': return await this.pushManifest(step)
      case 'delete': return await this.remove(step)
      case 'api': {
        const archive = await this.archive(step)
        const { status } = await this.repository.ask('POST', `/api/${TENANT}/charts`, archive)
        if (status === 201) this.stored.set(step.version, archive)
        return status
      }
    }
  }

  private async pushBlob (step: Extract<Step, { kind: 'blob' }>): Promise<number> {
    const bytes = step.config ? configOf(this.name, step.version) : await this.archive(step)
    const [repository, digest] = [`${TENANT}/${this.name}`, digestOfBytes(bytes)]
    switch (step.way) {
      case 'put': return (await pushBlob(this.ask, repository, bytes)).status
      case 'whole': return (await this.ask(`${repository}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes })).status
      case 'wrong': return (await this.ask(`${repository}/blobs/uploads/?digest=${digest}`, { method: 'POST', body: bytes.subarray(1) })).status
      case 'given up': return (await this.ask(`${repository}/blobs/uploads/`, { method: 'POST' })).status
      case 'chunks': {
        let place = placeOf(await this.ask(`${repository}/blobs/uploads/`, { method: 'POST' }))
        for (const part of [bytes.subarray(0, 50), bytes.subarray(50)]) place = placeOf(await this.ask(place, { method: 'PATCH', body: part }))
        return (await this.ask(`${place}&digest=${digest}`, { method: 'PUT' })).status
      }
    }
  }

  private async pushManifest (step: Extract<Step, { kind: 'manifest' }>): Promise<number> {
    const { version, tag, change } = step
    const archive = await this.archive(step)
    const configs = { right: configOf(this.name, version), empty: Buffer.from('{}'), lying: configOf('other', version), 'never pushed': Buffer.from(`{"name":"${this.name}","version":"${version}"}`) }
    const layer = descriptorOf(ARCHIVE_TYPE, archive)
    const layers = { none: [layer], 'a key twice': [layer], size: [{ ...layer, size: layer.size + 1 }], type: [{ ...layer, mediaType: 'text/plain' }], 'no archive': [] }[change]
    const text = JSON.stringify({ schemaVersion: 2, config: descriptorOf(CONFIG_TYPE, configs[step.config]), layers })
    const bytes = Buffer.from(change === 'a key twice' ? text.replace('{', '{"layers":[],') : text)
    const reference = tag === 'digest' ? digestOfBytes(bytes) : tag.replace('+', '_')
    const { status } = await putManifest(this.ask, `${TENANT}/${this.name}`, reference, bytes)
    if (status !== 201) return status
    if (change !== 'none' || step.config === 'lying' || step.config === 'never pushed') throw new Error(`${JSON.stringify(step)} was taken`)
    if (tag === 'digest') return status
    const before = this.stored.get(version)
    if (tag !== version || (before !== undefined && !before.equals(archive))) throw new Error(`${JSON.stringify(step)} was taken`)
    this.stored.set(version, archive)
    return status
  }

  private async remove ({ version, door }: Extract<Step, { kind: 'delete' }>): Promise<number> {
    const status = door === 'api'
      ? (await this.repository.ask('DELETE', `/api/${TENANT}/charts/${this.name}/${version}`)).status
      : (await this.ask(`${TENANT}/${this.name}/manifests/${version.replace('+', '_')}`, { method: 'DELETE' })).status
    if ((status < 300) !== this.stored.has(version)) throw new Error(`the delete of ${version} was answered ${status}`)
    this.stored.delete(version)
    return status
  }

  /** By the tag there is what is stored, and what is stored is there. */
  private async check (version: Version): Promise<void> {
    const stored = this.stored.get(version)
    const answer = await this.ask(`${TENANT}/${this.name}/manifests/${version.replace('+', '_')}`)
    if (answer.status !== (stored === undefined ? 404 : 200)) throw new Error(`the tag of ${version} was answered ${answer.status}`)
    if (stored === undefined) return
    const { config, layers } = manifestIn(answer)
    if (layers[0]?.digest !== digestOfBytes(stored) || config.digest !== digestOfBytes(configOf(this.name, version))) throw new Error(`the tag of ${version} is of something else`)
    const blob = await this.ask(`${TENANT}/${this.name}/blobs/${digestOfBytes(stored)}`)
    if (!blob.bytes.equals(stored)) throw new Error(`the archive of ${version} is another one`)
  }

  private async archive ({ version, which }: OfVersion): Promise<Buffer> {
    const key = `${this.name} ${version} ${which}`
    const known = archives.get(key) ?? await chartOf(this.name, version, [{ name: `${this.name}/which`, body: String(which) }])
    archives.set(key, known)
    return known
  }
}

const archives = new Map<string, Buffer>()

await overEachRepository(t, {}, async (t, repository) => {
  let runs = 0
  await t.resolves(fc.assert(fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 16 }), async steps => {
    await new History(repository, `chart${runs++}`).tell(steps)
  }), { numRuns: inShort(8, 200) }), 'what is stored is what was pushed as a whole')
})
