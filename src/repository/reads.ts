// What does the repository say? index.yaml, files and the API's reads, in ChartMuseum's
// forms and words (helm/chartmuseum v0.16.5, pkg/chartmuseum/server/multitenant/api.go
// and handlers.go).
import { createHash } from 'node:crypto'
import { etagOf, problem, quoted, rawJson, type Answer } from './answer.ts'
import type { Catalog, View } from './catalog.ts'
import { stampOfStats, type Entry } from './entries.ts'
import { compareBytes, goJson, goJsonString } from './go-json.ts'
import { readPackage, type PackageResult, type Wanted } from './package.ts'
import type { Match } from './routing.ts'
import type { Store, StoredFile } from './store.ts'
import { join } from 'node:path'
import { parseConstraint } from './versions.ts'

export type Reads = Readonly<Record<
  'index' | 'object' | 'list' | 'chart' | 'version' | 'templates' | 'values',
  (match: Match) => Promise<Answer>
>>

/** Bytes. */
const SMALL_FILE = 64 * 1024

export function createReads (catalog: Catalog, store: Store): Reads {
  async function withVersion (match: Match, then: (entry: Entry) => Answer | Promise<Answer>): Promise<Answer> {
    const found = findEntry(await catalog.view(match.tenant), match.name, match.version)
    return typeof found === 'string' ? problem(404, found) : await then(found)
  }

  async function withPackage (
    match: Match,
    wanted: Wanted,
    then: (read: Extract<PackageResult, { ok: true }>) => Answer
  ): Promise<Answer> {
    return await withVersion(match, async entry => {
      const read = await readPackage(join(store.folderOf(match.tenant), entry.file), wanted)
      /* c8 ignore next -- it was overwritten since it was listed */
      if (!read.ok) return problem(500, read.message)
      return then(read)
    })
  }

  /** Of a chart it is known from the index; of anything else it is had of a small file alone. */
  async function digestOf (tenant: string, file: string, opened: StoredFile): Promise<string | undefined> {
    const { handle, size, stats } = opened
    try {
      const stamp = stampOfStats(stats)
      const known = catalog.digestOf(tenant, file, stamp)
      if (known !== undefined) return known
      if (size <= SMALL_FILE) {
        const bytes = Buffer.alloc(size)
        const { bytesRead } = await handle.read(bytes, 0, size, 0)
        return createHash('sha256').update(bytes.subarray(0, bytesRead)).digest('hex')
      }
      await catalog.view(tenant)
      return catalog.digestOf(tenant, file, stamp)
      /* c8 ignore next 4 -- a disk that fails while it is read */
    } catch (error) {
      await handle.close()
      throw error
    }
  }

  return {
    async index ({ tenant }) {
      return { status: 200, contentType: 'application/x-yaml', ...(await catalog.view(tenant)).index() }
    },
    async object ({ tenant, file }) {
      const isProvenance = file.endsWith('tgz.prov')
      if (!isProvenance && !file.endsWith('tgz')) return problem(500, 'unsupported file extension')
      const opened = await store.read(tenant, file)
      if (opened === undefined) return problem(404, 'object not found')
      const { handle, size, stats } = opened
      const digest = await digestOf(tenant, file, opened)
      return {
        status: 200,
        contentType: isProvenance ? 'application/pgp-signature' : 'application/x-tar',
        body: { handle, size },
        modified: new Date(Number(stats.mtimeNs / 1_000_000n)),
        ...(digest === undefined ? {} : { etag: quoted(digest) })
      }
    },
    async list ({ tenant, query }) {
      const offset = readNumber(query.get('offset'), 0)
      if (offset === undefined) return problem(400, 'offset is not a valid non-negative integer')
      const limit = readNumber(query.get('limit'), undefined)
      if (query.has('limit') && (limit === undefined || limit === 0)) {
        return problem(400, 'limit is not a valid positive integer')
      }
      const { charts } = await catalog.view(tenant)
      // An offset without a limit ends one before it: so ChartMuseum counts.
      const end = limit !== undefined ? offset + limit : offset === 0 ? undefined : offset - 1
      const names = [...charts.keys()].sort(compareBytes).slice(offset, end)
      const members = names.map(name => `${goJsonString(name)}:${listJson(charts.get(name) as readonly Entry[])}`)
      return rawJson(`{${members.join(',')}}`)
    },
    async chart ({ tenant, name }) {
      const entries = (await catalog.view(tenant)).charts.get(name)
      return entries === undefined ? problem(404, 'chart not found') : rawJson(listJson(entries))
    },
    version: async match => await withVersion(match, entry => rawJson(entry.json)),
    templates: async match => await withPackage(match, 'templates', ({ chart }) => {
      const templates = chart.files.map(({ name, data }) => ({ name, data: data.toString('base64') }))
      return rawJson(`{"templates":${templates.length === 0 ? 'null' : goJson(templates)},"values":${chart.values}}`)
    }),
    values: async match => await withPackage(match, 'values', ({ chart }) => {
      const [values] = chart.files
      return values === undefined
        ? problem(404, 'values.yaml not found')
        : { status: 200, contentType: 'application/yaml', body: values.data, etag: etagOf(values.data) }
    })
  }
}

/** A query parameter as strconv.Atoi reads it, when it is not negative; undefined when it is none. */
function readNumber<T> (text: string | null, missing: T): number | T | undefined {
  if (text === null) return missing
  return /^(?:\+?\d{1,18}|-0{1,18})$/.test(text) ? Math.abs(Number(text)) : undefined
}

function listJson (entries: readonly Entry[]): string {
  return `[${entries.map(entry => entry.json).join(',')}]`
}

/** The version itself, else the newest that fits (helm/helm v3.20.0, pkg/repo/index.go, Get). */
function findEntry ({ charts }: View, name: string, version: string): Entry | string {
  const entries = charts.get(name)
  if (entries === undefined) return 'no chart name found'
  const query = version === 'latest' ? '' : version
  const constraint = parseConstraint(query === '' ? '*' : query)
  if (!constraint.ok) return constraint.message
  return entries.find(entry => entry.version === query) ??
    entries.find(({ parsed }) => parsed !== undefined && constraint.matches(parsed)) ??
    `no chart version found for ${name}-${query}`
}
