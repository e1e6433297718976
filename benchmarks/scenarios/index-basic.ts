// The same index with a user name and a password, as Helm asks, and with the token of a job:
// remembered after the first request, both should cost what a remembered token costs.
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { smallChart } from '../lab/charts.ts'
import { startInFront } from '../lab/gateway.ts'
import { openJobs } from '../lab/jobs.ts'
import { indexOf } from '../load/expectations.ts'
import { asking, type Ask } from '../load/contestants.ts'
import type { Contestant, Goal, Scenario } from '../scenario.ts'
import { GATEWAY_0S, GATEWAY_1S, INDEX } from './names.ts'

const ASK: Ask = { path: INDEX, expect: indexOf(1) }
const JOB = 'the token of a job'
const KINDS = [{ name: GATEWAY_0S, maxAge: '0s' }, { name: GATEWAY_1S, maxAge: '1s' }] as const

export const indexBasic: Scenario = {
  name: 'index-basic',
  title: 'small index with Basic and with the token of a job, after the first request',
  goals: KINDS.flatMap(({ name }) => ['Basic', JOB].map((how): Goal => ({ measured: `${name}, ${how}`, against: `${name}, Bearer`, unit: '×', at: 'least', bound: 0.95 }))),
  async open (lab) {
    const upstream = await startChartMuseum(lab, { charts: smallChart, auth: 'bearer', place: 'beside' })
    const { federation, authorization } = await openJobs(lab)
    const contestants: Contestant[] = []
    for (const { name, maxAge } of KINDS) {
      const gateway = await startInFront(lab, upstream, { maxAge, besides: { federation } })
      contestants.push(
        asking(lab, `${name}, Bearer`, gateway, ASK),
        asking(lab, `${name}, Basic`, gateway, 'missing' in gateway ? ASK : { ...ASK, authorization: gateway.basic }),
        asking(lab, `${name}, ${JOB}`, gateway, { ...ASK, authorization })
      )
    }
    return contestants
  }
}
