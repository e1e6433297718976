// One gateway through a number of rounds: the neighbour first alone, then with hostile
// clients, and what each round leaves behind. What is wrong is a finding.
import { setTimeout as sleep } from 'node:timers/promises'
import { pauseFor } from './blame.ts'
import type { Lab } from './lab.ts'
import { complaintsOf, runRound, type JudgedSample, type Round } from './round.ts'
import type { Note } from './hostile-main.ts'
import { leftBehind, POOL_REST, readStanding, stillAtWork, type Baseline, type Standing } from './standing.ts'

export interface TrialOptions {
  /** Of the first round; the next one has the next number. */
  readonly seed: number
  /** Milliseconds for all rounds. */
  readonly ms: number
  readonly only: readonly string[]
  /** Called with each round that is done. */
  readonly say: (text: string) => void
}

export interface Fault {
  readonly text: string
  /** What hostile clients did until then, the last of it. */
  readonly actions: readonly Note[]
}

export interface Finding {
  /** What comes again with `--seed`. */
  readonly seed: number
  readonly faults: readonly Fault[]
}

export interface Trial {
  readonly samples: readonly JudgedSample[]
  readonly actions: number
  readonly baseline: Standing
  /** The last count, when nobody was there. */
  readonly end: Standing
  readonly findings: readonly Finding[]
}

export const CLIENTS = 10
/** A round is long enough for what piles up, and short enough to be looked through. */
const ROUND = 20_000
const WARM_UP = 3_000
/** Milliseconds after the end when everything has to be back; of a machine that does nothing else. */
const GRACE = 1_000
/** When somebody looks again, for the report: whether it comes back later, or never. */
const LATER = 9_000
/** An answer that has not come by then does not come. */
const ANSWER_LIMIT = 10_000
/** Actions that are printed before a wrong answer, and before the end of a round. */
const LAST = { answer: 12, round: 40 }

const MIB = 1024 * 1024
/**
 * What a process may have more in the end than in the beginning: V8 gives back what it
 * does not need when it likes, and a process that was busy has more of everything.
 */
export const MOST_GROWTH = 256 * MIB

/** Ends early with the first round that has findings: what comes after it means less. */
export async function runTrial (lab: Lab, { seed, ms, only, say }: TrialOptions): Promise<Trial> {
  const baseline = await warmUp(lab, seed)
  const samples: JudgedSample[] = []
  const findings: Finding[] = []
  const end = performance.now() + ms
  let actions = 0
  let last = baseline.warm
  for (let round = 0; findings.length === 0 && (round === 0 || performance.now() + ROUND / 2 < end); round++) {
    const roundSeed = seed + round
    const length = Math.min(ROUND, Math.max(ROUND / 4, end - performance.now()))
    const done = await runRound(lab, { seed: roundSeed, ms: length, clients: CLIENTS, only, limit: ANSWER_LIMIT })
    samples.push(...done.samples)
    actions += done.notes.length
    await pauseFor(lab, GRACE)
    last = await readStanding(lab)
    const faults = [...faultsOfNeighbour(done), ...await faultsOfRest(lab, last, baseline, done)]
    say(`seed ${roundSeed}: ${done.notes.length} actions, ${done.samples.length} errands, ${faults.length} faults`)
    if (faults.length > 0) findings.push({ seed: roundSeed, faults })
  }
  if (findings.length === 0) {
    await sleep(POOL_REST)
    last = await readStanding(lab)
    const left = leftBehind(last, baseline, { pool: false }).map(text => `${POOL_REST / 1000} s after the end ${text}`)
    const texts = [...left, ...grown(last, baseline)]
    if (texts.length > 0) findings.push({ seed, faults: texts.map(text => ({ text, actions: [] })) })
  }
  return { samples, actions, baseline: baseline.warm, end: last, findings }
}

/** What the gateway holds when the neighbour alone has been there. */
export async function warmUp (lab: Lab, seed: number): Promise<Baseline> {
  const fresh = await readStanding(lab)
  await runRound(lab, { seed, ms: WARM_UP, clients: 0, only: [], limit: ANSWER_LIMIT })
  await sleep(GRACE)
  return { fresh, warm: await readStanding(lab) }
}

function faultsOfNeighbour (round: Round): Fault[] {
  return complaintsOf(round.samples, { timed: true }).map(({ at, text }) => {
    return { text: `the neighbour: ${text}`, actions: round.notes.filter(note => note.at <= at).slice(-LAST.answer) }
  })
}

/** What is still there a second after the end, and what becomes of it. */
async function faultsOfRest (lab: Lab, now: Standing, baseline: Baseline, { notes }: Round): Promise<Fault[]> {
  const soon = [...leftBehind(now, baseline, { pool: true }), ...await stillAtWork(lab)]
  const ready = await lab.readiness()
  if (ready !== 200) soon.push(`/readyz answers ${ready}`)
  if (soon.length === 0) return []
  await sleep(LATER)
  const later = [...leftBehind(await readStanding(lab), baseline, { pool: true }), ...await stillAtWork(lab)]
  const [early, late] = [GRACE, GRACE + LATER].map(ms => `${ms / 1000} s after the end`)
  const outcome = later.length === 0 ? ['it is gone'] : later
  const texts = [...soon.map(text => `${early} ${text}`), ...outcome.map(text => `${late} ${text}`)]
  return texts.map((text, i) => ({ text, actions: i === texts.length - 1 ? notes.slice(-LAST.round) : [] }))
}

/** Processes that have much more memory than they began with. */
function grown (now: Standing, { warm }: Baseline): string[] {
  return now.holdings.flatMap(({ role, pid, memory }) => {
    const before = warm.holdings.find(each => each.pid === pid)?.memory.now ?? 0
    const growth = memory.now - before
    if (role === 'ChartMuseum' || growth <= MOST_GROWTH) return []
    const more = `${Math.round(growth / MIB)} MiB more than in the beginning`
    return [`${role} has ${more}, where ${MOST_GROWTH / MIB} is the most`]
  })
}
