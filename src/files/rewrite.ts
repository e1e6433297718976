// How is a file changed that others read? Whole or not at all: what is new is written
// beside it, with its owner and mode, and takes its name. Commands wait for each other
// (lock-file.ts); somebody who writes meanwhile is noticed, and what they wrote is changed.
import { lstat, open, readFile, realpath, rename, rm, stat } from 'node:fs/promises'
import { dirname, resolve, sep } from 'node:path'
import { isReadOnly } from '../lib/read-only.ts'
import { utf8Of } from '../lib/utf8.ts'
import { stampOf } from './files.ts'
import { holdLockFile, type LockTimes } from './lock-file.ts'

interface Failed {
  readonly ok: false
  /** A line each. */
  readonly mistakes: readonly string[]
}

/** What the file is to hold; the same text leaves it as it is. */
export type NewText = { readonly ok: true, readonly text: string } | Failed

export type Rewritten = { readonly ok: true } | Failed

/** Of a file that is made: accounts and the like are nobody else's business. */
const NEW_MODE = 0o600
const TRIES = 3

/**
 * Changes a file, or makes it.
 * @param make what it is to hold, of what it holds (undefined: it is missing); asked again
 * when somebody else changes it
 */
export async function rewriteFile (
  file: string,
  make: (text: string | undefined) => Promise<NewText>,
  times?: LockTimes
): Promise<Rewritten> {
  let name = file
  try {
    const real = await realFile(file)
    if (real !== resolve(file)) name = `${file}, which is ${real},`
    if (isMounted(real)) {
      return failed(`${name} is in a Kubernetes volume, which follows a Secret or ConfigMap: change that`)
    }
    const held = await holdLockFile(`${real}.lock`, async () => await replace(name, real, make), times)
    return held.ok ? held.value : failed(`${name} is not changed: ${held.message}`)
  } catch (error) {
    return failed(`${name} cannot be changed: ${await hindrance(error)}`)
  }
}

/** Behind every link, because a new file would take the place of the link itself. */
async function realFile (file: string): Promise<string> {
  try {
    return await realpath(file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || await isThere(file)) throw error
    return resolve(file)
  }
}

async function isThere (file: string): Promise<boolean> {
  return await lstat(file).then(() => true, () => false)
}

/** Kubernetes writes into folders with names such as ..2026_11_28_21_00_00.123 and exchanges a link to them. */
function isMounted (real: string): boolean {
  return real.split(sep).some(name => /^\.\.[^.]/.test(name))
}

async function replace (
  /** as a person knows it */
  name: string,
  real: string,
  make: (text: string | undefined) => Promise<NewText>
): Promise<Rewritten> {
  for (let tries = 1; tries <= TRIES; tries++) {
    const stamp = await stampOf(real)
    const bytes = stamp === 'ENOENT' ? undefined : await readFile(real)
    const text = bytes === undefined ? undefined : utf8Of(bytes)
    if (bytes !== undefined && text === undefined) return failed(`${name} is no UTF-8`)
    const made = await make(text)
    if (!made.ok) return made
    if (made.text === text) return { ok: true }
    const aside = `${real}.new`
    try {
      await rm(aside, { force: true }) // of a command that was ended: who holds the lock is alone
      await write(aside, made.text, bytes === undefined ? undefined : real)
      if (await stampOf(real) === stamp) {
        await rename(aside, real)
        await sync(dirname(real))
        return { ok: true }
      }
    } finally {
      await rm(aside, { force: true })
    }
  }
  return failed(`${name} is not changed: somebody else writes it all the time`)
}

/** On the disk when this resolves. @param like the file whose owner and mode it gets */
async function write (file: string, text: string, like: string | undefined): Promise<void> {
  const handle = await open(file, 'wx', NEW_MODE)
  try {
    await handle.writeFile(text)
    if (like !== undefined) {
      const [was, is] = await Promise.all([stat(like), handle.stat()])
      if (was.uid !== is.uid || was.gid !== is.gid) await handle.chown(was.uid, was.gid)
      await handle.chmod(was.mode & 0o7777)
    }
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sync (folder: string): Promise<void> {
  const handle = await open(folder, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** What whoever runs the command can put right. */
async function hindrance (error: unknown): Promise<string> {
  const { code, path, syscall, message } = error as NodeJS.ErrnoException
  // A single file that is mounted cannot be exchanged.
  if (await isReadOnly(error) || code === 'EBUSY') {
    return 'it is mounted read-only, or as a single file: change it where it comes from'
  }
  if (syscall === 'fchown') {
    return 'it belongs to somebody else, and has to stay theirs: run this as its owner, or as root'
  }
  return code === 'EACCES' && path !== undefined
    ? `this user may not write in ${dirname(path)} (EACCES): run this as the owner of the folder`
    : message
}

function failed (...mistakes: readonly string[]): Failed {
  return { ok: false, mistakes }
}
