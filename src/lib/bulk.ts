// How much of large downloads goes by in one turn of the event loop, and in how many of the
// turns? What takes some milliseconds, however many there are: everybody else waits for the
// whole turn, and for several of them.

export interface Bulk {
  /**
   * So many bytes go by.
   * @returns false when the next ones have to wait: for `goOn`, which is called in a later turn
   */
  pass (bytes: number, goOn: () => void): boolean
}

/** Bytes of a turn. */
export const MOST_OF_A_TURN = 512 * 1024
/** How many of those who wait go on in a turn: with what a socket gives at once, 64 KiB each, about as much. */
export const AT_ONCE = 8

/**
 * For each of those who go on everybody else has a turn first: in one turn one of those
 * who want to connect is taken in (libuv 1.45, uv__server_io), in the order of their
 * coming, and behind five hundred of somebody else's that is a second when each turn takes
 * two milliseconds. A turn in which nothing happens takes some microseconds.
 * @param nextTurn calls back in the next turn of the event loop
 */
export function createBulk (nextTurn: (run: () => void) => unknown = setImmediate): Bulk {
  /** In the order of their coming. */
  const waiting: (() => void)[] = []
  let left = MOST_OF_A_TURN
  let isComing = false
  /** That others have had. */
  let turns = 0

  function turn (): void {
    if (++turns <= Math.min(waiting.length, AT_ONCE)) {
      nextTurn(turn)
      return
    }
    turns = 0
    isComing = false
    left = MOST_OF_A_TURN
    for (const goOn of waiting.splice(0, AT_ONCE)) goOn()
    if (waiting.length > 0) comeAgain()
  }

  function comeAgain (): void {
    if (isComing) return
    isComing = true
    nextTurn(turn)
  }

  return {
    pass (bytes, goOn) {
      comeAgain()
      left -= bytes
      if (left > 0 && waiting.length === 0) return true
      waiting.push(goOn)
      return false
    }
  }
}
