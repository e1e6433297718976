// Where is a read asked when the first address of the chart repository gives no answer? At
// another one that follows it (follower.ts), once; where there is none, nowhere else.
import { RefusalError, type ReasonCode } from '../http/errors.ts'
import type { UpstreamAnswer } from './answers.ts'
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
  async function ask (question: Question): Promise<UpstreamAnswer> {
    if (standInNow(standIns) === undefined) return await first.ask(question)
    try {
      const answer = await first.ask({ ...question, once: true })
      const other = AWAY_BEHIND.has(answer.status) ? standInNow(standIns) : undefined
      return other === undefined ? answer : await askElsewhere(other, { ...question, once: true })
    } catch (error) {
      const other = isAway(error) ? standInNow(standIns) : undefined
      if (other === undefined) throw error
      // What was sent nowhere yet may be sent twice there.
      return await askElsewhere(other, { ...question, once: codeOf(error) !== 'upstream_away' })
    }
  }
  return { ask, takesConditions: first.takesConditions }
}

/** True when the upstream gave no answer at all. */
export function isAway (error: unknown): boolean {
  const code = codeOf(error)
  return code !== undefined && AWAY.has(code)
}

function codeOf (error: unknown): ReasonCode | undefined {
  return error instanceof RefusalError ? error.refusal.code : undefined
}
