// Which keys does a token server publish? Fetched behind the requests, every few minutes
// and when a token names a key that is not known, but never more often than a limit; what
// was fetched last stays in force while the server is away. (jose's createRemoteJWKSet
// refuses every token ten minutes after the server went away, and asks for each of them.)
import { discoverKeys } from './discovery.ts'
import { fetchDocument } from './fetch-document.ts'
import { readJwks, type IssuerKey } from './issuer-keys.ts'

/** Where the set is: at a URL, or where the discovery document of an issuer says. Files absolute. */
export type RemotePlace =
  | {
    readonly jwksUrl: string
    readonly ca?: string | undefined
    /** Sent to that URL alone. */
    readonly tokenFile?: string | undefined
  }
  | { readonly discover: string, readonly ca?: string | undefined }

export interface RemoteKeys {
  /** What counts now. */
  keys (): readonly IssuerKey[]
  /**
   * Asks for newer ones and resolves when they are here, or not to be had; undefined when it
   * is too early to ask again.
   */
  refresh (): Promise<void> | undefined
  /** Fetches them now and again from now on. */
  follow (report: KeyReport): void
  close (): void
}

export interface KeyReport {
  /** The set that is in force from now on. */
  fetched (keys: readonly IssuerKey[]): void
  /** Once for each time that the server goes away. */
  failed (reason: string): void
}

export const FETCH_LIMITS = {
  /** Milliseconds between two fetches, whoever asks. */
  between: 10_000,
  /** Milliseconds after which keys are fetched again. */
  every: 300_000,
  /** Milliseconds for one fetch. */
  timeout: 5_000,
  /** Milliseconds that keys stay in force without being seen again. */
  keep: 86_400_000,
  bytes: 262_144
}

/** @param clock milliseconds that only go forward */
export function createRemoteKeys (
  place: RemotePlace,
  limits = FETCH_LIMITS,
  clock: () => number = () => performance.now()
): RemoteKeys {
  let text: string | undefined
  let current: readonly IssuerKey[] = []
  let seenAt = -Infinity
  let askedAt = -Infinity
  let running: Promise<void> | undefined
  let away = false
  let report: KeyReport | undefined
  let timer: NodeJS.Timeout | undefined

  async function fetchKeys (): Promise<void> {
    try {
      const fetched = await download(place, limits)
      const keys = fetched === text ? current : await readJwks(fetched)
      if (typeof keys === 'string') throw new Error(keys)
      const isNews = fetched !== text || away
      ;[text, current, seenAt, away] = [fetched, keys, clock(), false]
      if (isNews) report?.fetched(keys)
    } catch (error) {
      if (!away) report?.failed(fetchFailure(error))
      away = true
    }
  }

  function refresh (): Promise<void> | undefined {
    if (running !== undefined) return running
    if (clock() - askedAt < limits.between) return undefined
    askedAt = clock()
    running = fetchKeys().finally(() => { running = undefined })
    return running
  }

  return {
    keys: () => clock() - seenAt < limits.keep ? current : [],
    refresh,
    follow (to) {
      report = to
      void refresh()
      timer = setInterval(() => { void refresh() }, limits.every).unref()
    },
    close () { clearInterval(timer) }
  }
}

/** The text of the key set. One time is for all of it, also where two documents are asked for. */
async function download (place: RemotePlace, { bytes, timeout }: typeof FETCH_LIMITS): Promise<string> {
  const bounds = { bytes, signal: AbortSignal.timeout(timeout) }
  const { ca } = place
  return 'jwksUrl' in place
    ? await fetchDocument({ url: place.jwksUrl, ca, tokenFile: place.tokenFile }, bounds)
    : await fetchDocument({ url: await discoverKeys(place.discover, ca, bounds), ca }, bounds)
}

function fetchFailure (error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException
  return name === 'TimeoutError' ? 'it did not answer in time' : code ?? message
}
