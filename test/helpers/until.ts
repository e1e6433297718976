// Waits for what another part of the program does in its own time.
const LIMIT = 20_000
/** Milliseconds between two looks: few at first; a wait that is long anyway is looked at less often, since a look may be a request. */
const [SHORTEST, LONGEST, PART] = [10, 100, 1 / 20]

/** What `what` gives, once it gives something. @param limit milliseconds */
export async function until<T> (what: () => T | undefined | Promise<T | undefined>, limit = LIMIT): Promise<T> {
  const begin = Date.now()
  while (Date.now() < begin + limit) {
    const value = await what()
    if (value !== undefined) return value
    await new Promise(resolve => setTimeout(resolve, Math.min(SHORTEST + (Date.now() - begin) * PART, LONGEST)))
  }
  throw new Error('it did not happen')
}

/** Until it holds. @param limit milliseconds */
export async function untilTrue (holds: () => boolean | Promise<boolean>, limit = LIMIT): Promise<void> {
  await until(async () => await holds() ? true : undefined, limit)
}
