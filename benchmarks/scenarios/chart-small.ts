// A chart of a few hundred bytes, as most are small: what a pull costs.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { SMALL_FILE, smallChart } from '../lab/charts.ts'
import { startGateway, startInFront } from '../lab/gateway.ts'
import { TENANT } from '../lab/server.ts'
import { exactly } from '../load/expectations.ts'
import { asking, type Ask } from '../load/contestants.ts'
import type { Scenario } from '../scenario.ts'
import { MUSEUM_BEARER, MUSEUM_OPEN } from './names.ts'

const GATEWAY = 'chartgate'

export const chartSmall: Scenario = {
  name: 'chart-small',
  title: 'small chart download, 32 connections',
  goals: [{ measured: GATEWAY, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 1.5 }],
  async open (lab) {
    const folder = await lab.folder()
    await smallChart(folder)
    const body = await readFile(join(folder, TENANT, SMALL_FILE))
    lab.note(`the chart has ${body.length} bytes`)
    const ask: Ask = { path: `/${TENANT}/charts/${SMALL_FILE}`, expect: exactly(body) }
    const upstream = await startChartMuseum(lab, { charts: smallChart, auth: 'bearer', place: 'beside' })
    return [
      asking(lab, MUSEUM_BEARER, await startChartMuseum(lab, { charts: smallChart, auth: 'bearer' }), ask),
      asking(lab, MUSEUM_OPEN, await startChartMuseum(lab, { charts: smallChart, auth: 'none' }), ask),
      asking(lab, GATEWAY, await startInFront(lab, upstream), ask),
      asking(lab, `${GATEWAY}, embedded repository`, await startGateway(lab, { charts: smallChart }), ask)
    ]
  }
}
