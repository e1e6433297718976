// Under load, is an answer ever older than a push that was confirmed before it was asked
// for? 200 pushes while 32 readers run. ChartMuseum alone is asked as well: what it lacks
// itself is not the gateway's gap.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { noCharts } from '../lab/charts.ts'
import { runDriver } from '../lab/drivers.ts'
import { startGateway, startInFront } from '../lab/gateway.ts'
import type { Lab } from '../lab/lab.ts'
import type { MaybeServer } from '../lab/server.ts'
import type { Contestant, Goal, Scenario } from '../scenario.ts'
import { GATEWAY_0S, GATEWAY_1S, MUSEUM_BEARER } from './names.ts'

const [PUSHES, READERS] = [200, 32]
const TENANT = 'org1/fresh'
const LACKING = 'reads lacking a chart saved before'
const MAX_AGES = [{ gateway: GATEWAY_0S, maxAge: '0s' }, { gateway: GATEWAY_1S, maxAge: '1s' }] as const
const EMBEDDED = 'embedded repository'
const MUSEUM = 'ChartMuseum'

interface Found { pushes: number, reads: number, readsAfter: number, lacking: number, gaps: string[] }

export const freshness: Scenario = {
  name: 'freshness',
  title: `${PUSHES} pushes while ${READERS} readers run`,
  turns: { rounds: 1, warmUp: false },
  goals: [EMBEDDED, MUSEUM].flatMap(repository => MAX_AGES.map(({ gateway }): Goal =>
    ({ measured: `${gateway}, ${repository}: ${LACKING}`, unit: 'reads', at: 'most', bound: 0 }))),
  async open (lab) {
    const contestants: Contestant[] = []
    for (const { gateway, maxAge } of MAX_AGES) {
      // Each in front of a ChartMuseum of its own, which nobody else pushes to.
      const upstream = await startChartMuseum(lab, { charts: noCharts, auth: 'bearer', place: 'beside' })
      contestants.push(
        reading(lab, `${gateway}, ${EMBEDDED}`, await startGateway(lab, { maxAge })),
        reading(lab, `${gateway}, ${MUSEUM}`, await startInFront(lab, upstream, { maxAge }))
      )
    }
    return [...contestants, reading(lab, MUSEUM_BEARER, await startChartMuseum(lab, { charts: noCharts, auth: 'bearer' }))]
  }
}

function reading (lab: Lab, name: string, server: MaybeServer): Contestant {
  if ('missing' in server) return { name, missing: server.missing }
  return {
    name,
    async turn () {
      const authorizationFile = join(await lab.folder(), 'authorization')
      await writeFile(authorizationFile, await server.authorization(TENANT) ?? '', { mode: 0o600 })
      const found = await runDriver<Found>(lab, 'beside', 'freshness', { origin: server.origin, tenant: TENANT, authorizationFile, pushes: PUSHES, readers: READERS })
      if (found.pushes !== PUSHES || found.readsAfter === 0) throw new Error(`${name}: ${found.pushes} pushes and ${found.readsAfter} reads after them prove nothing`)
      for (const gap of found.gaps) lab.note(`${name}: a read lacks ${gap}`)
      return [
        { name: `${name}: pushes`, unit: 'pushes', value: found.pushes },
        { name: `${name}: reads`, unit: 'reads', value: found.reads },
        { name: `${name}: reads begun after a 201`, unit: 'reads', value: found.readsAfter },
        { name: `${name}: ${LACKING}`, unit: 'reads', value: found.lacking }
      ]
    }
  }
}
