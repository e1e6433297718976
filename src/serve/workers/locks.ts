// Who is first at an object of the repository, when several workers ask for it? The lock
// is held in the primary: first come, first served, whichever worker somebody came to.
// Who dies with it gives it back when what it asked of the upstream has had time to end:
// the connection is closed with the process, but the upstream may have all of a request
// by then, and go on.
import type { Locks } from '../../lib/locks.ts'
import type { Later } from '../../lib/timers.ts'
import type { Member, Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'
import { createQuestions } from './questions.ts'

/** Locks that all workers share, as one of them sees them; one message to the primary and back for each. */
export function createSharedLocks (channel: Channel<ToWorker, ToPrimary>): Locks {
  const ask = createQuestions(channel, 'locked')
  return {
    async hold (name, work) {
      const { id } = await ask(id => ({ kind: 'lock', id, name }))
      try {
        return await work(() => 'own')
      } finally {
        channel.send({ kind: 'unlock', id, name })
      }
    }
  }
}

/**
 * Milliseconds since somebody was last heard of after which what they asked of the upstream
 * has ended. A worker that hangs is ended about then (liveness.ts), so a lock comes back
 * within ten seconds of whatever happened to its holder.
 */
export const REST = 8_000

interface AskedLock {
  readonly member: Member
  readonly id: number
}

/** Gives the locks out. @param clock milliseconds of a clock that only goes on */
export function createLockKeeper ({ clock, later }: { readonly clock: () => number, readonly later: Later }): Office {
  /** Who asked for each name; the first one has it. */
  const queues = new Map<string, AskedLock[]>()
  const heard = new Map<Member, number>()

  function give ({ member, id }: AskedLock): void {
    member.send({ kind: 'locked', id })
  }

  function ask (name: string, asked: AskedLock): void {
    const queue = queues.get(name)
    if (queue !== undefined) {
      queue.push(asked)
      return
    }
    queues.set(name, [asked])
    give(asked)
  }

  /** The first one is done. */
  function end (name: string, queue: AskedLock[]): void {
    queue.shift()
    const [next] = queue
    if (next === undefined) queues.delete(name)
    else give(next)
  }

  return {
    join (member) {
      member.receive(message => {
        heard.set(member, clock())
        if (message.kind === 'lock') ask(message.name, { member, id: message.id })
        else if (message.kind === 'unlock') end(message.name, queues.get(message.name) as AskedLock[])
      })
    },
    leave (member) {
      const rest = Math.max(0, (heard.get(member) ?? 0) + REST - clock())
      heard.delete(member)
      for (const [name, queue] of queues) {
        const [first, ...others] = queue as [AskedLock, ...AskedLock[]]
        queue.splice(1, others.length, ...others.filter(asked => asked.member !== member))
        if (first.member === member) later(rest, () => { end(name, queue) })
      }
    }
  }
}
