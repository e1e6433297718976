// A chart of 16 MiB: bytes through the gateway, and little else.
import { copyFile, mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { largeArchive, type Fill } from '../lab/charts.ts'
import { startGateway, startInFront } from '../lab/gateway.ts'
import { TENANT } from '../lab/server.ts'
import { exactly } from '../load/expectations.ts'
import { asking, throughput, type Ask } from '../load/contestants.ts'
import type { Scenario } from '../scenario.ts'
import { MUSEUM_OPEN } from './names.ts'

const GATEWAY = 'chartgate'

export const chartLarge: Scenario = {
  name: 'chart-large',
  title: '16 MiB chart download, four connections',
  goals: [{ measured: GATEWAY, against: MUSEUM_OPEN, unit: '×', at: 'least', bound: 0.5, inTheWay: 'each byte is copied out of the kernel and into it again, of which ChartMuseum only does the second' }],
  async open (lab) {
    const archive = await largeArchive(await lab.folder(), 'large', '0.1.0')
    const charts: Fill = async root => {
      await mkdir(join(root, TENANT), { recursive: true })
      await copyFile(archive, join(root, TENANT, 'large-0.1.0.tgz'))
    }
    const ask: Ask = { path: `/${TENANT}/charts/large-0.1.0.tgz`, expect: exactly(await readFile(archive)), connections: 4 }
    const upstream = await startChartMuseum(lab, { charts, auth: 'bearer', place: 'beside' })
    return [
      asking(lab, MUSEUM_OPEN, await startChartMuseum(lab, { charts, auth: 'none' }), ask, throughput),
      asking(lab, GATEWAY, await startInFront(lab, upstream), ask, throughput),
      asking(lab, `${GATEWAY}, embedded repository`, await startGateway(lab, { charts }), ask, throughput)
    ]
  }
}
