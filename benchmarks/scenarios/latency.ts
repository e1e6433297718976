// What does one person notice? The time of the middle request of a single connection,
// beside that of the repository alone.
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { smallChart } from '../lab/charts.ts'
import { startInFront } from '../lab/gateway.ts'
import { indexOf } from '../load/expectations.ts'
import { asking, latency, type Ask } from '../load/contestants.ts'
import type { Scenario } from '../scenario.ts'
import { GATEWAY_0S, GATEWAY_1S, INDEX, MUSEUM_BEARER, MUSEUM_OPEN } from './names.ts'

const ASK: Ask = { path: INDEX, expect: indexOf(1), connections: 1 }

export const latencyScenario: Scenario = {
  name: 'latency',
  title: 'small index, one connection, p50',
  goals: [
    { measured: GATEWAY_0S, against: MUSEUM_OPEN, unit: 'ms', at: 'most', bound: 0.25, inTheWay: 'ChartMuseum checks the token of the gateway, which is the difference between its two rows here; a Node process that only passes bytes between two sockets adds 0.16 ms in front of the same ChartMuseum, one that only joins node:http and undici 0.23 ms (docs/performance.md)' },
    { measured: GATEWAY_1S, against: MUSEUM_OPEN, unit: 'ms', at: 'most', bound: 0.05 }
  ],
  async open (lab) {
    const charts = smallChart
    const upstream = await startChartMuseum(lab, { charts, auth: 'bearer', place: 'beside' })
    if (lab.load.name !== 'wrk') lab.note('means instead of p50: only wrk measures one request finely enough')
    return [
      asking(lab, MUSEUM_OPEN, await startChartMuseum(lab, { charts, auth: 'none' }), ASK, latency),
      asking(lab, MUSEUM_BEARER, await startChartMuseum(lab, { charts, auth: 'bearer' }), ASK, latency),
      asking(lab, GATEWAY_0S, await startInFront(lab, upstream), ASK, latency),
      asking(lab, GATEWAY_1S, await startInFront(lab, upstream, { maxAge: '1s' }), ASK, latency)
    ]
  }
}
