// What does the API list of a chart, and of one of its versions? The bytes of its answers, for
// who needs them as they are; several clients who ask for the same are answered with one.
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import { RefusalError } from '../http/errors.ts'
import { causeOfAnswer, isPage, refusalOfAnswer, textOf } from './answers.ts'
import type { Asker } from './asker.ts'
import { createFlights } from './flights.ts'
import type { Upstreams } from './upstreams.ts'

/** A chart of a tenant; with a version, that one. */
export interface ListedOf extends Pick<ChartRequest, 'tenant' | 'tenantPath'> {
  readonly chart: string
  readonly version?: string
}

export interface ListReader {
  /**
   * The JSON that there is of it after this moment; undefined when there is none. Of a version
   * that is not there it may be that of another one which fits it.
   * @throws RefusalError when the upstream does not say; NobodyThere when who asked went before
   */
  read (of: ListedOf, asker: Asker): Promise<Buffer | undefined>
}

// One entry, and all of a chart; bytes.
const LONGEST_ENTRY = 8 * 1024 * 1024
const LONGEST_CHART = 64 * 1024 * 1024

export function createListReader (upstreams: Upstreams): ListReader {
  const flights = createFlights<Buffer | undefined>()
  return {
    async read ({ tenant, tenantPath, chart, version }, asker) {
      const of = version === undefined
        ? { route: 'chart', chart } as const
        : { route: 'version', chart, version } as const
      return await flights.join(`${tenantPath}/${chart} ${version ?? ''}`, asker, async company => {
        const answer = await upstreams.forReads(tenant).ask({
          method: 'GET',
          target: { ...of, tenant, tenantPath, query: {} },
          company,
          named: false,
          most: version === undefined ? LONGEST_CHART : LONGEST_ENTRY,
          longer: 'left'
        })
        const { status } = answer
        if (status === 404) return undefined
        if (status !== 200 || isPage(answer.headers)) {
          throw new RefusalError(refusalOfAnswer(status, textOf(answer)), { cause: causeOfAnswer(status) })
        }
        if (answer.kind === 'whole') return answer.body
        throw new RefusalError({ code: 'upstream_bad_answer' }, { cause: 'the upstream sent too long an answer' })
      })
    }
  }
}
