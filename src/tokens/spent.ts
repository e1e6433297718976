// Which tokens were exchanged already? Remembered by name for as long as each could be shown
// again (RFC 7523 section 3, `jti`). What nobody could remember any more is not let through:
// when there is no room, no token is the first.

export interface Spent {
  /**
   * Uses a token up.
   * @param name what no two tokens share
   * @param seconds how long it counts yet
   * @returns false when it was used up before
   */
  spend (name: string, seconds: number): Promise<boolean>
}

const MOST_SPENT = 100_000

/** @param clock seconds that only go forward */
export function createSpent (clock: () => number, most = MOST_SPENT): Spent {
  const ends = new Map<string, number>()
  return {
    async spend (name, seconds) {
      const now = clock()
      if (ends.size >= most) for (const [each, end] of ends) if (end < now) ends.delete(each)
      if (ends.has(name) || ends.size >= most) return false
      ends.set(name, now + seconds)
      return true
    }
  }
}
