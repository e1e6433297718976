// Where do the bytes of charts live, and how do they get there whole? Files as
// ChartMuseum's local storage has them (chartmuseum/storage v0.16.0, local.go):
// <root>/<tenant>/<name>-<version>.tgz and .tgz.prov. A file appears under its name
// complete or not at all: written aside, synced, then linked.
import { createHash, randomUUID } from 'node:crypto'
import { createWriteStream, type BigIntStats } from 'node:fs'
import { constants, link, mkdir, open, rename, rm, stat, unlink, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'

/** Everything of ours that is no chart, below the root: no listing looks into it, and no tenant can be called so. */
export const PRIVATE_FOLDER = '.chartgate'

/** An upload on disk, not yet visible to anyone. */
export interface Draft {
  readonly path: string
  readonly size: number
  /** sha256, hex. */
  readonly digest: string
}

/** A file, open. */
export interface StoredFile {
  readonly handle: FileHandle
  readonly size: number
  readonly stats: BigIntStats
}

export interface Store {
  readonly root: string
  /** The folder of a tenant ('' is the root). */
  folderOf (tenant: string): string
  /** Writes a stream aside and syncs it. Rejects with what the stream or the disk says, and leaves nothing. */
  draft (source: AsyncIterable<Uint8Array>): Promise<Draft>
  discard (draft: Draft): Promise<void>
  /**
   * Gives a draft its name. Without `overwrite` it is 'exists' when the name is taken,
   * decided by the file system, so that of two at once one wins.
   * The name is durable only after `sync`.
   */
  publish (draft: Draft, tenant: string, file: string, overwrite: boolean): Promise<'done' | 'exists'>
  /** Makes the names in a tenant's folder durable. */
  sync (tenant: string): Promise<void>
  exists (tenant: string, file: string): Promise<boolean>
  /** False when there is no such file. */
  remove (tenant: string, file: string): Promise<boolean>
  /** The file, opened for reading, when it is one. */
  read (tenant: string, file: string): Promise<StoredFile | undefined>
  /** Writes a file of our own, whole or not at all. */
  replace (path: string, parts: Iterable<string | Buffer>): Promise<void>
}

/** Makes the folders, and removes what an earlier process left half-written. */
export async function openStore (root: string): Promise<Store> {
  const drafts = join(root, PRIVATE_FOLDER, 'tmp')
  await mkdir(root, { recursive: true })
  await rm(drafts, { recursive: true, force: true })
  await mkdir(drafts, { recursive: true, mode: 0o700 })
  const folderOf = (tenant: string): string => join(root, tenant)
  const pathOf = (tenant: string, file: string): string => join(root, tenant, file)
  const freshPath = (): string => join(drafts, randomUUID())

  async function draft (source: AsyncIterable<Uint8Array>): Promise<Draft> {
    const path = freshPath()
    const hash = createHash('sha256')
    let size = 0
    const count = new Transform({
      transform (chunk: Buffer, _encoding, done) {
        hash.update(chunk)
        size += chunk.length
        done(null, chunk)
      }
    })
    try {
      // 0644: a ChartMuseum that runs as somebody else must be able to read it.
      await pipeline(source, count, createWriteStream(path, { flags: 'wx', mode: 0o644, flush: true }))
    } catch (error) {
      await rm(path, { force: true })
      throw error
    }
    return { path, size, digest: hash.digest('hex') }
  }

  async function publish (draft: Draft, tenant: string, file: string, overwrite: boolean): Promise<'done' | 'exists'> {
    const path = pathOf(tenant, file)
    await makeFolder(root, folderOf(tenant))
    if (overwrite) {
      await rename(draft.path, path)
      return 'done'
    }
    try {
      await link(draft.path, path)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EEXIST') return 'exists'
      /* c8 ignore next 4 -- file systems without hard links cannot be had in a test */
      if (code !== 'EPERM' && code !== 'ENOTSUP' && code !== 'EOPNOTSUPP' && code !== 'ENOSYS') throw error
      if (await exists(tenant, file)) return 'exists'
      await rename(draft.path, path)
    }
    return 'done'
  }

  async function exists (tenant: string, file: string): Promise<boolean> {
    try {
      return (await stat(pathOf(tenant, file))).isFile()
    } catch (error) {
      if (isMissing(error)) return false
      throw error
    }
  }

  return {
    root,
    folderOf,
    draft,
    discard: async ({ path }) => { await rm(path, { force: true }) },
    publish,
    exists,
    sync: async tenant => { await syncFolder(folderOf(tenant)) },
    async remove (tenant, file) {
      try {
        await unlink(pathOf(tenant, file))
        return true
      } catch (error) {
        if (isMissing(error)) return false
        throw error
      }
    },
    async read (tenant, file) {
      let handle: FileHandle
      try {
        handle = await open(pathOf(tenant, file), constants.O_RDONLY | constants.O_NONBLOCK)
      } catch (error) {
        if (isMissing(error)) return undefined
        throw error
      }
      const stats = await handle.stat({ bigint: true })
      if (stats.isFile()) return { handle, size: Number(stats.size), stats }
      await handle.close()
      return undefined
    },
    async replace (path, parts) {
      const aside = freshPath()
      const handle = await open(aside, 'wx', 0o644)
      try {
        for (const part of parts) await handle.appendFile(part)
        await handle.sync()
        await handle.close()
        await rename(aside, path)
      } catch (error) {
        await handle.close().catch(() => {})
        await rm(aside, { force: true })
        throw error
      }
    }
  }
}

/** Makes a folder, and the names of every new one on the way durable. */
async function makeFolder (root: string, folder: string): Promise<void> {
  const first = await mkdir(folder, { recursive: true, mode: 0o775 })
  if (first === undefined) return
  for (let parent = dirname(folder); parent.length >= root.length; parent = dirname(parent)) await syncFolder(parent)
}

async function syncFolder (folder: string): Promise<void> {
  const handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY)
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** No such file: it is not there, or its name is one that no file can have. */
export function isMissing (error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ENAMETOOLONG', 'EISDIR', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? '')
}

/** The disk is mounted read-only by now: a system does so itself after an error of the disk. */
export function isReadOnlyNow (error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'EROFS'
}

/** The disk, or somebody's share of it, is full. */
export function isFull (error: unknown): boolean {
  return ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
}
