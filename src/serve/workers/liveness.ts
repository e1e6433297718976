// Does each worker still do what it is there for? The primary asks all of them each
// second. Who does not answer hangs, and who answers says whether its queues move. Such a
// worker makes the gateway unready for a few seconds, in which it may come back, and is
// ended then, so that another takes its place. Of the upstream nothing is asked: one that
// is away or slow ends nobody.
import type { Every } from '../../lib/timers.ts'
import type { Member } from './member.ts'

export interface Liveness {
  /** From the moment in which its process is made. */
  begin (member: Member): void
  /** Its process has ended. */
  leave (member: Member): void
  /** What keeps one of them from its clients, in a sentence; undefined: nothing. */
  ailment (): string | undefined
  close (): void
}

export interface LivenessLog { error (fields: object, message: string): void }

const ASK_EVERY = 1000
// All in questions, and not in seconds of a clock: a primary that was stopped and goes on has asked nothing meanwhile.
/** Unanswered: it hangs; parsing a large index or file may hold an event loop for two seconds. */
const QUIET = 3
/** Since that was seen: it does not come back. */
const LIVENESS_PATIENCE = 5
/** Unanswered since its process was made: it does not start. */
const LONGEST_START = 60

interface Seen {
  joined: boolean
  /** Questions since its last answer. */
  unanswered: number
  /** What it said in that. */
  stuck: string | undefined
  /** Questions since something was wrong with it. */
  ailing: number
}

export function createLiveness (every: Every, log: LivenessLog): Liveness {
  const members = new Map<Member, Seen>()

  function ailmentOf ({ pid }: Member, { joined, unanswered, stuck }: Seen): string | undefined {
    if (!joined) return undefined
    if (unanswered >= QUIET) return `worker ${pid} has not answered for ${unanswered} s`
    return stuck === undefined ? undefined : `worker ${pid}: ${stuck}`
  }

  function look (member: Member, seen: Seen): void {
    const reason = ailmentOf(member, seen)
    seen.ailing = reason === undefined ? 0 : seen.ailing + 1
    if (seen.ailing > LIVENESS_PATIENCE || (!seen.joined && seen.unanswered >= LONGEST_START)) {
      const why = reason ?? `it has not started in ${seen.unanswered} s`
      log.error({ worker: member.pid, reason: why }, 'a worker hangs, and is ended')
      member.kill()
    }
    seen.unanswered++
    if (seen.joined) member.send({ kind: 'ping' })
  }

  const close = every(ASK_EVERY, () => { for (const [member, seen] of members) look(member, seen) })
  return {
    begin (member) {
      const seen: Seen = { joined: false, unanswered: 0, stuck: undefined, ailing: 0 }
      members.set(member, seen)
      member.receive(message => {
        if (message.kind === 'joined') seen.joined = true
        if (message.kind === 'joined' || message.kind === 'pong') seen.unanswered = 0
        if (message.kind === 'pong') seen.stuck = message.stuck
      })
    },
    leave (member) { members.delete(member) },
    ailment () {
      for (const [member, seen] of members) {
        const reason = ailmentOf(member, seen)
        if (reason !== undefined) return reason
      }
      return undefined
    },
    close
  }
}
