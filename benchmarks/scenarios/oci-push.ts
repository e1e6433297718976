// A push of 16 MiB as Helm pushes to a registry, in pieces that wait for their tag, beside the
// same chart in one request.
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { largeArchive, noCharts } from '../lab/charts.ts'
import { startGateway, startInFront } from '../lab/gateway.ts'
import type { MaybeServer } from '../lab/server.ts'
import type { Goal, Scenario } from '../scenario.ts'
import { uploading, type Chart } from './uploads.ts'

const GATEWAY = 'chartgate'
const EMBEDDED = `${GATEWAY}, embedded repository`
const DOORS = [{ door: 'classic', words: 'by the API' }, { door: 'oci', words: 'to the registry' }] as const

export const ociPush: Scenario = {
  name: 'oci-push',
  title: '16 MiB push to the registry, one at a time',
  turns: { rounds: 5, warmUp: true },
  goals: [GATEWAY, EMBEDDED].map((who): Goal => ({ measured: `${who}, to the registry`, against: `${who}, by the API`, unit: '×', at: 'most', bound: 2.2 })),
  async open (lab) {
    const chart: Chart = { file: await largeArchive(await lab.folder(), 'large', '0.1.0'), name: 'large', version: '0.1.0' }
    const servers: [string, MaybeServer][] = [
      [GATEWAY, await startInFront(lab, await startChartMuseum(lab, { charts: noCharts, auth: 'bearer', place: 'beside' }))],
      [EMBEDDED, await startGateway(lab)]
    ]
    return servers.flatMap(([who, server]) => DOORS.map(({ door, words }) =>
      uploading(lab, `${who}, ${words}`, server, { door, charts: [chart] }, rate => ({ unit: 'ms', value: 1000 / rate }))))
  }
}
