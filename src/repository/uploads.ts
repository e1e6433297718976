// How does a chart come in, and go? Raw and multipart uploads, provenance files and
// deletes, in ChartMuseum's forms and words (helm/chartmuseum v0.16.5, pkg/chartmuseum/
// server/multitenant/handlers.go and api.go). Everything is on disk and understood
// before it gets its name; of two uploads of one version the file system lets one in.
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { problem, json, type Answer } from './answer.ts'
import type { Catalog, Changes } from './catalog.ts'
import { makeEntry, stampOfStats, timeText, type Entry } from './entries.ts'
import type { Metadata } from './chart-metadata.ts'
import { provenanceFileName, readPackage } from './package.ts'
import { readFormParts } from './parts.ts'
import type { Match } from './routing.ts'
import type { Draft, Store } from './store.ts'
import { parseVersion } from './versions.ts'

export interface UploadBody {
  readonly contentType: string
  /** The bytes; throws TooLarge past the limit. */
  readonly bytes: AsyncIterable<Uint8Array>
}

export interface Uploads {
  chart (match: Match, body: UploadBody): Promise<Answer>
  provenance (match: Match, body: UploadBody): Promise<Answer>
  remove (match: Match): Promise<Answer>
}

/** A draft that is understood and has a name. */
interface Named {
  readonly draft: Draft
  readonly file: string
  /** Of a chart. */
  readonly metadata?: Metadata
}

const SAVED = json(201, { saved: true })

export interface UploadOptions {
  readonly catalog: Catalog
  readonly store: Store
  /** Overwrite without being asked to. */
  readonly allowOverwrite: boolean
  /** '' or '/x'. */
  readonly contextPath: string
  readonly log: (event: object) => void
}

export function createUploads ({ catalog, store, allowOverwrite, contextPath, log }: UploadOptions): Uploads {
  /** Where a version is deleted. */
  function pathOf (tenant: string, { name, version }: Entry): string {
    return [
      contextPath,
      'api',
      ...(tenant === '' ? [] : [tenant]),
      'charts',
      encodeURIComponent(name),
      encodeURIComponent(version).replaceAll('%2B', '+')
    ].join('/')
  }

  /** Runs work on drafts that are gone afterwards, whatever happens. */
  async function withDrafts (drafts: readonly Draft[], work: () => Promise<Answer>): Promise<Answer> {
    try {
      return await work()
    } finally {
      await Promise.all(drafts.map(async draft => { await store.discard(draft) }))
    }
  }

  /** Gives all of them their names, or none. */
  async function publish (match: Match, files: readonly Named[], conflict: string): Promise<Answer> {
    const { tenant, query } = match
    const overwrite = allowOverwrite || query.has('force') // its mere presence, `force=false` too
    const taken = await catalog.change(tenant, async changes => {
      for (const { file } of files) if (!overwrite && await store.exists(tenant, file)) return true
      const done: string[] = []
      for (const named of files) {
        if (await store.publish(named.draft, tenant, named.file, overwrite) === 'exists') {
          // Another process was quicker with one of two.
          for (const file of done) await withdraw(tenant, file, changes)
          return true
        }
        done.push(named.file)
        if (named.metadata !== undefined) await enter(tenant, named, named.metadata, changes)
      }
      return false
    })
    if (taken) return problem(409, conflict)
    await store.sync(tenant)
    for (const { file, draft } of files) log({ event: 'saved', tenant, file, digest: draft.digest, size: draft.size })
    return SAVED
  }

  async function enter (tenant: string, { file, draft }: Named, metadata: Metadata, changes: Changes): Promise<void> {
    const stats = await stat(join(store.folderOf(tenant), file), { bigint: true })
    changes.put(file, stampOfStats(stats), makeEntry(file, metadata, draft.digest, timeText(stats.mtimeNs)))
  }

  async function withdraw (tenant: string, file: string, changes: Changes): Promise<void> {
    await store.remove(tenant, file)
    changes.remove(file)
  }

  return {
    async chart (match, { contentType, bytes }) {
      if (contentType.split(/[; ]/, 1)[0] === 'multipart/form-data') {
        const parts = await readFormParts(contentType, bytes, store)
        return await withDrafts(parts.map(part => part.draft), async () => {
          const files: Named[] = []
          for (const { field, draft } of parts) {
            const named = field === 'chart' ? await understandChart(draft) : await understandProvenance(draft)
            if (typeof named === 'string') return problem(400, named)
            files.push(named)
          }
          if (files.length === 0) {
            return problem(400, 'no package or provenance file found in form fields chart and prov')
          }
          return await publish(match, files, 'chart already exists')
        })
      }
      const draft = await store.draft(bytes)
      return await withDrafts([draft], async () => {
        const named = await understandChart(draft)
        return typeof named === 'string' ? problem(400, named) : await publish(match, [named], 'file already exists')
      })
    },

    async provenance (match, { bytes }) {
      const draft = await store.draft(bytes)
      return await withDrafts([draft], async () => {
        const named = await understandProvenance(draft)
        if (typeof named === 'string') return problem(named === NO_PROVENANCE ? 500 : 400, named)
        return await publish(match, [named], 'file already exists')
      })
    },

    async remove ({ tenant, name, version }) {
      const file = `${name}-${version}.tgz`
      const entries = (await catalog.view(tenant)).charts
      const owner = [...entries.values()].flat().find(entry => entry.file === file)
      if (owner !== undefined && isAnother(owner, name, version)) {
        return problem(
          404,
          `${file} holds ${owner.name} ${owner.version}: that is deleted with DELETE ${pathOf(tenant, owner)}`
        )
      }
      const own = entries.get(name)?.find(entry => entry.version === version)?.file ?? file
      const removed = isFileName(own, LONGEST_FILE_NAME) && await catalog.change(tenant, async changes => {
        if (!await store.remove(tenant, own)) return false
        await store.remove(tenant, `${own}.prov`)
        changes.remove(own)
        return true
      })
      if (!removed) return problem(404, 'object not found')
      await store.sync(tenant)
      log({ event: 'deleted', tenant, file: own })
      return json(200, { deleted: true })
    }
  }
}

