// Which of our keys counts now, and for what? States follow from the clock: a key signs
// from its own time until the next one's, is verified and published from the moment it is
// there until the last token that it signed has ended, and means nothing afterwards. So
// every process that sees the same keys agrees with the others without asking them.
import type { JSONWebKeySet, JWK } from 'jose'
import { publicJwk, type SigningKey, type VerifyingKey } from './keys.ts'

export type KeyState = 'active' | 'verify' | 'retired'

export interface DatedKey {
  readonly key: SigningKey
  /** Signs from here on; seconds since the epoch. */
  readonly since: number
}

export interface StatedKey {
  readonly key: VerifyingKey
  readonly state: KeyState
  /** Undefined for a key that never signs. */
  readonly since?: number
}

export interface KeyRing {
  /** The one key that signs. */
  signing (now: number): SigningKey
  /** The key of this id, when tokens of it count. */
  verifying (kid: string, now: number): VerifyingKey | undefined
  /** All of them, the signing one first. */
  states (now: number): readonly StatedKey[]
}

/** Seconds that clocks of processes may differ, and a token in flight may take. */
const GRACE = 60

/** The public halves of all keys whose tokens count, as they are published (RFC 7517). */
export function jwksOf (ring: KeyRing, now: number): JSONWebKeySet {
  return { keys: ring.states(now).filter(({ state }) => state !== 'retired').map(({ key }) => publicJwk(key) as JWK) }
}

/**
 * When the last token of a key has ended whose successor signs since then.
 * @param lifetime seconds that a token of ours lives at most
 */
export function tokensEnd (since: number, lifetime: number): number {
  return since + lifetime + GRACE
}

/**
 * @param signers at least one
 * @param verifiers keys that never sign, and are verified as long as they are here
 * @param lifetime seconds that a token of ours lives at most
 */
export function createRing (
  signers: readonly [DatedKey, ...DatedKey[]],
  verifiers: readonly VerifyingKey[],
  lifetime: number
): KeyRing {
  const inTurn = [...signers].sort((a, b) => a.since - b.since)
  const ends = new Map<string, number>(verifiers.map(({ kid }) => [kid, Infinity]))
  for (const [i, { key }] of inTurn.entries()) ends.set(key.kid, tokensEnd(inTurn[i + 1]?.since ?? Infinity, lifetime))
  const byKid = new Map([...verifiers, ...inTurn.map(({ key }) => key)].map(key => [key.kid, key]))

  const signing = (now: number): SigningKey => {
    return (inTurn.findLast(({ since }) => since <= now) ?? inTurn[0] as DatedKey).key
  }
  const counts = (kid: string, now: number): boolean => now < (ends.get(kid) as number)
  return {
    signing,
    verifying (kid, now) {
      const key = byKid.get(kid)
      return key !== undefined && counts(kid, now) ? key : undefined
    },
    states (now) {
      const active = signing(now)
      const stateOf = (key: VerifyingKey): KeyState => {
        if (key === active) return 'active'
        return counts(key.kid, now) ? 'verify' : 'retired'
      }
      const all: StatedKey[] = [
        ...inTurn.map(({ key, since }) => ({ key, state: stateOf(key), since })),
        ...verifiers.map(key => ({ key, state: stateOf(key) }))
      ]
      return all.sort((a, b) => Number(b.key === active) - Number(a.key === active))
    }
  }
}
