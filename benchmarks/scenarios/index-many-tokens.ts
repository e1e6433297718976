// The small index with 10,000 different valid tokens in turn: as many CI jobs, each with
// its own. First every token is new, then each was seen once.
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startChartMuseum } from '../lab/chartmuseum.ts'
import { smallChart } from '../lab/charts.ts'
import { startInFront } from '../lab/gateway.ts'
import type { Lab } from '../lab/lab.ts'
import type { MaybeServer, Server } from '../lab/server.ts'
import { chartMuseumToken, clientToken, manyTokens } from '../lab/tokens.ts'
import { indexOf } from '../load/answer.ts'
import { CONNECTIONS, drive, type Ask } from '../load/contestants.ts'
import type { Contestant, Figure, Scenario } from '../scenario.ts'
import { GATEWAY_0S, INDEX, MUSEUM_BEARER } from './names.ts'

const TOKENS = 10_000
/** For the turn that ends when each token was sent once. */
const LONGEST = 30
const ASK: Ask = { path: INDEX, expect: indexOf(1) }

export const indexManyTokens: Scenario = {
  name: 'index-many-tokens',
  title: 'small index, 10,000 different valid tokens in turn',
  goals: [
    { measured: `${GATEWAY_0S}, all new`, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 1 },
    { measured: `${GATEWAY_0S}, once seen`, against: MUSEUM_BEARER, unit: '×', at: 'least', bound: 3 }
  ],
  async open (lab) {
    const upstream = await startChartMuseum(lab, { charts: smallChart, auth: 'bearer', place: 'beside' })
    return [
      await contestant(lab, MUSEUM_BEARER, await startChartMuseum(lab, { charts: smallChart, auth: 'bearer' }), chartMuseumTurn),
      await contestant(lab, GATEWAY_0S, await startInFront(lab, upstream), gatewayTurn)
    ]
  }
}

type Turn = (lab: Lab, server: Server, file: string, seconds: number) => Promise<readonly Figure[]>

async function contestant (lab: Lab, name: string, server: MaybeServer, turn: Turn): Promise<Contestant> {
  if ('missing' in server) return { name, missing: server.missing }
  if (lab.load.name !== 'wrk') return { name, missing: 'wrk is not installed, and nothing else here sends another token each time fast enough' }
  const file = join(await lab.folder(), 'tokens')
  return { name, turn: async seconds => await turn(lab, server, file, seconds) }
}

/** It remembers none, so new and seen are the same to it. */
async function chartMuseumTurn (lab: Lab, server: Server, file: string, seconds: number): Promise<Figure[]> {
  await writeFile(file, (await manyTokens(TOKENS, async () => await chartMuseumToken(lab))).join('\n'))
  const { requests, seconds: took } = await drive(lab, MUSEUM_BEARER, server, ASK, { seconds, tokens: { file, once: false } })
  return [{ name: MUSEUM_BEARER, unit: '/s', value: requests / took }]
}

async function gatewayTurn (lab: Lab, server: Server, file: string, seconds: number): Promise<Figure[]> {
  await writeFile(file, (await manyTokens(TOKENS, async () => await clientToken(lab))).join('\n'))
  const { once } = await drive(lab, GATEWAY_0S, server, ASK, { seconds: LONGEST, tokens: { file, once: true } })
  if (once === undefined) throw new Error(`${GATEWAY_0S}: ${TOKENS} tokens were not sent in ${LONGEST} s`)
  const seen = await drive(lab, GATEWAY_0S, server, ASK, { seconds, tokens: { file, once: false } })
  // When the last one is sent, those of the other connections are not answered yet.
  const answered = TOKENS - CONNECTIONS + 1
  return [
    { name: `${GATEWAY_0S}, all new`, unit: '/s', value: answered / once },
    { name: `${GATEWAY_0S}, once seen`, unit: '/s', value: seen.requests / seen.seconds }
  ]
}
