// A small index with a valid Bearer token: what CI jobs and controllers ask for all day.
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { smallChart } from '../lab/charts.ts'
import { startGateway, startInFront } from '../lab/gateway.ts'
import { startHaproxy, startNginx } from '../lab/proxies.ts'
import type { Server } from '../lab/server.ts'
import { get } from '../load/answer.ts'
import { indexOf } from '../load/expectations.ts'
import { asking, type Ask } from '../load/contestants.ts'
import type { Scenario } from '../scenario.ts'
import { GATEWAY_0S, GATEWAY_1S, HAPROXY, INDEX, MUSEUM_BEARER, MUSEUM_OPEN } from './names.ts'

const ASK: Ask = { path: INDEX, expect: indexOf(1) }

export const indexBearer: Scenario = {
  name: 'index-bearer',
  title: 'small index, valid Bearer, 32 connections',
  goals: [
    { measured: GATEWAY_0S, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 4, inTheWay: 'the core of the gateway is busy the whole time, a third of it with writing answers; what was tried is in docs/performance.md' },
    { measured: GATEWAY_1S, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 5 },
    { measured: GATEWAY_0S, against: HAPROXY, unit: '×', at: 'least', bound: 1.2 },
    { measured: GATEWAY_1S, against: HAPROXY, unit: '×', at: 'least', bound: 1.5 }
  ],
  async open (lab) {
    const charts = smallChart
    const upstream = await startChartMuseum(lab, { charts, auth: 'bearer', place: 'beside' })
    const embedded = await startGateway(lab, { charts })
    const { body } = await indexFrom('missing' in upstream ? embedded : upstream)
    lab.note(`the index has ${body.length} bytes`)
    return [
      asking(lab, MUSEUM_BEARER, await startChartMuseum(lab, { charts, auth: 'bearer' }), ASK),
      asking(lab, MUSEUM_OPEN, await startChartMuseum(lab, { charts, auth: 'none' }), ASK),
      asking(lab, HAPROXY, await startHaproxy(lab, await startNginx(lab, body)), ASK),
      asking(lab, GATEWAY_0S, await startInFront(lab, upstream), ASK),
      asking(lab, GATEWAY_1S, await startInFront(lab, upstream, { maxAge: '1s' }), ASK),
      asking(lab, `${GATEWAY_0S}, log.reads`, await startInFront(lab, upstream, { reads: true }), ASK),
      asking(lab, `${GATEWAY_1S}, log.reads`, await startInFront(lab, upstream, { maxAge: '1s', reads: true }), ASK),
      asking(lab, `${GATEWAY_0S}, embedded repository`, embedded, ASK),
      asking(lab, `${GATEWAY_1S}, embedded repository`, await startGateway(lab, { charts, maxAge: '1s' }), ASK)
    ]
  }
}

async function indexFrom (server: Server): Promise<{ body: Buffer }> {
  return await get(server.origin + INDEX, { authorization: await server.authorization() ?? '' })
}
