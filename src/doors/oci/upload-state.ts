// What does the address of an upload say of it? Whose it is, in which repository, and how far
// it was when that address was given out, so that none is made up, used by somebody else, or
// used again when the upload has gone on. Every worker of a gateway knows the others'.
import { createHmac, randomBytes, randomUUID, timingSafeEqual } from 'node:crypto'
import { link, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'

export interface UploadFacts {
  /** The repository's. */
  readonly name: string
  readonly id: string
  /** Who pushes. */
  readonly subject: string
}

export interface UploadStates {
  say (upload: UploadFacts, length: number): Promise<string>
  /** The length that it had; undefined for what was not said of this upload. */
  read (upload: UploadFacts, state: string): Promise<number | undefined>
}

const KEY = 32
/** Bytes of a length, and of what proves it. */
const [LENGTH, PROOF] = [6, 16]

/** @param dir of what waits: the key is as old as that */
export function createUploadStates (dir: string): UploadStates {
  let key: Promise<Buffer> | undefined

  async function keyOf (): Promise<Buffer> {
    key ??= openKey(dir).catch((error: unknown) => {
      key = undefined
      throw error
    })
    return await key
  }

  async function prove ({ name, id, subject }: UploadFacts, length: Buffer): Promise<Buffer> {
    const said = JSON.stringify([name, id, subject])
    return createHmac('sha256', await keyOf()).update(length).update(said).digest().subarray(0, PROOF)
  }

  return {
    async say (upload, length) {
      const bytes = Buffer.alloc(LENGTH)
      bytes.writeUIntBE(length, 0, LENGTH)
      return Buffer.concat([bytes, await prove(upload, bytes)]).toString('base64url')
    },
    async read (upload, state) {
      const bytes = Buffer.from(state, 'base64url')
      if (bytes.length !== LENGTH + PROOF) return undefined
      const length = bytes.subarray(0, LENGTH)
      if (!timingSafeEqual(bytes.subarray(LENGTH), await prove(upload, length))) return undefined
      return length.readUIntBE(0, LENGTH)
    }
  }
}

/** The key that is there, or that whoever is first puts there. */
async function openKey (dir: string): Promise<Buffer> {
  const path = join(dir, '_key')
  const known = await readFile(path).catch(() => undefined)
  if (known !== undefined) return known
  await mkdir(dir, { recursive: true, mode: 0o700 })
  const aside = `${path}.${randomUUID()}`
  await writeFile(aside, randomBytes(KEY), { mode: 0o600 })
  await link(aside, path).catch(() => {}) // another one was first
  await rm(aside, { force: true })
  return await readFile(path)
}
