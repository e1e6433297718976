// What a trial showed, as text.
import { ERRANDS } from './errands.ts'
import type { Note } from './hostile-main.ts'
import { isExcused, isLate, type JudgedSample } from './round.ts'
import type { Fault, Finding, Trial } from './trial.ts'

const MIB = 1024 * 1024

/** @param replay the command that shows a finding again, by its seed */
export function describeTrial (trial: Trial, replay: (seed: number) => string): string {
  return [
    `  ${trial.actions} actions of hostile clients, ${trial.samples.length} errands of the neighbour`,
    ...ERRANDS.flatMap(({ name, within }) => describeErrand(name, within, trial.samples)),
    ...describeMemory(trial),
    ...trial.findings.flatMap(finding => describeFinding(finding, replay)),
    ''
  ].join('\n')
}

function describeErrand (name: string, within: number, samples: readonly JudgedSample[]): string[] {
  const own = samples.filter(({ errand }) => errand === name)
  if (own.length === 0) return []
  const times = own.map(({ ms }) => ms).sort((a, b) => a - b)
  const at = (part: number): string => {
    return `${Math.round(times[Math.min(times.length - 1, Math.floor(times.length * part))] as number)} ms`
  }
  const wrong = own.filter(({ fault }) => fault !== undefined).length
  const late = own.filter(isLate)
  const excused = late.filter(isExcused).length
  const excuse = excused > 0 ? ` (${excused} because the machine was busy)` : ''
  return [
    `  ${name}: ${own.length}, median ${at(0.5)}, p99 ${at(0.99)}, worst ${at(1)}; ` +
    `wrong ${wrong}, later than ${within} ms ${late.length}${excuse}`
  ]
}

function describeMemory ({ baseline, end }: Trial): string[] {
  return end.holdings.map(({ role, pid, memory }) => {
    const before = baseline.holdings.find(each => each.pid === pid)?.memory.now ?? 0
    const [first, most, last] = [before, memory.peak, memory.now].map(bytes => Math.round(bytes / MIB))
    return `  ${role}: ${first} MiB before, ${most} at most, ${last} after`
  })
}

function describeFinding ({ seed, faults }: Finding, replay: (seed: number) => string): string[] {
  const told = new Set<Note>()
  const describeFault = ({ text, actions }: Fault): string[] => {
    const untold = actions.filter(each => !told.has(each))
    for (const each of untold) told.add(each)
    const actionsText = untold.map(each => `      ${describeAction(each)}`)
    return [`    ${text}`, ...untold.length === 0 ? [] : ['      the last actions before it:', ...actionsText]]
  }
  return [`  FOUND with seed ${seed}:`, ...faults.flatMap(describeFault), `  to see it again: ${replay(seed)}`]
}

function describeAction ({ at, client, action, text }: Note): string {
  return `${new Date(at).toISOString().slice(14, 23)} client ${client}, ${action}: ${text}`
}
