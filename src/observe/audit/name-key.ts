// What stands in the audit log for a name that nobody has? A hash under a key that is made
// once and stays in stateDir: the same name is the same hash in every process and after a
// restart, and nobody without the key can try names.
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { link, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

const KEY = /^[0-9a-f]{64}\n$/

/**
 * The hash, under the key of this stateDir, which is made when there is none.
 * @throws what the file system says, or an error that says that the file holds no key
 */
export async function openNameHash (stateDir: string): Promise<(name: string) => string> {
  const file = join(stateDir, 'audit.key')
  await makeOnce(file)
  const text = await readFile(file, 'latin1')
  if (!KEY.test(text)) {
    throw new Error(`${file} holds no key (64 hex digits and a line end): take it away, and a new one is made`)
  }
  return nameHash(Buffer.from(text.trim(), 'hex'))
}

/**
 * Whole, or not at all: what is killed in the middle leaves no file of that name. Who comes
 * second takes what is there.
 */
async function makeOnce (file: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`
  try {
    await writeFile(aside, `${randomBytes(32).toString('hex')}\n`, { mode: 0o600 })
    await link(aside, file)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    await rm(aside, { force: true })
  }
}

/** HMAC-SHA-256 in hex (RFC 2104). */
export function nameHash (key: Uint8Array): (name: string) => string {
  return name => createHmac('sha256', key).update(name).digest('hex')
}
