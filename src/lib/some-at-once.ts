// How is something done for each of many that wait for the disk? For some at once: one after the
// other costs twice the time and the work, and all together every descriptor.

/** @param most that are under way at once */
export async function someAtOnce<T> (all: readonly T[], most: number, work: (one: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < all.length; i += most) await Promise.all(all.slice(i, i + most).map(work))
}
