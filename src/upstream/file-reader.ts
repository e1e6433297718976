// What does the upstream have under the name of a chart or provenance file? A small file
// is read whole, and everybody who asked before the upstream was asked gets the same
// bytes; a large one streams, to each client from a request of its own. Nothing is kept
// from one request to the next, so an overwritten or deleted file is never answered.
import { hash } from 'node:crypto'
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import type { Conditions } from '../http/conditional.ts'
import { alone, type Asker } from './asker.ts'
import type { Upstreams } from './upstreams.ts'
import { putBounded } from '../lib/put-bounded.ts'
import { createFlights } from './flights.ts'
import { readThrough, type ReadAnswer } from './read-through.ts'

export interface FileReader {
  /**
   * The file as it is after this moment.
   * @param conditions are looked at where the upstream takes them
   * @throws NobodyThere when who asked went before
   */
  read (request: ChartRequest, asker: Asker, conditions?: Conditions): Promise<ReadAnswer>
}

const MOST_LARGE = 10_000

type FoundFile = Awaited<ReturnType<typeof readThrough>>

/** @param most how many names of large files are remembered, so that nobody waits for another one's stream */
export function createFileReader (upstreams: Upstreams, most = MOST_LARGE): FileReader {
  const flights = createFlights<FoundFile>()
  /** Names of large files. */
  const large = new Map<string, true>()

  function learn (key: string, { kind }: FoundFile): void {
    if (kind === 'whole') large.delete(key)
    else if (kind !== 'failed') putBounded(large, key, true, most)
  }

  return {
    async read (request, asker, conditions) {
      const upstream = upstreams.forReads(request.tenant)
      const key = `${request.tenantPath}/${request.file as string}`
      if (conditions !== undefined && upstream.takesConditions) {
        const question = { target: request, company: alone(asker), large: large.has(key), conditions }
        return await readThrough(upstream, question) as ReadAnswer // only what is for several is left
      }
      if (!large.has(key)) {
        const found = await flights.join(key, asker, async company =>
          withEtag(await readThrough(upstream, { target: request, company })))
        learn(key, found)
        if (found.kind !== 'left') return found
      }
      const found = await readThrough(upstream, { target: request, company: alone(asker), large: true })
      learn(key, found)
      return withEtag(found) as ReadAnswer
    }
  }
}

/** What is there as a whole is named by its bytes (RFC 9110 section 8.8.3): SHA-256, as an index has it. */
function withEtag (found: FoundFile): FoundFile {
  return found.kind === 'whole'
    ? { ...found, headers: { ...found.headers, etag: `"${hash('sha256', found.body, 'hex')}"` } }
    : found
}
