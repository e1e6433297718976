// How soon does it serve, and how much memory does it have then? With keys present, from
// the start of the process until its first answer; memory a while after it.
import { setTimeout as sleep } from 'node:timers/promises'
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { smallChart } from '../lab/charts.ts'
import { startGateway, type GatewayOptions } from '../lab/gateway.ts'
import type { Lab } from '../lab/lab.ts'
import { mebibytesOf } from '../lab/usage.ts'
import type { Contestant, Goal, Scenario } from '../scenario.ts'

const IDLE = 2_000
const FRONT = 'in front of ChartMuseum'
const EMBEDDED = 'with the embedded repository'

export const startAndMemory: Scenario = {
  name: 'start-and-memory',
  title: 'start with keys present; idle RSS',
  turns: { rounds: 5, warmUp: false },
  goals: [FRONT, EMBEDDED].flatMap((kind): Goal[] => [
    { measured: `${kind}, start`, unit: 's', at: 'most', bound: 0.8 },
    { measured: `${kind}, idle RSS`, unit: 'MiB', at: 'most', bound: 100 }
  ]),
  async open (lab) {
    const upstream = await startChartMuseum(lab, { charts: smallChart, auth: 'bearer', place: 'beside' })
    return [
      'missing' in upstream ? { name: FRONT, missing: upstream.missing } : starting(lab, FRONT, { upstream }),
      starting(lab, EMBEDDED, { charts: smallChart })
    ]
  }
}

function starting (lab: Lab, name: string, options: GatewayOptions): Contestant {
  return {
    name,
    async turn () {
      const { program } = await startGateway(lab, options)
      await sleep(IDLE)
      const rss = await mebibytesOf(program.pid)
      await program.stop()
      return [{ name: `${name}, start`, unit: 's', value: program.startedIn / 1000 }, { name: `${name}, idle RSS`, unit: 'MiB', value: rss }]
    }
  }
}
