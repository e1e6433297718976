// Where is a read asked when the first address of the chart repository gives no answer? At
// another one that follows it (follower.ts), once; where there is none, nowhere else. Where that
// gives no answer either, which nobody may have noticed yet, it is as if there were the first alone.
import { RefusalError, type ReasonCode } from '../http/errors.ts'
import { endOfTurn } from '../lib/turn.ts'
import { isBrokenConnection, type UpstreamAnswer } from './answers.ts'
import type { Follower } from './follower.ts'
import type { Question, Reads, Upstream } from './client.ts'

/** An address that is read from while the first is away. */
export interface StandIn {
  readonly upstream: Upstream
  readonly follower: Follower
}

/** No answer came, or none was waited for. */
const AWAY: ReadonlySet<ReasonCode> = new Set(['upstream_unreachable', 'upstream_timeout', 'upstream_away'])
/** A proxy in front of it has no answer of it (RFC 9110 section 15.6). */
const AWAY_BEHIND: ReadonlySet<number> = new Set([502, 503, 504])

/** The first that can be read from now. */
export function standInNow (standIns: readonly StandIn[]): StandIn | undefined {
  return standIns.find(({ upstream, follower }) => follower.isFresh() && !upstream.breaker.isOpen())
}

/**
 * Reads from one that is read from. Who asked later may share the answer (flights.ts), and that a change was
 * answered meanwhile, so it counts only of an address that follows still.
 */
async function askElsewhere ({ upstream, follower }: StandIn, question: Question): Promise<UpstreamAnswer> {
  const answer = await upstream.ask(question)
  if (follower.state() === 'follows') return answer
  if (answer.kind === 'streamed') answer.body.destroy()
  throw new RefusalError({ code: 'upstream_away' }, { cause: 'the other address fell behind' })
}

/** Reads from the first address, and from another one where that is as good and the first is away. */
export function readsOf (first: Upstream, standIns: readonly StandIn[]): Reads {
  /** @returns undefined when no other gives an answer @throws what is no refusal: nobody waits for one any more */
  async function askOther (question: Question): Promise<UpstreamAnswer | undefined> {
    const other = standInNow(standIns)
    if (other === undefined) return undefined
    try {
      const answer = await askElsewhere(other, question)
      return AWAY_BEHIND.has(answer.status) ? undefined : answer
    } catch (error) {
      if (error instanceof RefusalError) return undefined
      throw error
    }
  }

  async function ask (question: Question): Promise<UpstreamAnswer> {
    if (standInNow(standIns) === undefined) return await first.ask(question)
    const overOne = { ...question, once: true }
    try {
      const answer = await first.ask(overOne)
      return AWAY_BEHIND.has(answer.status) ? await askOther(overOne) ?? answer : answer
    } catch (error) {
      if (!isAway(error)) throw error
      // What was sent nowhere yet may be sent twice there.
      const answer = await askOther(error.refusal.code === 'upstream_away' ? question : overOne)
      if (answer !== undefined) return answer
      if (!hasBroken(error)) throw error
    }
    await endOfTurn() // when all connections that broke with that one are known to have, as in exchange.ts
    return await first.ask(overOne)
  }
  return { ask, takesConditions: first.takesConditions }
}

/** True when the upstream gave no answer at all. */
export function isAway (error: unknown): error is RefusalError {
  return error instanceof RefusalError && AWAY.has(error.refusal.code)
}

/** True where a read is sent once more over another connection: the first may have closed one that it had kept. */
function hasBroken ({ cause }: RefusalError): boolean {
  return cause instanceof Error && isBrokenConnection(cause)
}
