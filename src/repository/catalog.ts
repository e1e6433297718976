// What does each tenant hold? The files of its folder are the truth, and what was read
// of them is remembered: a look costs nothing for a moment, then a stat of the folder,
// then a list of its names; only a new or changed file is opened. So charts that
// somebody else adds, removes or overwrites are noticed within a second.
import { watch } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { entryYaml, indexYaml } from './index-yaml.ts'
import { printable } from '../lib/printable.ts'
import { etagOf } from './answer.ts'
import { examine, HELD_TWICE, isArchiveName, shownOf, type Entry, type KnownFile } from './entries.ts'
import { createMemory, type Memory } from './memory.ts'
import { isMissing, type Store } from './store.ts'

/** By name; the newest first. */
export type Charts = ReadonlyMap<string, readonly Entry[]>

/** What a tenant holds, at one moment. */
export interface View {
  readonly charts: Charts
  /** index.yaml, made once for each change. */
  index (): RenderedIndex
}

export interface RenderedIndex {
  readonly body: Buffer
  readonly etag: string
}

/** Changes of a tenant's files by this process, inside `change`. */
export interface Changes {
  put (file: string, stamp: string, entry: Entry): void
  remove (file: string): void
}

export interface Catalog {
  view (tenant: string): Promise<View>
  /** SHA-256 of a chart's file in this state, when that is known without looking. */
  digestOf (tenant: string, file: string, stamp: string): string | undefined
  /** Runs one change of a tenant's folder at a time. */
  change<T> (tenant: string, work: (changes: Changes) => Promise<T>): Promise<T>
  /** Writes what is remembered, and stops watching. */
  close (): Promise<void>
}

export interface CatalogOptions {
  readonly store: Store
  readonly contextPath: string
  readonly log: (event: object) => void
  /** fs.watch; a system may have none, or no more of them. */
  readonly watchFolder?: (folder: string, changed: (name: string | null) => void) => { close (): void }
  /** Milliseconds between looks at every file where there is no watcher. */
  readonly sweepEvery?: number
}

/** Milliseconds that a look stays good. */
const LOOK_AGAIN = 400
/** A folder or file that changed this short ago may change once more within the same tick of its clock. */
const UNSETTLED = 2_000
/**
 * Without a watcher every file is looked at this often: one that is overwritten where it
 * lies leaves its folder's time alone.
 */
const SWEEP_EVERY = 5_000
/** What is remembered is written when nothing changed for a second, but at least every ten. */
const REST = 1_000
const LONGEST_WAIT = 10_000
/** So many files are read before others get their turn. */
const IN_A_ROW = 16

export function createCatalog (options: CatalogOptions): Catalog {
  const tenants = new Map<string, TenantFolder>()
  const memory = createMemory(options.store, options.log)

  async function within<T> (name: string, work: (tenant: TenantFolder) => Promise<T>): Promise<T> {
    const tenant = tenants.get(name) ?? new TenantFolder(name, options, memory)
    tenants.set(name, tenant)
    tenant.users++
    try {
      return await work(tenant)
    } finally {
      // Names that somebody made up must not pile up here.
      if (--tenant.users === 0 && tenant.isGone) {
        tenant.forget()
        tenants.delete(name)
      }
    }
  }

  return {
    view: async name => await within(name, async tenant => await tenant.view()),
    digestOf: (name, file, stamp) => tenants.get(name)?.digestOf(file, stamp),
    change: async (name, work) => await within(name, async tenant => await tenant.change(work)),
    async close () {
      await Promise.all([...tenants.values()].map(async tenant => { await tenant.close() }))
      tenants.clear()
    }
  }
}

class TenantFolder {
  users = 0
  isGone = true
  private readonly name: string
  private readonly folder: string
  private readonly options: CatalogOptions
  private readonly memory: Memory
  private files = new Map<string, KnownFile>()
  private charts: Charts | undefined
  private rendered: RenderedIndex | undefined
  private loaded = false
  private lookedAt = -Infinity
  private sweptAt = 0
  /** The folder's time when its names were listed; undefined: list them again. */
  private listedAt: bigint | undefined
  /** Files to look at again. */
  private readonly suspects = new Set<string>()
  private readonly unsettled = new Set<string>()
  /** Files with the chart of another one. */
  private hidden: ReadonlySet<string> = new Set()
  private watcher: { close (): void } | undefined
  private queue: Promise<unknown> = Promise.resolve()
  private saveTimer: NodeJS.Timeout | undefined
  private unsavedSince: number | undefined

