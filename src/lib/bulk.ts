// How much of large downloads goes by in one turn of the event loop? What takes some
// milliseconds, however many there are: everybody else waits for the whole turn, and for
// several of them.

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

/** @param nextTurn calls back in the next turn of the event loop */
export function createBulk (nextTurn: (run: () => void) => unknown = setImmediate): Bulk {
  /** In the order of their coming. */
  const waiting: (() => void)[] = []
  let left = MOST_OF_A_TURN
  let isComing = false

  function turn (): void {
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
