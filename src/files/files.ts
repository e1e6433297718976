// What is in a file, and is it still that? A stamp tells one state of a file from another;
// it also notices what Kubernetes does with mounted secrets (a link in the path is
// exchanged) and what editors do (a new file takes the name).
import { readFile, stat } from 'node:fs/promises'
import { setTimeout as rest } from 'node:timers/promises'

/** Of files by their names; a missing file has a stamp too. */
export type Stamps = ReadonlyMap<string, string>

export type FileText =
  | { readonly ok: true, readonly text: string, /** of the file when it was read */ readonly stamp: string }
  | { /** another try may do */ readonly ok: false, readonly mistake: string, readonly stamp: string }

export async function stampsOf (files: readonly string[]): Promise<Stamps> {
  return new Map(await Promise.all(files.map(async file => [file, await stampOf(file)] as const)))
}

export async function stampOf (file: string): Promise<string> {
  try {
    const { mtimeNs, ctimeNs, size, ino, dev } = await stat(file, { bigint: true })
    return [mtimeNs, ctimeNs, size, ino, dev].join(':')
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}

/** Reads a file as it is now. */
export async function readText (file: string): Promise<FileText> {
  const stamp = await stampOf(file)
  try {
    return { ok: true, text: await readFile(file, 'utf8'), stamp }
  } catch (error) {
    return { ok: false, mistake: `${file}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`, stamp }
  }
}

/** Milliseconds in which nobody may have written. */
const QUIET = 50
const TRIES = 5

/**
 * Reads a file that somebody may be writing, once they have stopped for a moment: half of a
 * list of accounts may be a sound list, and the other half would lose their rights.
 */
export async function readAtRest (file: string): Promise<FileText> {
  let found = await readText(file)
  for (let i = 1; i <= TRIES; i++) {
    await rest(QUIET)
    if (found.stamp === await stampOf(file)) return found
    if (i < TRIES) found = await readText(file)
  }
  return {
    ok: false,
    mistake: `${file}: the file cannot be read (somebody writes it all the time)`,
    stamp: found.stamp
  }
}
