// Do two workers on two cores do twice the work? Token issuance, because the load
// generator needs little of a core there.
import { startGateway } from '../lab/gateway.ts'
import type { Scenario } from '../scenario.ts'
import { askingForTokens } from './tokens.ts'

const ONE = 'one worker on one core'
const TWO = 'two workers on two cores, the generator on one of them'

export const workers: Scenario = {
  name: 'workers',
  title: 'two workers, token issuance, 32 connections',
  goals: [{ measured: TWO, against: ONE, unit: '×', at: 'least', bound: 1.7 }],
  open: async lab => [
    askingForTokens(lab, ONE, await startGateway(lab, { workers: 1 })),
    askingForTokens(lab, TWO, await startGateway(lab, { workers: 2, place: 'both' }))
  ]
}