  constructor (name: string, options: CatalogOptions, memory: Memory) {
    this.name = name
    this.folder = options.store.folderOf(name)
    this.options = options
    this.memory = memory
  }

  async view (): Promise<View> {
    if (!this.isFresh()) await this.alone(async () => { await this.look() })
    const charts = this.current()
    // A view that is older than a change renders what it saw.
    return { charts, index: () => charts === this.charts ? this.index() : this.render(charts) }
  }

  digestOf (file: string, stamp: string): string | undefined {
    const known = this.files.get(file)
    return known?.stamp === stamp ? known.entry?.digest : undefined
  }

  async change<T> (work: (changes: Changes) => Promise<T>): Promise<T> {
    return await this.alone(async () => {
      // A tenant that nobody has read is not read for a write: its files are found when it is.
      return await work({
        put: (file, stamp, entry) => {
          this.isGone = false
          if (this.loaded) this.set(file, { stamp, entry })
        },
        remove: file => { if (this.loaded) this.drop(file) }
      })
    })
  }

  async close (): Promise<void> {
    this.forget()
    await this.alone(async () => { await this.save() })
  }

  forget (): void {
    clearTimeout(this.saveTimer)
    this.watcher?.close()
    this.watcher = undefined
  }

  private async alone<T> (work: () => Promise<T>): Promise<T> {
    const turn = this.queue.then(work)
    this.queue = turn.catch(() => {})
    return await turn
  }

  private isFresh (): boolean {
    return this.loaded && this.suspects.size === 0 && performance.now() - this.lookedAt < LOOK_AGAIN
  }

  private async look (): Promise<void> {
    if (this.isFresh()) return // somebody looked while this one waited
    const time = await folderTime(this.folder)
    if (time === undefined) {
      this.clear()
      return
    }
    this.isGone = false
    if (!this.loaded) await this.load()
    for (const file of this.unsettled) this.suspects.add(file)
    this.unsettled.clear()
    if (this.watcher === undefined && performance.now() - this.sweptAt > (this.options.sweepEvery ?? SWEEP_EVERY)) {
      this.sweptAt = performance.now()
      for (const file of this.files.keys()) this.suspects.add(file)
    }
    if (time !== this.listedAt) await this.list(time)
    await this.examineSuspects()
    this.loaded = true
    this.lookedAt = performance.now()
  }

  private clear (): void {
    this.forget()
    if (this.files.size > 0) this.changed()
    this.files.clear()
    this.suspects.clear()
    this.listedAt = undefined
    this.loaded = false
    this.isGone = true
  }

  /** What an earlier process remembered; each file is compared with it once. */
  private async load (): Promise<void> {
    this.files = await this.memory.recall(this.name)
    for (const file of this.files.keys()) this.suspects.add(file)
    const open = this.options.watchFolder ?? watchFolder
    try {
      // Before the first list, so that nothing falls between the two.
      this.watcher ??= open(this.folder, name => {
        if (name === null) this.listedAt = undefined
        else if (isArchiveName(name)) this.suspects.add(name)
      })
    } catch (error) {
      this.options.log({ event: 'folder_not_watched', tenant: this.name, code: (error as NodeJS.ErrnoException).code })
    }
  }

  private async list (time: bigint): Promise<void> {
    const names = new Set((await readdir(this.folder)).filter(isArchiveName))
    for (const file of this.files.keys()) if (!names.has(file)) this.drop(file)
    for (const file of names) if (!this.files.has(file)) this.suspects.add(file)
    this.listedAt = isSettled(time) ? time : undefined
  }

