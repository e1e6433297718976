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

/**
 * So many at most go on together. Thousands of connections may have something to read in one turn,
 * and who waits for its end is copied by each run of the collector until then, with its request; a
 * wake-up for so many costs nothing any more.
 */
const MOST = 64

interface Group {
  size: number
  readonly goes: Promise<void>
  readonly go: () => void
}

let group: Group | undefined

/** Resolves at the end of the current turn too, or earlier: as soon as there are enough to write together. */
export function together (): Promise<void> {
  group ??= gather()
  const { goes, go } = group
  if (++group.size === MOST) go()
  return goes
}

function gather (): Group {
  let go!: () => void // set at once
  const goes = new Promise<void>(resolve => {
    go = () => {
      if (group === own) group = undefined
      resolve()
    }
  })
  const own: Group = { size: 0, goes, go }
  void endOfTurn().then(go)
  return own
}
