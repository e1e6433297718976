// Runs cases against a gateway, over several connections at once. A fault that is found
// with others on their way is tried again alone, and cut down to the mutations it needs.
import fc from 'fast-check'
import { makeBodies } from './bodies.ts'
import { plans, render, type Plan } from './cases.ts'
import type { Cast } from './draft.ts'
import { openLine, type Exchange, type Line } from './line.ts'
import { judge, type Fault, type FaultKind, type Verdict } from './oracle.ts'
import type { Witness } from './witness.ts'
import type { World } from './worlds.ts'

export interface Arena {
  readonly cast: Cast
  readonly open: () => Line
  readonly judge: (exchange: Exchange) => Verdict
}

export interface Opponent { readonly port: number, readonly token: string, readonly foreignToken: string }

/** @param opponent the gateway, and the tokens that it issued */
export async function openArena (world: World, { port, token, foreignToken }: Opponent, witness: Witness): Promise<Arena> {
  const farewell = Buffer.from(`\r\n\r\nGET ${world.basePath}/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
  return {
    cast: { world, token, foreignToken, bodies: await makeBodies() },
    open: () => openLine(port, farewell),
    judge: exchange => judge(exchange, witness, world)
  }
}

/** One case on a connection. */
export async function attempt (plan: Plan, { cast, judge }: Arena, line: Line): Promise<Verdict> {
  return judge(await line.send(render(plan, cast)))
}

export interface Finding { readonly faults: readonly Fault[], /** what was sent, for a person, without the token */ readonly bytes: string }

export interface Tally extends Record<FaultKind, number> {
  cases: number
  forwarded: number
  readonly findings: Finding[]
}

export interface Run {
  readonly cases: number
  readonly seed: number
  /** Connections at once. */
  readonly lines: number
}

const BATCH = 2_000
const ENOUGH_FINDINGS = 5

/** Runs that many cases; ends early with a gateway that is gone, or with enough findings. */
export async function runCases (arena: Arena, { cases, seed, lines: count }: Run): Promise<Tally> {
  const tally: Tally = { cases: 0, forwarded: 0, leak: 0, crash: 0, hang: 0, form: 0, findings: [] }
  const lines = Array.from({ length: count }, () => arena.open())
  for (let batch = 0; batch * BATCH < cases && tally.findings.length < ENOUGH_FINDINGS; batch++) {
    const queue = fc.sample(plans, { seed: seed + batch, numRuns: Math.min(BATCH, cases - batch * BATCH) })
    const suspects = await Promise.all(lines.map(async line => await work(queue, arena, line, tally))).then(found => found.flat())
    for (const plan of new Set(suspects)) if (tally.findings.length < ENOUGH_FINDINGS) tally.findings.push(...await investigate(plan, arena))
    if (suspects.length > 0 && tally.findings.length === 0) tally.findings.push({ faults: [{ kind: 'hang', text: 'a fault that did not come again when its cases were tried alone' }], bytes: printable(suspects[0] as Plan, arena.cast) })
  }
  for (const line of lines) line.close()
  return tally
}

const inFlight = new Set<Plan>()

/** Takes cases from the queue until it is empty. @returns what was on its way when something was wrong */
async function work (queue: Plan[], arena: Arena, line: Line, tally: Tally): Promise<Plan[]> {
  const suspects: Plan[] = []
  for (let plan = queue.pop(); plan !== undefined; plan = queue.pop()) {
    inFlight.add(plan)
    const { forwarded, faults } = await attempt(plan, arena, line)
    tally.cases++
    if (forwarded) tally.forwarded++
    for (const { kind } of faults) tally[kind]++
    if (faults.length > 0) suspects.push(plan, ...inFlight)
    inFlight.delete(plan)
    if (faults.some(({ text }) => text.includes('not listen'))) queue.length = 0
  }
  return suspects
}

/** A fault that comes again when its case is alone, with as few mutations as it needs. */
export async function investigate (plan: Plan, arena: Arena): Promise<Finding[]> {
  const alone = async (candidate: Plan): Promise<readonly Fault[]> => {
    const line = arena.open()
    const { faults } = await attempt(candidate, arena, line)
    line.close()
    return faults
  }
  let faults = await alone(plan)
  if (faults.length === 0) return []
  let smallest = plan
  for (let i = plan[1].length - 1; i >= 0; i--) {
    const candidate: Plan = [smallest[0], smallest[1].toSpliced(i, 1)]
    const again = await alone(candidate)
    if (again.length === 0) continue
    smallest = candidate
    faults = again
  }
  return [{ faults, bytes: printable(smallest, arena.cast) }]
}

/** The bytes of a plan for a person, who can paste them into printf(1). */
function printable (plan: Plan, cast: Cast): string {
  const { bytes } = render(plan, cast)
  return bytes.toString('latin1').replaceAll(cast.token, '<token>').replaceAll(cast.foreignToken, '<foreign token>').replace(/Basic [A-Za-z0-9+/=]{40,}/g, 'Basic <token>')
    .replace(/[^\x20-\x7e]|[\\%]/g, char => char === '\r' ? '\\r' : char === '\n' ? '\\n' : char === '%' ? '%%' : char === '\\' ? '\\\\' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .slice(0, 4_000)
}
