// What was revoked by a command on this machine? A file of stateDir says so, which is watched as
// all others are; what a process learns from other replicas is beside it.
import { join } from 'node:path'
import { readText, stampsOf, type Stamps } from '../files/files.ts'
import type { Config } from '../config/schema.ts'
import type { Clock } from '../lib/clock.ts'
import { createRevocations, revocationsIn, type Revocations } from '../tokens/revocations.ts'
import type { LivePart } from './part.ts'

export interface OpenedRevocations {
  readonly held: Revocations
  /** Of the file, taken before it was read. */
  readonly stamps: Stamps
}

export type OpenedRevocationsResult =
  | { readonly ok: true, readonly opened: OpenedRevocations }
  | { readonly ok: false, readonly message: string }

/** The file of a chartgate: a line for each of them (tokens/revocations.ts). */
export function revocationsFile ({ stateDir }: Pick<Config, 'stateDir'>): string {
  return join(stateDir, 'revoked')
}

/** Reads them for the first time. */
export async function openRevocations (
  config: Pick<Config, 'stateDir'>,
  clock: Clock
): Promise<OpenedRevocationsResult> {
  const file = revocationsFile(config)
  const stamps = await stampsOf([file])
  const held = createRevocations(clock)
  if (isMissing(stamps, file)) return { ok: true, opened: { held, stamps } }
  const read = await readText(file)
  const mistakes = read.ok ? taken(held, file, read.text) : [read.mistake]
  return mistakes.length === 0 ? { ok: true, opened: { held, stamps } } : { ok: false, message: mistakes.join('; ') }
}

/** They are only added to: a line that is taken out counts until it ends. */
export function revocationsPart ({ held }: Pick<OpenedRevocations, 'held'>): LivePart {
  return {
    files: async config => [revocationsFile(config)],
    async load ({ config, stamps, reader }, log) {
      const file = revocationsFile(config)
      if (isMissing(stamps, file)) return { changed: [], mistakes: [], again: false }
      const read = await reader.text(file)
      if (!read.ok) return { changed: [], mistakes: [read.mistake], again: true }
      const before = held.texts().length
      const mistakes = taken(held, file, read.text)
      const count = held.texts().length - before
      if (count > 0) log.info({ count }, 'tokens were revoked')
      return { changed: [], mistakes, again: false }
    }
  }
}

function isMissing (stamps: Stamps, file: string): boolean {
  return stamps.get(file) === 'ENOENT'
}

/** What in the file is none, in a sentence. */
function taken (held: Revocations, file: string, text: string): string[] {
  const others = held.add(revocationsIn(text, held.now()))
  return others.length === 0
    ? []
    : [`${file}: ${others.length} of its lines are none that chartgate revoke writes, and revoke nothing`]
}
