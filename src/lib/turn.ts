// When are answers written that are ready at once? Together, when everything that has
// arrived was read. A write wakes up who reads it, who is asleep again before the next
// one; on another core that costs more than the rest of a small answer, and once for a
// whole turn of the event loop it does not (docs/performance.md).

let turn: Promise<void> | undefined

/** Resolves at the end of the current turn: one promise for everybody who asks during it. */
export function endOfTurn (): Promise<void> {
  turn ??= new Promise(resolve => {
    setImmediate(() => {
      turn = undefined
      resolve()
    })
  })
  return turn
}