  private async examineSuspects (): Promise<void> {
    const waiting = [...this.suspects]
    if (waiting.length === 0) return
    const created = this.loaded ? undefined : await this.memory.createdTimes(this.name)
    for (const [i, file] of waiting.entries()) {
      this.suspects.delete(file) // first, as it may change again meanwhile
      try {
        await this.examine(file, created)
        /* c8 ignore next 4 -- a disk that cannot be read cannot be had in a test */
      } catch (error) {
        this.suspects.add(file) // to be tried again: a chart does not vanish for a failing disk
        throw error
      }
      if (i % IN_A_ROW === IN_A_ROW - 1) await setImmediate()
    }
  }

  private async examine (file: string, created: ReadonlyMap<string, string> | undefined): Promise<void> {
    const found = await examine(join(this.folder, file), file, this.files.get(file), created)
    if (found === 'gone') this.drop(file)
    else if (found !== 'same') {
      const { fault, ...known } = found
      this.set(file, known)
      if (fault !== undefined) this.sayLeftOut(file, fault)
      if (!isSettled(BigInt(found.stamp.split(':')[0] as string))) this.unsettled.add(file)
    }
  }

  /** A file that no client can see is for a person to look at. */
  private sayLeftOut (file: string, reason: string): void {
    this.options.log({ event: 'file_left_out', tenant: this.name, file: printable(file), reason: printable(reason) })
  }

  private set (file: string, known: KnownFile): void {
    this.files.set(file, known)
    this.changed()
  }

  private drop (file: string): void {
    if (this.files.delete(file)) this.changed()
  }

  private changed (): void {
    this.charts = undefined
    this.rendered = undefined
    if (this.unsavedSince === undefined) {
      this.unsavedSince = performance.now()
      this.memory.invalidate(this.name)
    }
    clearTimeout(this.saveTimer)
    const wait = Math.min(REST, Math.max(0, this.unsavedSince + LONGEST_WAIT - performance.now()))
    this.saveTimer = setTimeout(() => { void this.alone(async () => { await this.save() }) }, wait).unref()
  }

  private async save (): Promise<void> {
    if (this.unsavedSince === undefined) return
    this.unsavedSince = undefined
    await this.memory.save(this.name, this.files, this.index().body)
  }

  private current (): Charts {
    this.charts ??= this.group()
    return this.charts
  }

  private index (): RenderedIndex {
    this.rendered ??= this.render(this.current())
    return this.rendered
  }

  private group (): Charts {
    const entries = [...this.files.values()].flatMap(({ entry }) => entry === undefined ? [] : [entry])
    const { charts, hidden } = shownOf(entries)
    for (const file of hidden) if (!this.hidden.has(file)) this.sayLeftOut(file, HELD_TWICE)
    this.hidden = hidden
    return charts
  }

  private render (charts: Charts): RenderedIndex {
    const texts = [...charts].map(([name, entries]) => [name, entries.map(yamlOf)] as const)
    const { contextPath } = this.options
    const body = Buffer.from(indexYaml({ charts: texts, generated: newestTime(charts), contextPath }))
    return { body, etag: etagOf(body) }
  }
}

/** The same for the same files, so that an index keeps its bytes over restarts and in each process. */
function newestTime (charts: Charts): Date {
  let newest = 0
  for (const entries of charts.values()) {
    for (const { created } of entries) newest = Math.max(newest, Date.parse(created))
  }
  return new Date(newest)
}

function yamlOf (entry: Entry): string {
  entry.yaml ??= entryYaml(entry.struct())
  return entry.yaml
}

/** Older than a tick of the clock that stamps files: whatever follows has another time. */
function isSettled (timeNs: bigint): boolean {
  return Date.now() - Number(timeNs / 1_000_000n) > UNSETTLED
}

async function folderTime (folder: string): Promise<bigint | undefined> {
  try {
    const stats = await stat(folder, { bigint: true })
    return stats.isDirectory() ? stats.mtimeNs : undefined
  } catch (error) {
    if (isMissing(error)) return undefined
    /* c8 ignore next 2 -- a disk that cannot be read cannot be had in a test */
    throw error
  }
}

function watchFolder (folder: string, changed: (name: string | null) => void): { close (): void } {
  const watcher = watch(folder, { persistent: false }, (_event, name) => { changed(name) })
  /* c8 ignore next -- a watcher that breaks later: looking at the folder's time goes on */
  watcher.on('error', () => { watcher.close() })
  return watcher
}
