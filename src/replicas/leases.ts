// May an index be answered from memory? With several replicas each has a memory of its own,
// and a push through one has to be seen by every read that begins after its answer, on any
// of them. So a replica answers from memory only while its lease runs: LEASE milliseconds,
// by its own clock, from before it asked Redis for it. Who changes something tells all of
// them, and is answered when each has forgotten or every lease of before the change is over.
// Who cannot reach Redis waits until what the others remember from before is too old.
// Why no answer is of before a change that was answered when it began: docs/architecture.md.
import { randomUUID } from 'node:crypto'
import type { Every, Later } from '../lib/timers.ts'
import type { Peers } from '../upstream/peers.ts'
import type { Redis } from './redis.ts'
import { BEAT, CHANGE, LEAVE, SAY, pairsOf, type BeatReply, type ChangeReply } from './scripts.ts'

/** Milliseconds that a lease runs, */
export const LEASE = 2_000
/** and between two times that one is asked for. */
export const BEAT_PAUSE = 400

/** Who else is told what a beat brings. */
export interface BeatHearer {
  /** How far it knows revocations; 0: it knows none of them. */
  readonly revokedUpTo: () => number
  /** @param isNew the epoch is another one than the last time */
  heard (reply: BeatReply, isNew: boolean): void
}

export interface LeaseOptions {
  readonly redis: Pick<Redis, 'run' | 'hear'>
  /** Milliseconds that an index is answered from memory, by the configuration. */
  readonly maxAge: number
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  readonly later: Later
  readonly every: Every
  readonly hearer: BeatHearer
}

export interface Leases extends Peers {
  /** The name of this member. */
  readonly own: string
  /** Says that it has gone. */
  close (): Promise<void>
}

const CHANGES = 'chartgate:changes'
const forgotBy = (member: string): string => `chartgate:forgot:${member}`

export function createLeases ({ redis, maxAge, clock, later, every, hearer }: LeaseOptions): Leases {
  const own = memberName(maxAge)
  /** What to do when a member says that it forgot, by change. */
  const rounds = new Map<string, (member: string) => void>()
  const forgetters: ((tenant?: string) => void)[] = []
  let epoch = ''
  let epochSince = 0
  /** The number of the last change that is known here. */
  let seen = 0
  let leaseEnd = -Infinity
  /** The longest that any member remembers, as far as it was heard of. */
  let longestAge = maxAge
  let beating = false
  let closed = false

  function forget (tenant?: string): void {
    for (const each of forgetters) each(tenant)
  }

  async function beat (): Promise<void> {
    if (beating) return
    beating = true
    const askedAt = clock()
    try {
      const known = [own, `${seen}`, epoch, randomUUID(), `${hearer.revokedUpTo()}`]
      const reply = await redis.run(BEAT, known) as BeatReply
      const isNew = reply[0] !== epoch
      learn(reply)
      if (!closed) leaseEnd = askedAt + LEASE
      hearer.heard(reply, isNew)
    } catch {
      // outages.ts has said so, and the lease ends by itself.
    } finally {
      beating = false
    }
  }

  function learn ([now, seq, floor, changed, members]: BeatReply): void {
    for (const [member] of pairsOf(members)) longestAge = Math.max(longestAge, ageOf(member))
    const isKnown = now === epoch && Number(floor) <= seen
    if (now !== epoch) epochSince = clock()
    epoch = now
    if (isKnown) {
      for (const [tenant, number] of pairsOf(changed)) if (Number(number) > seen) forget(tenant)
    } else forget()
    seen = isKnown ? Math.max(seen, Number(seq)) : Number(seq)
  }

  redis.hear(CHANGES, text => {
    const [now, seq, tenant, id, from] = JSON.parse(text) as [string, number, string, string, string]
    forget(tenant)
    if (now === epoch && seq === seen + 1) seen = seq
    if (from !== own) void redis.run(SAY, [forgotBy(from), JSON.stringify([id, own])]).catch(() => {})
  })
  redis.hear(forgotBy(own), text => {
    const [id, member] = JSON.parse(text) as [string, string]
    rounds.get(id)?.(member)
  })
  const endBeats = every(BEAT_PAUSE, () => { void beat() })
  void beat()

  async function tell (tenant: string, id: string): Promise<void> {
    const forgot = new Set<string>()
    let look = (): void => {}
    rounds.set(id, member => {
      forgot.add(member)
      look()
    })
    const [now, members] = await redis.run(CHANGE, [tenant, randomUUID(), CHANGES, id, own]) as ChangeReply
    const others = pairsOf(members).filter(([member]) => member !== own && ageOf(member) > 0)
    // A Redis that has just begun does not know whose leases still run that another one gave.
    const knowsAll = now === epoch && clock() - epochSince >= LEASE
    const silent = (): (readonly [string, string])[] => others.filter(([member]) => !forgot.has(member))
    await new Promise<void>(resolve => {
      const cancel = later(LEASE, resolve)
      look = () => {
        if (!knowsAll || silent().length > 0) return
        cancel()
        resolve()
      }
      look()
    })
    // Nobody waits again for who has not come since: its lease is over.
    for (const [member, times] of silent()) await redis.run(LEAVE, [member, times])
  }

  return {
    own,
    holds: () => clock() < leaseEnd,
    onChange (change) { forgetters.push(change) },
    async changed (tenant) {
      const id = randomUUID()
      try {
        await tell(tenant, id)
      } catch {
        await new Promise<void>(resolve => { later(longestAge, resolve) })
      } finally {
        rounds.delete(id)
      }
    },
    async close () {
      closed = true
      leaseEnd = -Infinity
      endBeats()
      await redis.run(LEAVE, [own, '']).catch(() => {})
    }
  }
}

/** A name that nobody else has, with how long it remembers an index. @param maxAge milliseconds */
function memberName (maxAge: number): string {
  return `${randomUUID()}/${maxAge}`
}

function ageOf (member: string): number {
  return Number(member.slice(member.indexOf('/') + 1))
}
