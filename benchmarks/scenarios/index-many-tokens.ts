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
import { indexOf } from '../load/expectations.ts'
import { CONNECTIONS, drive, rate, type Ask } from '../load/contestants.ts'
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
      contestant(MUSEUM_BEARER, lab, await startChartMuseum(lab, { charts: smallChart, auth: 'bearer' }), await chartMuseumTurn(lab)),
      contestant(GATEWAY_0S, lab, await startInFront(lab, upstream), await gatewayTurn(lab))
    ]
  }
}

type Turn = (server: Server, seconds: number) => Promise<readonly Figure[]>

function contestant (name: string, lab: Lab, server: MaybeServer, turn: Turn): Contestant {
  if ('missing' in server) return { name, missing: server.missing }
  if (lab.load.name !== 'wrk') return { name, missing: 'wrk is not installed, and nothing else here sends another token each time fast enough' }
  return { name, turn: async seconds => await turn(server, seconds) }
}

/** It remembers none, so new and seen are the same to it, and it gets the same ones each time. */
async function chartMuseumTurn (lab: Lab): Promise<Turn> {
  const file = join(await lab.folder(), 'tokens')
  await writeTokens(file, async () => await chartMuseumToken(lab))
  return async (server, seconds) => [rate(MUSEUM_BEARER, await drive(lab, MUSEUM_BEARER, server, ASK, { seconds, tokens: { file, once: false } }))]
}

async function gatewayTurn (lab: Lab): Promise<Turn> {
  const file = join(await lab.folder(), 'tokens')
  return async (server, seconds) => {
    await writeTokens(file, async () => await clientToken(lab))
    const { once } = await drive(lab, GATEWAY_0S, server, ASK, { seconds: LONGEST, tokens: { file, once: true } })
    if (once === undefined) throw new Error(`${GATEWAY_0S}: ${TOKENS} tokens were not sent in ${LONGEST} s`)
    const seen = await drive(lab, GATEWAY_0S, server, ASK, { seconds, tokens: { file, once: false } })
    // When the last one is sent, those of the other connections are not answered yet.
    const answered = TOKENS - CONNECTIONS + 1
    return [{ name: `${GATEWAY_0S}, all new`, unit: '/s', value: answered / once }, rate(`${GATEWAY_0S}, once seen`, seen)]
  }
}

async function writeTokens (file: string, make: () => Promise<string>): Promise<void> {
  await writeFile(file, (await manyTokens(TOKENS, make)).join('\n'), { mode: 0o600 })
}
