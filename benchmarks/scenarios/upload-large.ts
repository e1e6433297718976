// A push of 16 MiB: the gateway stores it, looks at every file in it, and hands it on;
// the repository alone takes it once.
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { largeArchive, noCharts } from '../lab/charts.ts'
import { startGateway, startInFront } from '../lab/gateway.ts'
import type { MaybeServer } from '../lab/server.ts'
import type { Goal, Scenario } from '../scenario.ts'
import { MUSEUM_OPEN } from './names.ts'
import { uploading, type Chart } from './uploads.ts'

const GATEWAY = 'chartgate'
const MIB = 16
const AT_ONCE = [{ count: 1, words: 'one at a time' }, { count: 4, words: 'four at once' }]

export const uploadLarge: Scenario = {
  name: 'upload-large',
  title: '16 MiB upload of files under 5 MiB, inspected',
  turns: { rounds: 3, warmUp: true },
  goals: AT_ONCE.map(({ words }): Goal => ({ measured: `${GATEWAY}, ${words}`, against: `${MUSEUM_OPEN}, ${words}`, unit: '×', at: 'least', bound: 0.4, inTheWay: '16 MiB are hashed and inflated on the core of the gateway, and written and read once more, before ChartMuseum sees a byte' })),
  async open (lab) {
    const folder = await lab.folder()
    const charts: Chart[] = []
    for (const version of ['0.1.0', '0.2.0', '0.3.0', '0.4.0']) charts.push({ file: await largeArchive(folder, 'large', version), name: 'large', version })
    const servers: [string, MaybeServer][] = [
      [MUSEUM_OPEN, await startChartMuseum(lab, { charts: noCharts, auth: 'none' })],
      [GATEWAY, await startInFront(lab, await startChartMuseum(lab, { charts: noCharts, auth: 'bearer', place: 'beside' }))],
      [`${GATEWAY}, embedded repository`, await startGateway(lab)]
    ]
    return AT_ONCE.flatMap(({ count, words }) => servers.map(([name, server]) => uploading(lab, `${name}, ${words}`, server, { door: 'classic', charts: charts.slice(0, count) }, rate => ({ unit: 'MiB/s', value: rate * MIB }))))
  }
}
