// How is long work done without keeping everybody waiting? In steps: the work says where it
// could stop for a moment, and whoever runs it decides whether it does.

/** Work that can stop wherever it yields, and what comes of it. */
export type Steps<T> = Generator<void, T, void>

/** Milliseconds of one turn of the event loop that such work takes. */
const STRETCH = 5

/** All of it now. */
export function atOnce<T> (steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
  }
}

/** A few milliseconds of it in each turn of the event loop. @param clock milliseconds */
export async function inTurns<T> (steps: Steps<T>, clock: () => number = () => performance.now()): Promise<T> {
  let begun = clock()
  for (;;) {
    const step = steps.next()
    if (step.done === true) return step.value
    if (clock() - begun < STRETCH) continue
    await nextTurn()
    begun = clock()
  }
}

/** Lets everything have its turn that waits for one. */
export async function nextTurn (): Promise<void> {
  await new Promise<void>(resolve => { setImmediate(resolve) })
}
