// What does the repository say? index.yaml, files and the API's reads, in ChartMuseum's
// forms and words (helm/chartmuseum v0.16.5, pkg/chartmuseum/server/multitenant/api.go
// and handlers.go).
import { problem, rawJson, type Answer } from './answer.ts'
import type { Catalog, View } from './catalog.ts'
import type { Entry } from './entries.ts'
import { compareBytes, goJson, goJsonString } from './go-json.ts'
import { readPackage, type PackageResult, type Wanted } from './package.ts'
import type { Match } from './routing.ts'
import type { Store } from './store.ts'
import { join } from 'node:path'
import { parseConstraint } from './versions.ts'

export type Reads = Readonly<Record<
  'index' | 'object' | 'list' | 'chart' | 'version' | 'templates' | 'values',
  (match: Match) => Promise<Answer>
>>

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

  return {
    async index ({ tenant }) {
      return { status: 200, contentType: 'application/x-yaml', body: (await catalog.view(tenant)).index() }
    },
    async object ({ tenant, file }) {
      const isProvenance = file.endsWith('tgz.prov')
      if (!isProvenance && !file.endsWith('tgz')) return problem(500, 'unsupported file extension')
      const opened = await store.read(tenant, file)
      return opened === undefined
        ? problem(404, 'object not found')
        : { status: 200, contentType: isProvenance ? 'application/pgp-signature' : 'application/x-tar', body: opened }
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
        : { status: 200, contentType: 'application/yaml', body: values.data }
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
