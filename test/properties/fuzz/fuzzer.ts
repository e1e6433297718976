// Runs cases against a gateway, over several connections at once. A fault that is found
// with others on their way is tried again alone, and cut down to the mutations it needs.
import { setTimeout as sleep } from 'node:timers/promises'
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

export interface Finding { readonly faults: readonly Fault[], /** what was sent over one connection, for a person, without the token */ readonly sent: readonly string[] }

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
/** Milliseconds in which the upstream may hear of a case whose client has gone already. */
const GRACE = 50

/** Runs that many cases; ends early with a gateway that is gone, or with enough findings. */
export async function runCases (arena: Arena, { cases, seed, lines: count }: Run): Promise<Tally> {
  const tally: Tally = { cases: 0, forwarded: 0, leak: 0, crash: 0, hang: 0, form: 0, findings: [] }
  const lines = Array.from({ length: count }, () => arena.open())
  for (let batch = 0; batch * BATCH < cases && tally.findings.length < ENOUGH_FINDINGS; batch++) {
    const queue = fc.sample(plans, { seed: seed + batch, numRuns: Math.min(BATCH, cases - batch * BATCH) })
    const suspects = await Promise.all(lines.map(async line => await work(queue, arena, line, tally))).then(found => found.flat())
    for (const suspect of new Set(suspects)) if (tally.findings.length < ENOUGH_FINDINGS) tally.findings.push(...await investigate(suspect, arena))
    // Better a case that may be the wrong one than none.
    const first = suspects.find(({ faults }) => faults.length > 0)
    if (first !== undefined && tally.findings.length === 0) tally.findings.push({ faults: first.faults.map(({ kind, text }) => ({ kind, text: `${text} (not again when tried alone)` })), sent: [printable(first.plan, arena.cast)] })
  }
  for (const line of lines) line.close()
  return tally
}

/** A case that may have been the one, and the case before it on its connection. */
interface Suspect { readonly plan: Plan, readonly before: Plan | undefined, /** what was found after it */ readonly faults: readonly Fault[] }

const inFlight = new Set<Suspect>()

/** Takes cases from the queue until it is empty. @returns what was on its way when something was wrong */
async function work (queue: Plan[], arena: Arena, line: Line, tally: Tally): Promise<Suspect[]> {
  const suspects: Suspect[] = []
  let before: Plan | undefined
  for (let plan = queue.pop(); plan !== undefined; plan = queue.pop()) {
    const suspect: Suspect = { plan, before, faults: [] }
    before = plan
    inFlight.add(suspect)
    const { forwarded, faults } = await attempt(plan, arena, line)
    tally.cases++
    if (forwarded) tally.forwarded++
    for (const { kind } of faults) tally[kind]++
    inFlight.delete(suspect)
    if (faults.length > 0) suspects.push({ ...suspect, faults }, ...inFlight)
    if (faults.some(({ text }) => text.includes('not listen'))) queue.length = 0
  }
  return suspects
}

/** A fault that comes again when its case is alone, or alone with the one before it, with as few mutations as it needs. */
export async function investigate ({ plan, before }: Pick<Suspect, 'plan' | 'before'>, arena: Arena): Promise<Finding[]> {
  const again = async (candidates: readonly Plan[]): Promise<readonly Fault[]> => {
    const line = arena.open()
    let exchange: Exchange | undefined
    for (const candidate of candidates) exchange = await line.send(render(candidate, arena.cast))
    line.close()
    await sleep(GRACE)
    return exchange === undefined ? [] : arena.judge(exchange).faults
  }
  for (const first of before === undefined ? [[]] : [[], [before]]) {
    let faults = await again([...first, plan])
    if (faults.length === 0) continue
    let smallest = plan
    for (let i = plan[1].length - 1; i >= 0; i--) {
      const candidate: Plan = [smallest[0], smallest[1].toSpliced(i, 1)]
      const now = await again([...first, candidate])
      if (now.length === 0) continue
      smallest = candidate
      faults = now
    }
    return [{ faults, sent: [...first, smallest].map(each => printable(each, arena.cast)) }]
  }
  return []
}

/** The bytes of a plan for a person, who can paste them into printf(1). */
function printable (plan: Plan, cast: Cast): string {
  const { bytes } = render(plan, cast)
  return bytes.toString('latin1').replaceAll(cast.token, '<token>').replaceAll(cast.foreignToken, '<foreign token>').replace(/Basic [A-Za-z0-9+/=]{40,}/g, 'Basic <token>')
    .replace(/[^\x20-\x7e]|[\\%]/g, char => char === '\r' ? '\\r' : char === '\n' ? '\\n' : char === '%' ? '%%' : char === '\\' ? '\\\\' : `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .slice(0, 4_000)
}
