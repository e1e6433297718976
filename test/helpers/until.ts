// Waits for what another part of the program does in its own time.
const LIMIT = 20_000

/** What `what` gives, once it gives something. @param limit milliseconds */
export async function until<T> (what: () => T | undefined | Promise<T | undefined>, limit = LIMIT): Promise<T> {
  const end = Date.now() + limit
  while (Date.now() < end) {
    const value = await what()
    if (value !== undefined) return value
    await new Promise(resolve => setTimeout(resolve, 10))
  }
  throw new Error('it did not happen')
}

/** Until it holds. @param limit milliseconds */
export async function untilTrue (holds: () => boolean | Promise<boolean>, limit = LIMIT): Promise<void> {
  await until(async () => await holds() ? true : undefined, limit)
}