/**
 * `foo` `1-1.0` and `foo-1` `1.0` have one file name: the chart that is in it decides. What
 * is no version, such as `1.0 (1)`, speaks of the file itself, unless it is a version's own.
 */
function isAnother (owner: Entry, name: string, version: string): boolean {
  if (owner.name === name && owner.version === version) return false
  return parseVersion(version) !== undefined || owner.file === `${owner.name}-${owner.version}.tgz`
}

/** A chart's name, or Helm's words for what is wrong with it. */
async function understandChart (draft: Draft): Promise<Named | string> {
  const read = await readPackage(draft.path)
  if (!read.ok) return read.message
  const { metadata } = read.chart
  const file = `${metadata.name}-${metadata.version}.tgz`
  return isFileName(file) ? { draft, file, metadata } : `${file} is improperly formatted`
}

const NO_PROVENANCE = 'invalid provenance file'
const LARGEST_PROVENANCE = 1024 * 1024

async function understandProvenance (draft: Draft): Promise<Named | string> {
  const file = draft.size > LARGEST_PROVENANCE ? undefined : provenanceFileName(await readFile(draft.path, 'utf8'))
  if (file === undefined) return NO_PROVENANCE
  return isFileName(file) ? { draft, file } : `${file} is improperly formatted`
}

/** Bytes, on ext4 and most other file systems. */
const LONGEST_FILE_NAME = 255

/** Can it be a file in a tenant's folder, and nowhere else? A chart that comes leaves room for .prov. */
function isFileName (
  name: string,
  longest = LONGEST_FILE_NAME - (name.endsWith('.prov') ? 0 : '.prov'.length)
): boolean {
  // eslint-disable-next-line no-control-regex
  return !/[/\\\x00-\x1f\x7f]/.test(name) && Buffer.byteLength(name) <= longest
}
