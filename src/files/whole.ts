// How does a file of the gateway's own come to the disk, and from there? Whole or not at all,
// whoever else writes it, and whenever the process or the machine ends; and what cannot be read
// now is not taken for what is not there.
import { randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile, type FileHandle } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What the names begin with of files that are being written. */
const ASIDE = '.'

/** True for the name of a file that is being written, or was until a process ended. */
export function isAside (name: string): boolean {
  return name.startsWith(ASIDE)
}

/** A name beside a file, for who is about to put it there or to take it away. */
export function asideOf (path: string): string {
  return join(dirname(path), ASIDE + randomUUID())
}

export type FileContent = Uint8Array | AsyncIterable<Uint8Array>

/**
 * Writes a file in the place of what has the path, on the disk when this returns; folders are made.
 * @param isWanted is asked last, when its name alone is missing: a file that is not is not there
 * @returns true where it is there
 * @throws what the file system says, and what the content throws; nothing of it is left then
 */
export async function writeWhole (
  path: string,
  content: FileContent,
  isWanted: () => Promise<boolean> = async () => true
): Promise<boolean> {
  const folder = dirname(path)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const aside = asideOf(path)
  try {
    await writeFile(aside, content, { mode: 0o600, flush: true })
    if (!await isWanted()) {
      await rm(aside, { force: true })
      return false
    }
    await rename(aside, path)
  } catch (error) {
    await rm(aside, { force: true })
    throw error
  }
  const above = await open(folder)
  await above.sync().finally(async () => { await above.close() })
  return true
}

/** Nothing that could be read in a moment: no file, or one of another kind, or of somebody else. */
const NO_FILE = new Set(['ENOENT', 'ENOTDIR', 'EISDIR', 'EACCES'])

/** True for an error that says that there is no such file. */
export function isNoFile (error: unknown): boolean {
  return NO_FILE.has(String((error as NodeJS.ErrnoException).code))
}

/**
 * What was wanted of a file; undefined where there is none.
 * @throws what else keeps it from being read, as that no descriptor is left
 */
export async function unlessNoFile<T> (work: Promise<T>): Promise<T | undefined> {
  try {
    return await work
  } catch (error) {
    if (isNoFile(error)) return undefined
    throw error
  }
}

/** What a file holds; undefined where there is none. @throws as above */
export async function readWhole (path: string): Promise<Buffer | undefined> {
  return await unlessNoFile(readFile(path))
}

/**
 * What is read of an open file; undefined where there is none.
 * @throws as above
 */
export async function withFile<T> (path: string, work: (file: FileHandle) => Promise<T>): Promise<T | undefined> {
  const file = await unlessNoFile(open(path))
  if (file === undefined) return undefined
  try {
    return await unlessNoFile(work(file)) // a folder can be opened
  } finally {
    await file.close()
  }
}

/**
 * Removes from a folder what processes have begun to write, and ended before they had.
 * @param age milliseconds that it is old
 */
export async function tidyFolder (folder: string, age: number): Promise<void> {
  for (const name of (await readdir(folder).catch(() => [])).filter(isAside)) {
    const path = join(folder, name)
    const begun = await stat(path).catch(() => undefined)
    if (begun !== undefined && Date.now() - begun.mtimeMs > age) await rm(path, { force: true })
  }
}
