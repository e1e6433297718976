// Where do the keys of somebody else come from? A PEM or a key set in a file, which is there
// from the start, or a URL, from which they are fetched again and again. One way for token
// servers (issuers.ts) and for the issuers of jobs.
import { readFile } from 'node:fs/promises'
import { readJwks, readPem, type IssuerKey } from './issuer-keys.ts'
import { createRemoteKeys, type RemoteKeys, type RemotePlace } from './remote-keys.ts'

/** A file or a URL; files absolute. */
export interface KeyPlace {
  readonly publicKey?: string | undefined
  readonly jwksFile?: string | undefined
  readonly remote?: RemotePlace | undefined
}

export interface KeySource {
  /** What counts now. */
  readonly keys: () => readonly IssuerKey[]
  /** Where keys are fetched from a URL. */
  readonly remote?: RemoteKeys
}

/** What the keys of a place are; a sentence when they cannot be read. */
export async function openKeySource (place: KeyPlace): Promise<KeySource | string> {
  const keys = place.remote === undefined ? await readKeys(place) : []
  return typeof keys === 'string' ? keys : keySourceOf(place, keys)
}

/** @param keys of its file; one with a URL has those that are fetched from there */
export function keySourceOf ({ remote: from }: KeyPlace, keys: readonly IssuerKey[]): KeySource {
  if (from === undefined) return { keys: () => keys }
  const remote = createRemoteKeys(from)
  return { keys: remote.keys, remote }
}

async function readKeys ({ publicKey, jwksFile }: KeyPlace): Promise<readonly IssuerKey[] | string> {
  const file = publicKey ?? jwksFile as string
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return `${file} cannot be read (${(error as NodeJS.ErrnoException).code})`
  }
  const keys = await (publicKey === undefined ? readJwks(text) : readPem(text))
  if (typeof keys === 'string') return `${file} cannot be used: ${keys}`
  return keys.length === 0 ? `${file} cannot be used: it holds no key that verifies signatures` : keys
}
