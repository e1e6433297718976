// Could something not be written because its disk is mounted read-only? The system says
// so, but Node does not always pass it on.
import { access, constants } from 'node:fs/promises'
import { dirname } from 'node:path'

/**
 * True when what failed could not be written there by anybody. Of a folder that is missing
 * on such a disk Node says ENOENT (fs.mkdir with `recursive`, 20.20): then the folder above is asked.
 */
export async function isReadOnly (error: unknown): Promise<boolean> {
  const { code, path } = error as NodeJS.ErrnoException
  if (code !== 'ENOENT' || path === undefined) return code === 'EROFS'
  for (let each = path; ; each = dirname(each)) {
    const mistake = await access(each, constants.W_OK)
      .then(() => undefined, (error: unknown) => (error as NodeJS.ErrnoException).code)
    if (mistake !== 'ENOENT') return mistake === 'EROFS'
  }
}

/** Why it failed: the sentence for a disk that is mounted read-only, or the system's. */
export async function reasonOf (error: unknown, readOnly: string): Promise<string> {
  return await isReadOnly(error) ? readOnly : (error as Error).message
}
