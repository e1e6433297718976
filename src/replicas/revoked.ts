// What has another replica revoked? Redis has all that counts still, in the order in which it
// heard of it; with each beat comes what is new, and what is known here alone, from a file or
// from before Redis lost it, is said there.
import { randomUUID } from 'node:crypto'
import type { Revocations } from '../tokens/revocations.ts'
import type { Redis } from './redis.ts'
import { pairsOf, REVOKE, type BeatReply } from './scripts.ts'

export interface Revoked {
  /** How far this process knows what Redis has; 0: nothing of it. */
  readonly upTo: () => number
  heard (reply: BeatReply, isNew: boolean): void
}

export function createRevoked (redis: Pick<Redis, 'run'>, revocations: Revocations): Revoked {
  let upTo = 0
  /** What Redis is known to have. */
  const there = new Set<string>()
  let saying = false

  async function say (): Promise<void> {
    const texts = revocations.texts().filter(text => !there.has(text))
    if (texts.length === 0 || saying) return
    saying = true
    // What of it is there comes back with the next beat.
    await redis.run(REVOKE, [randomUUID(), `${revocations.now()}`, ...texts]).catch(() => {})
    saying = false
  }

  return {
    upTo: () => upTo,
    heard ([, , , , , revoked], isNew) {
      if (isNew) {
        upTo = 0
        there.clear()
      }
      const arrived = pairsOf(revoked)
      for (const [text, number] of arrived) {
        there.add(text)
        upTo = Math.max(upTo, Number(number))
      }
      revocations.add(arrived.map(([text]) => text))
      for (const text of there) if (!revocations.has(text)) there.delete(text) // it has ended
      void say()
    }
  }
}
