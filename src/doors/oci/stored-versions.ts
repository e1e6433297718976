// What of a chart is stored now, as its registry needs it? A version as the API lists it, its
// provenance, and how large its archive is, which no repository says: each archive is read
// once, and what was found is kept.
import { createHash } from 'node:crypto'
import type { ChartRequest } from '../../chartmuseum/chart-request.ts'
import { RefusalError } from '../../http/errors.ts'
import { putBounded } from '../../lib/put-bounded.ts'
import { toItsEnd, type Asker } from '../../upstream/asker.ts'
import type { FileReader } from '../../upstream/file-reader.ts'
import type { ListReader } from '../../upstream/list-reader.ts'
import type { ReadAnswer } from '../../upstream/read-through.ts'
import { collect, wholly } from '../../upstream/stored.ts'
import { chartFileOf } from '../../words/chart-names.ts'
import {
  archivesOf, contentOf, entriesOf, readEntry, versionsOf, type ContentBytes, type ListedVersion
} from './entry.ts'
import type { OciRepository } from './names.ts'

/** A version that is there, and the provenance that lies beside it. */
export interface StoredVersion extends ListedVersion {
  readonly provenance: ContentBytes | undefined
}

export interface StoredVersions {
  /**
   * The version as it is after this moment; undefined when it is not listed.
   * @throws RefusalError when the upstream does not say; NobodyThere when who asked went before
   */
  read (repository: OciRepository, version: string, asker: Asker): Promise<StoredVersion | undefined>
  /** The same without its provenance. */
  listed (repository: OciRepository, version: string, asker: Asker): Promise<ListedVersion | undefined>
  /** The version whose archive has this SHA-256, in hex: one read of the chart's list. */
  withArchive (repository: OciRepository, hex: string, asker: Asker): Promise<ListedVersion | undefined>
  /** The versions that are listed; undefined when there is no such chart. */
  versions (repository: OciRepository, asker: Asker): Promise<readonly string[] | undefined>
  /**
   * All that are listed, with their archives: one read of the chart's list.
   * @throws RefusalError when the upstream does not say, or not all that it says can be read
   */
  archives (repository: OciRepository, asker: Asker): Promise<readonly Pick<ListedVersion, 'version' | 'archive'>[]>
  /** The bytes of its archive. @throws RefusalError when they are others than the list says */
  measure (repository: OciRepository, listed: ListedVersion, asker: Asker): Promise<number>
  /** Its archive. */
  open (repository: OciRepository, listed: ListedVersion, asker: Asker): Promise<ReadAnswer>
}

const LONGEST_PROVENANCE = 1024 * 1024
const MOST_LISTS = 1_000

export function createStoredVersions (lists: ListReader, files: FileReader): StoredVersions {
  const measuring = new Map<string, Promise<number>>()
  /** What lists said that were read, by their repository. */
  const read = new Map<string, { readonly hex: string, readonly versions: readonly string[] }>()

  async function listed (repository: OciRepository, version: string, asker: Asker): Promise<ListedVersion | undefined> {
    const text = await lists.read({ ...repository, version }, asker)
    const entry = text === undefined ? undefined : readEntry(text)
    // Asked for a version that is not there, ChartMuseum gives one that fits it.
    return entry?.name === repository.chart && entry.version === version ? entry : undefined
  }

  async function provenanceOf (
    repository: OciRepository,
    file: string,
    asker: Asker
  ): Promise<ContentBytes | undefined> {
    const answer = await files.read(fileRequest(repository, 'prov-file', `${file}.prov`), asker)
    if (answer.kind === 'failed') {
      if (answer.refusal.code === 'not_in_upstream') return undefined
      throw new RefusalError(answer.refusal, { cause: answer.cause })
    }
    const { body } = answer
    const bytes = Buffer.isBuffer(body) ? body : await wholly(async () => await collect(body, LONGEST_PROVENANCE))
    return bytes === undefined ? undefined : contentOf(bytes)
  }

  async function open (repository: OciRepository, { file }: ListedVersion, asker: Asker): Promise<ReadAnswer> {
    return await files.read(fileRequest(repository, 'chart-file', file), asker)
  }

  async function measureOnce (repository: OciRepository, version: ListedVersion, asker: Asker): Promise<number> {
    const answer = await open(repository, version, asker)
    if (answer.kind === 'failed') throw new RefusalError(answer.refusal, { cause: answer.cause })
    const { body } = answer
    const hash = createHash('sha256')
    let size = 0
    await wholly(async () => {
      for await (const chunk of Buffer.isBuffer(body) ? [body] : body as AsyncIterable<Buffer>) {
        size += chunk.length
        hash.update(chunk)
      }
    })
    if (hash.digest('hex') === version.archive) return size
    const cause = `${repository.tenant}: ${version.file} is not the archive that its index speaks of`
    throw new RefusalError({ code: 'upstream_bad_answer' }, { cause })
  }

  return {
    listed,
    open,
    async read (repository, version, asker) {
      const file = chartFileOf(repository.chart, version)
      const [entry, beside] = await Promise.all([
        listed(repository, version, asker),
        provenanceOf(repository, file, asker)
      ])
      if (entry === undefined) return undefined
      const provenance = entry.file === file ? beside : await provenanceOf(repository, entry.file, asker)
      return { ...entry, provenance }
    },
    async withArchive (repository, hex, asker) {
      const list = await lists.read(repository, asker)
      const wanted = Buffer.from(`"digest":"${hex}"`)
      if (list?.includes(wanted) !== true) return undefined
      return entriesOf(list).filter(each => each.includes(wanted)).map(readEntry)
        .find(each => each?.archive === hex && each.name === repository.chart)
    },
    async versions (repository, asker) {
      const list = await lists.read(repository, asker)
      if (list === undefined) return undefined
      // A long list is read once for each change of it.
      const { hex } = contentOf(list)
      const known = read.get(repository.name)
      if (known?.hex === hex) return known.versions
      const versions = versionsOf(list)
      if (versions !== undefined) putBounded(read, repository.name, { hex, versions }, MOST_LISTS)
      return versions
    },
    async archives (repository, asker) {
      const list = await lists.read(repository, asker)
      if (list === undefined) return []
      const archives = archivesOf(list)
      if (archives !== undefined) return archives
      const cause = `${repository.tenant}: not all that is listed of ${repository.chart} can be read`
      throw new RefusalError({ code: 'upstream_bad_answer' }, { cause })
    },
    measure (repository, version, asker) {
      const key = `${repository.name} ${version.archive}`
      const known = measuring.get(key)
      if (known !== undefined) return known
      // Others wait for the same: it goes on when the first of them has gone.
      const measured = measureOnce(repository, version, toItsEnd(asker)).finally(() => { measuring.delete(key) })
      measuring.set(key, measured)
      return measured
    }
  }
}

function fileRequest (
  { tenant, tenantPath }: OciRepository,
  route: 'chart-file' | 'prov-file',
  file: string
): ChartRequest {
  const access = { type: 'artifact-repository', name: tenant, action: 'pull' } as const
  return { route, method: 'GET', tenant, tenantPath, file, query: {}, access }
}
