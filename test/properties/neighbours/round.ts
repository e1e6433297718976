// One round: hostile clients and a neighbour come to the gateway for a while, and go; then
// what is left behind is counted.
import { setTimeout as sleep } from 'node:timers/promises'
import { watchBlame } from './blame.ts'
import { startCrew, type CrewMember } from './crew.ts'
import { ERRANDS } from './errands.ts'
import type { HostileTask, Note } from './hostile-main.ts'
import type { Lab } from './lab.ts'
import type { ProbeTask, Sample } from './probe-main.ts'

export interface RoundOptions {
  readonly seed: number
  readonly ms: number
  /** How many hostile clients come; 0: the neighbour is alone. */
  readonly clients: number
  /** Names of actions; empty: all. */
  readonly only: readonly string[]
  /** Milliseconds after which the neighbour gives an answer up. */
  readonly limit: number
}

export interface Round {
  readonly samples: readonly JudgedSample[]
  /** All that hostile clients did, the first first. */
  readonly notes: readonly Note[]
}

/** A sample, and what it proves. */
export interface JudgedSample extends Sample {
  /** Milliseconds that others on this machine are to blame for: they had the cores. */
  readonly excused: number
}

/** The neighbour's own address: of nobody else. */
const ADDRESS = '127.0.9.1'

/** Runs it to its end, when everybody has gone. */
export async function runRound (lab: Lab, { seed, ms, clients, only, limit }: RoundOptions): Promise<Round> {
  const notes: Note[] = []
  const samples: JudgedSample[] = []
  const crew: CrewMember[] = []
  const pids: number[] = []
  const blame = await watchBlame(lab, pids)
  const judge = (sample: Sample): JudgedSample => {
    const others = blame.ofOthers(sample.at, sample.at + sample.ms)
    return { ...sample, excused: Math.min(sample.ms, sample.lag + others) }
  }
  const { port, neighbour, guests, hostile: accounts } = lab
  crew.push(startCrew<ProbeTask, Sample>('probe', { seed, port, from: ADDRESS, neighbour, guests, limit }, {
    hear (sample) { samples.push(judge(sample)) }
  }))
  if (clients > 0) {
    crew.push(startCrew<HostileTask, Note>('hostile', { seed, clients, port, accounts, only }, {
      standsBack: true,
      hear (note) { notes.push(note) }
    }))
  }
  pids.push(...crew.map(({ pid }) => pid))
  await sleep(ms)
  // The neighbour first, as long as there is something that it must not notice.
  const ends: PromiseSettledResult<void>[] = []
  for (const member of crew) ends.push(...await Promise.allSettled([member.end()]))
  blame.close()
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return { samples, notes }
}

export interface Complaint {
  /** When the first of them was asked for, in milliseconds since the epoch. */
  readonly at: number
  readonly text: string
}

/** What is wrong with the neighbour's answers, the same ones together: wrong ones, and where time counts late ones. */
export function complaintsOf (samples: readonly JudgedSample[], { timed }: { readonly timed: boolean }): Complaint[] {
  const groups = new Map<string, JudgedSample[]>()
  for (const sample of samples) {
    const late = timed && isLate(sample) && !isExcused(sample)
    const what = sample.fault ?? (late ? `right, but later than ${withinOf(sample.errand)} ms` : undefined)
    if (what === undefined) continue
    const key = `${sample.errand}: ${what}`
    groups.set(key, [...groups.get(key) ?? [], sample])
  }
  return [...groups].map(([text, group]) => {
    const { ms, excused } = group.reduce((one, other) => one.ms > other.ms ? one : other)
    const worst = `after ${Math.round(ms)} ms at worst, of which others on this machine took ${Math.round(excused)}`
    return { at: Math.min(...group.map(({ at }) => at)), text: `${text} (${group.length} times, ${worst})` }
  })
}

export function isLate ({ errand, ms }: Sample): boolean {
  return ms > withinOf(errand)
}

/** True when it would not have been late on a machine that is not busy with something else. */
export function isExcused ({ errand, ms, excused }: JudgedSample): boolean {
  return ms - excused <= withinOf(errand)
}

function withinOf (name: string): number {
  return ERRANDS.find(errand => errand.name === name)?.within ?? 0
}
