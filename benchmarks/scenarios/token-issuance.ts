// How much of a core does the token endpoint need besides the signature itself?
import { startGateway } from '../lab/gateway.ts'
import { runDriver } from '../lab/drivers.ts'
import { clientToken } from '../lab/tokens.ts'
import type { Scenario } from '../scenario.ts'
import { askingForTokens } from './tokens.ts'

const GATEWAY = 'chartgate'
const BARE = 'bare crypto.sign, same key'

export const tokenIssuance: Scenario = {
  name: 'token-issuance',
  title: 'token issuance RS256, key as Bearer, 32 connections',
  goals: [{ measured: GATEWAY, against: BARE, unit: '×', at: 'least', bound: 0.7 }],
  async open (lab) {
    const keyFile = lab.keys.signing.file
    const bytes = (await clientToken(lab)).lastIndexOf('.')
    return [
      {
        name: BARE,
        async turn (seconds) {
          const { rate } = await runDriver<{ rate: number }>(lab, 'tested', 'sign', { keyFile, bytes, seconds })
          return [{ name: BARE, unit: '/s', value: rate }]
        }
      },
      askingForTokens(lab, GATEWAY, await startGateway(lab))
    ]
  }
}
