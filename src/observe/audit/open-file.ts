// Can lines be appended to this file? A regular one, a pipe that somebody reads, or a device;
// no link, because who can write in its folder could have us append to anything. And does
// what stands in it end? A line that a kill or a full disk cut would take the next one with it.
import { constants } from 'node:fs'
import { open, type FileHandle } from 'node:fs/promises'

/** Of a file that is made: who did what is nobody else's business. */
const NEW_MODE = 0o600
/** A pipe without a reader is an error, and no wait. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT |
  constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
const READ_FLAGS = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK | constants.O_NOCTTY
const LF = 0x0a

export interface OpenFile {
  readonly handle: FileHandle
  /** Its last line lacks its end, which is to be written before anything else. */
  readonly isCut: boolean
}

/** @throws what the file system says */
export async function openToAppend (file: string): Promise<OpenFile> {
  const handle = await open(file, FLAGS, NEW_MODE)
  const { size } = await handle.stat()
  // Pipes and devices have no size.
  return { handle, isCut: size > 0 && await readByte(file, size - 1) !== LF }
}

/** LF where nobody knows: a file may be one that can be written alone. */
async function readByte (file: string, position: number): Promise<number> {
  const last = Buffer.of(LF)
  await open(file, READ_FLAGS)
    .then(async reader => { await reader.read(last, 0, 1, position).finally(async () => { await reader.close() }) })
    .catch(() => {})
  return last[0] as number
}

export type OpenedToAppend =
  | { readonly ok: true, readonly opened: OpenFile }
  | { readonly ok: false, /** a sentence */ readonly message: string }

/** The same for whoever wrote the configuration. @param onDisk a pipe or device will not do */
export async function openAuditFile (file: string, onDisk: boolean): Promise<OpenedToAppend> {
  try {
    const opened = await openToAppend(file)
    const { handle } = opened
    const found = await handle.stat()
    const willDo = found.isFile() || (!onDisk && (found.isFIFO() || found.isCharacterDevice()))
    if (willDo) return { ok: true, opened }
    await handle.close()
    return { ok: false, message: `audit.file ${file} cannot be used: audit.required needs a file on a disk` }
  } catch (error) {
    return { ok: false, message: `audit.file ${file} cannot be written: ${hindranceOf(codeOf(error))}` }
  }
}

const HINDRANCES: Readonly<Record<string, string>> = {
  ENOENT: 'its folder is missing: make it, or name another file',
  EISDIR: 'it is a folder: name a file in it',
  ELOOP: 'it is a link, which is not followed: name the file itself',
  ENXIO: 'it is a pipe that nobody reads, or a socket: start its reader first, or name a file',
  EACCES: 'this user may not (EACCES): let the user that chartgate runs as write the file and its folder',
  EROFS: 'its disk is mounted read-only (EROFS): name a file elsewhere'
}

/** What whoever runs it can put right. */
function hindranceOf (code: string): string {
  return HINDRANCES[code] ?? code
}

/** The system's word for it. */
export function codeOf (error: unknown): string {
  return String((error as NodeJS.ErrnoException).code)
}
