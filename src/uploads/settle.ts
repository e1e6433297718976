// Is it this upload that is stored, and not another replica's of the same version? ChartMuseum
// looks whether a file is there and then writes it, and two of them, or two requests to one,
// can both have looked before either wrote. With a lock that is proved nobody else is at it.
// Without one each who stores waits until whoever looked before has written, and then looks
// which of them it is: one finds its own bytes, and all others somebody else's (it is Fischer's
// algorithm for mutual exclusion, with the file in place of the variable).
import { Readable } from 'node:stream'
import { RefusalError } from '../http/errors.ts'
import type { Hold } from '../lib/locks.ts'
import type { Later } from '../lib/timers.ts'
import { compareFile, type FileFacts, type TenantPlace } from '../upstream/stored.ts'

/** Milliseconds in which an upstream that found nothing there has written. */
export const SETTLES = 1_000

/** Where something is stored that others may store too. */
export interface SharedPlace {
  readonly hold: () => Hold
  /** The upstream stores over what is there, as far as is known now. */
  readonly allowOverwrite: () => boolean
  readonly later: Later
}

/** @throws RefusalError when it cannot be known that nobody else stores the same version */
export function mayStore ({ hold, allowOverwrite }: SharedPlace): void {
  const held = hold()
  if (held === 'lost' || (held === 'none' && allowOverwrite())) throw new RefusalError({ code: 'lock_unproved' })
}

/** Nobody else stores the same version meanwhile, for certain. */
export function isAlone ({ hold }: Pick<SharedPlace, 'hold'>): boolean {
  const held = hold()
  return held === 'own' || held === 'proved'
}

/**
 * The same bytes for as long as the lock is proved: an upload that is broken off is not stored. The time
 * that is left then is the upstream's, to end with what it has.
 * @param open called when somebody reads
 */
export function whileProved (open: () => Readable, { hold }: Pick<SharedPlace, 'hold'>): Readable {
  return hold() === 'own' ? open() : Readable.from(provedPieces(open, hold), { objectMode: false })
}

async function * provedPieces (open: () => AsyncIterable<Buffer>, hold: () => Hold): AsyncGenerator<Buffer> {
  for await (const piece of open()) {
    if (hold() === 'lost') throw new RefusalError({ code: 'lock_unproved' })
    yield piece
  }
}

/**
 * Are these bytes in the file, once everybody who began to store it has? Where nobody else can it is
 * not asked.
 * @throws RefusalError when nothing is there, or the upstream does not say
 */
export async function isKept (
  { hold, later, ...place }: SharedPlace & TenantPlace,
  file: string,
  facts: FileFacts
): Promise<boolean> {
  const held = hold()
  if (held === 'own') return true
  if (held !== 'proved') await new Promise<void>(resolve => { later(SETTLES, resolve) })
  const there = await compareFile(place, file, facts)
  if (there !== 'missing') return there === 'same'
  throw new RefusalError({ code: 'upstream_bad_answer' }, { cause: `it stored ${file}, and does not have it` })
}
