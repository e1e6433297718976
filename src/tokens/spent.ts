// Was a token exchanged already? Of those that count once (RFC 7523 section 3, `jti`) it is
// remembered for as long as each could be shown again. A token counts only where it is certain
// that nobody exchanged it: what was issued before this memory began may have been, whoever
// remembers that, and when a provider's share is full no token of it is the first.
import type { Clock } from '../lib/clock.ts'
import type { OnceToken } from '../words/principal.ts'

/** A token that is being exchanged. */
export interface Shown {
  /** Whose it is: each provider has a share of its own. */
  readonly provider: string
  /** What no two tokens share: letters, digits, `-` and `_`. */
  readonly name: string
  /** How long it counts yet. */
  readonly seconds: number
  /** Seconds since it was issued, at most. */
  readonly age: number
}

/**
 * `first`: nobody used it before, and nobody will again. `used`: somebody did. `too_early`: it was issued
 * before it began to be remembered who did. `unproved`: nobody can say or keep it now.
 */
export type Use = 'first' | 'used' | 'too_early' | 'unproved'

export interface Spent {
  /** Uses a token up. */
  spend (shown: Shown): Promise<Use>
}

/** Tokens of one provider that are remembered at most. */
export const MOST_SPENT = 100_000

/** Issued at the latest now, or when it was written down, by whichever clock says more: neither makes it younger. */
export function shownNow ({ provider, name, seconds, issued }: OnceToken, clock: Clock): Shown {
  const age = Math.max(clock.wall() - issued.wall, clock.monotonic() - issued.monotonic)
  return { provider, name, seconds, age: age + 1 } // both are whole seconds, cut off
}

/** A token that was used up. */
export interface SpentToken {
  readonly provider: string
  readonly name: string
  /** Seconds since the epoch until which it is remembered. */
  readonly end: number
}

export interface SpentMemory {
  /** What becomes of it, before anything does. */
  look (shown: Shown): Use
  /** Remembers one that is not there. */
  add (token: SpentToken): void
  /** All that is remembered. */
  tokens (): readonly SpentToken[]
  readonly size: () => number
}

/** Those that are given up together: what ends in one minute. */
interface Minute {
  /** When the last of them has ended, by both clocks. */
  readonly wall: number
  monotonic: number
  readonly tokens: SpentToken[]
}

const MINUTE = 60

/**
 * What this process remembers. It costs the same however much that is: what has ended is looked for
 * once a minute, among minutes.
 * @param since since when, in seconds of the monotonic clock
 */
export function createSpentMemory (clock: Clock, since: number, most = MOST_SPENT): SpentMemory {
  const names = new Set<string>()
  /** How many of each provider. */
  const shares = new Map<string, number>()
  const minutes = new Map<number, Minute>()
  let lookedAt = -Infinity

  function count (provider: string, change: 1 | -1): void {
    shares.set(provider, shareOf(provider) + change)
  }

  function shareOf (provider: string): number {
    return shares.get(provider) ?? 0
  }

  /** By both clocks, so that one that is set lets nothing in twice. */
  function giveUp (): void {
    const now = clock.monotonic()
    if (now < lookedAt + MINUTE) return
    lookedAt = now
    for (const [key, { wall, monotonic, tokens }] of minutes) {
      if (wall >= clock.wall() || monotonic >= now) continue
      minutes.delete(key)
      for (const { provider, name } of tokens) {
        names.delete(name)
        count(provider, -1)
      }
    }
  }

  return {
    look ({ provider, name, age }) {
      giveUp()
      if (names.has(name)) return 'used'
      if (age >= clock.monotonic() - since) return 'too_early'
      return shareOf(provider) >= most ? 'unproved' : 'first'
    },
    add (token) {
      names.add(token.name)
      count(token.provider, 1)
      const key = Math.ceil(token.end / MINUTE)
      const minute = minutes.get(key) ?? { wall: key * MINUTE, monotonic: 0, tokens: [] }
      minutes.set(key, minute)
      minute.monotonic = Math.max(minute.monotonic, clock.monotonic() + minute.wall - clock.wall())
      minute.tokens.push(token)
    },
    tokens: () => [...minutes.values()].flatMap(({ tokens }) => tokens),
    size: () => names.size
  }
}
