// Which tokens of ours count no more, although they have not ended? Those of an id (jti), or
// of a subject as far as they were issued before it was said. It is kept as texts, the same in
// a file of stateDir and in Redis, until no token that it is of can count by itself: by both
// clocks, so that one that is set takes nothing back.
import type { Clock } from '../lib/clock.ts'
import { LEEWAY } from './claims.ts'

/** What is said of a token, for which it may be revoked. */
export interface RevocableToken {
  readonly id: string
  readonly subject: string
  /** Seconds since the epoch. */
  readonly issuedAt: number
}

/** A token by its id, or all tokens of a subject. */
export type RevocationOf = { readonly token: string } | { readonly subject: string }

export interface Revocations {
  /** Takes texts in, whether they are known or not; those that are none come back. */
  add (texts: readonly string[]): readonly string[]
  isRevoked (token: RevocableToken): boolean
  has (text: string): boolean
  /** All that still counts. */
  texts (): readonly string[]
  /** Seconds since the epoch. */
  readonly now: () => number
}

const OF_TOKEN = /^token ([0-9A-Za-z-]{1,64}) \d{1,11}$/
const OF_SUBJECT = /^subject (\S{1,400}) (\d{1,11}) \d{1,11}$/

/** True for what an id of our tokens looks like. */
export function isTokenId (text: string): boolean {
  return OF_TOKEN.test(`token ${text} 0`)
}

/**
 * @param now seconds since the epoch
 * @param ttl seconds that a token lives at most
 */
export function revocationText (of: RevocationOf, now: number, ttl: number): string {
  // The clock of who issued one may be ahead, and the clock of who verifies it behind.
  const until = now + ttl + 2 * LEEWAY
  return 'token' in of ? `token ${of.token} ${until}` : `subject ${of.subject} ${now} ${until}`
}

/** The lines of a file that count still. */
export function revocationsIn (text: string, now: number): string[] {
  return text.split('\n').filter(line => line !== '' && !(untilOf(line) < now))
}

export function createRevocations (clock: Clock, texts: readonly string[] = []): Revocations {
  /** Until when it is kept, by each clock. */
  const kept = new Map<string, { readonly wall: number, readonly monotonic: number }>()
  const ids = new Set<string>()
  /** Up to which moment what was issued is revoked, by subject. */
  const subjects = new Map<string, number>()

  function look (text: string): boolean {
    const [, id] = OF_TOKEN.exec(text) ?? []
    const [, subject, before] = OF_SUBJECT.exec(text) ?? []
    if (id !== undefined) ids.add(id)
    if (subject !== undefined) subjects.set(subject, Math.max(Number(before), subjects.get(subject) ?? 0))
    return id !== undefined || subject !== undefined
  }

  function giveUp (): void {
    const [wall, monotonic] = [clock.wall(), clock.monotonic()]
    const over = [...kept].filter(([, until]) => until.wall < wall && until.monotonic < monotonic)
    if (over.length === 0) return
    for (const [text] of over) kept.delete(text)
    ids.clear()
    subjects.clear()
    for (const text of kept.keys()) look(text)
  }

  const revocations: Revocations = {
    now: clock.wall,
    add (texts) {
      giveUp()
      return texts.filter(text => {
        if (kept.has(text)) return false
        if (!look(text)) return true
        const wall = untilOf(text)
        kept.set(text, { wall, monotonic: clock.monotonic() + Math.max(0, wall - clock.wall()) })
        return false
      })
    },
    isRevoked: ({ id, subject, issuedAt }) =>
      kept.size > 0 && (ids.has(id) || issuedAt <= (subjects.get(subject) ?? -Infinity)),
    has: text => kept.has(text),
    texts () {
      giveUp()
      return [...kept.keys()]
    }
  }
  revocations.add(texts)
  return revocations
}

/** Seconds since the epoch until which it counts; NaN for what is no revocation. */
function untilOf (text: string): number {
  return OF_TOKEN.test(text) || OF_SUBJECT.test(text) ? Number(text.slice(text.lastIndexOf(' '))) : NaN
}
