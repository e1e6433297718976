// Runs one scenario: everything is started, each contestant warms up, then all take turns
// in rounds, so that whatever the machine does besides falls on each of them.
import { setTimeout as sleep } from 'node:timers/promises'
import type { Lab } from './lab/lab.ts'
import { gather, type Missing, type Outcome } from './report/outcome.ts'
import type { Contestant, Figure, Scenario } from './scenario.ts'

export interface Rounds {
  readonly rounds: number
  readonly seconds: number
  readonly say: (text: string) => void
}

/** Between two turns: a garbage collection, the end of connections. */
const PAUSE = 100

type Present = Exclude<Contestant, { missing: string }>

/** Whatever goes wrong is the outcome: a scenario with an error has no figures. */
export async function runScenario (scenario: Scenario, openLab: () => Promise<Lab>, how: Rounds): Promise<Outcome> {
  const lab = await openLab()
  try {
    const contestants = await scenario.open(lab)
    const turns = await takeTurns(scenario, contestants.filter((each): each is Present => 'turn' in each), how)
    const missing = contestants.flatMap((each): Missing[] => 'missing' in each ? [{ name: each.name, why: each.missing }] : [])
    return { scenario, figures: gather(turns), missing, notes: lab.notes }
  } catch (error) {
    return { scenario, figures: new Map(), missing: [], failure: error instanceof Error ? error.message : String(error), notes: [] }
  } finally {
    await lab.close()
  }
}

async function takeTurns ({ turns: enough }: Scenario, contestants: readonly Present[], { rounds: asked, seconds, say }: Rounds): Promise<ReadonlyArray<readonly Figure[]>> {
  const { rounds, warmUp } = { rounds: asked, warmUp: true, ...enough }
  const counted: (readonly Figure[])[] = []
  for (let round = warmUp ? 0 : 1; round <= Math.min(rounds, asked); round++) {
    for (const contestant of contestants) {
      say(`${round === 0 ? 'warming up' : `round ${round}`}: ${contestant.name}`)
      const figures = await contestant.turn(seconds)
      if (round > 0) counted.push(figures)
      await sleep(PAUSE)
    }
  }
  return counted
}
