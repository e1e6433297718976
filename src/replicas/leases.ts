// May an index be answered from memory, or at another address than the first? With several
// replicas each has a memory of its own, and a push through one has to be seen by every read
// that begins after its answer, on any of them. So a replica does that only while its lease
// runs: LEASE milliseconds, by its own clock, from before it asked Redis for it. Who changes
// something tells all of them, and is answered when each has forgotten or every lease of
// before the change is over. Who cannot reach Redis waits until what the others remember from
// before is too old, and tells them before it is heard of again (others.ts).
// Why no answer is of before a change that was answered when it began: docs/architecture.md.
import { randomUUID } from 'node:crypto'
import type { Every, Later } from '../lib/timers.ts'
import type { ToldChange } from '../upstream/change.ts'
import type { HearChange, Peers } from '../upstream/peers.ts'
import type { Redis } from './redis.ts'
import { BEAT, CHANGE, LEAVE, SAY, pairsOf, type BeatReply, type ChangeReply, type Pairs } from './scripts.ts'

/** Milliseconds that a lease runs, */
export const LEASE = 2_000
/** between two times that one is asked for, */
export const BEAT_PAUSE = 400
/** and that what is published may come later than what is answered over another connection. */
const LATER = 100

/** Who else is told what a beat brings. */
export interface BeatHearer {
  /** How far it knows revocations; 0: it knows none of them. */
  readonly revokedUpTo: () => number
  /** @param isNew the epoch is another one than the last time */
  heard (reply: BeatReply, isNew: boolean): void
}

export interface LeaseOptions {
  readonly redis: Pick<Redis, 'run' | 'hear'>
  /** Does anything here have to hear of changes, by the configuration as it is now? */
  readonly keeps: () => boolean
  /** Is something stored here without a lock (locks.ts)? */
  readonly isAlone: () => boolean
  /** Milliseconds that nobody remembers anything for longer, whatever their configuration is. */
  readonly mostAge: number
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  readonly later: Later
  readonly every: Every
  readonly hearer: BeatHearer
}

/** What a member may say of itself: it answers from memory or asks elsewhere, and has to be told of changes; */
const KEEPS = 'keeps'
/** it stores something without a lock. */
export const ALONE = 'alone'

export function saysThat (word: typeof KEEPS | typeof ALONE, saying: string): boolean {
  return saying.split(' ').includes(word)
}

export interface Leases extends Pick<Peers, 'changed' | 'onChange' | 'holds'> {
  /** The name of this member. */
  readonly own: string
  /** When it was asked for the first lease, whatever came of it. */
  readonly begun: Promise<void>
  /** Says that it has gone. */
  close (): Promise<void>
}

const CHANGES = 'chartgate:changes'
const forgotBy = (member: string): string => `chartgate:forgot:${member}`

export function createLeases ({ redis, keeps, isAlone, mostAge, clock, later, every, hearer }: LeaseOptions): Leases {
  const own = randomUUID()
  /** What to do when a member says that it forgot, by change. */
  const rounds = new Map<string, (member: string) => void>()
  const hearers: HearChange[] = []
  /** Tenants of whose last change the others could not be told. */
  const untold = new Set<string>()
  let epoch = ''
  /** The number of the last change that is known here. */
  let seen = 0
  let leaseEnd = -Infinity
  /** How often this member came. */
  let beats = 0
  /** Somebody has been heard of who has to be told. */
  let somebodyKeeps = false
  let beating = false
  let closed = false

  async function hear (tenant?: string, change?: ToldChange): Promise<void> {
    await Promise.all(hearers.map(async each => { await each(tenant, change) }))
  }

  async function say (id: string, tenant: string, change?: ToldChange): Promise<ChangeReply> {
    const what = change === undefined ? '' : JSON.stringify(change)
    return await redis.run(CHANGE, [tenant, randomUUID(), CHANGES, id, own, what]) as ChangeReply
  }

  /** Nobody hears of this member again before they hear of what it did alone. */
  async function tellLate (): Promise<void> {
    for (const tenant of [...untold]) {
      await say(randomUUID(), tenant)
      untold.delete(tenant)
    }
  }

  async function beat (): Promise<void> {
    if (beating) return
    beating = true
    const asksForLease = keeps()
    // Who says that nothing is kept here is not asked to forget any more.
    if (!asksForLease) leaseEnd = -Infinity
    const saying = [++beats, ...asksForLease ? [KEEPS] : [], ...isAlone() ? [ALONE] : []].join(' ')
    try {
      if (untold.size > 0) await tellLate()
      if (closed) return // it has said goodbye meanwhile
      const askedAt = clock()
      const known = [own, `${seen}`, epoch, randomUUID(), `${hearer.revokedUpTo()}`, saying]
      const reply = await redis.run(BEAT, known) as BeatReply
      const isNew = reply[0] !== epoch
      if (pairsOf(reply[3]).some(isUnknown)) await wait(LATER) // what changed comes by itself, unless it was lost
      learn(reply)
      if (!closed && asksForLease) leaseEnd = askedAt + LEASE
      hearer.heard(reply, isNew)
    } catch {
      // outages.ts has said so, and the lease ends by itself.
    } finally {
      beating = false
    }
  }

  function learn ([now, seq, floor, changed, members]: BeatReply): void {
    keepersOf(members)
    const isKnown = now === epoch && Number(floor) <= seen
    epoch = now
    if (isKnown) {
      for (const each of pairsOf(changed)) if (isUnknown(each)) void hear(each[0])
    } else void hear()
    seen = isKnown ? Math.max(seen, Number(seq)) : Number(seq)
  }

  function isUnknown ([, number]: readonly [string, string]): boolean {
    return Number(number) > seen
  }

  /** Those of the members who have to be told, but for this one. */
  function keepersOf (members: Pairs): (readonly [string, string])[] {
    const keepers = pairsOf(members).filter(([member, saying]) => member !== own && saysThat(KEEPS, saying))
    somebodyKeeps ||= keepers.length > 0
    return keepers
  }

  redis.hear(CHANGES, text => {
    const [now, seq, tenant, id, from, what] = JSON.parse(text) as [string, number, string, string, string, string]
    if (now === epoch && seq === seen + 1) seen = seq
    if (from === own) return
    void hear(tenant, what === '' ? undefined : JSON.parse(what) as ToldChange)
      .then(async () => await redis.run(SAY, [forgotBy(from), JSON.stringify([id, own])])).catch(() => {})
  })
  redis.hear(forgotBy(own), text => {
    const [id, member] = JSON.parse(text) as [string, string]
    rounds.get(id)?.(member)
  })
  const endBeats = every(BEAT_PAUSE, () => { void beat() })
  const begun = beat()

  async function wait (ms: number): Promise<void> {
    await new Promise<void>(resolve => { later(ms, resolve) })
  }

  async function tell (change: ToldChange, id: string): Promise<void> {
    const forgot = new Set<string>()
    let look = (): void => {}
    rounds.set(id, member => {
      forgot.add(member)
      look()
    })
    const [age, members, seq] = await say(id, change.tenant, change)
    if (seq === seen + 1) seen = seq // what is published may come behind the next beat
    const keepers = keepersOf(members)
    // In an epoch that has just begun nobody knows whose leases still run from the one before.
    const knowsAll = age >= LEASE || !(somebodyKeeps || keeps())
    const silent = (): (readonly [string, string])[] => keepers.filter(([member]) => !forgot.has(member))
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
    for (const [member, saying] of silent()) redis.run(LEAVE, [member, saying]).catch(() => {})
  }

  return {
    own,
    begun,
    holds: () => clock() < leaseEnd,
    onChange (each) { hearers.push(each) },
    async changed (change) {
      const id = randomUUID()
      try {
        await tell(change, id)
      } catch {
        untold.add(change.tenant)
        // Whether the others reach Redis is not known here.
        if (somebodyKeeps || keeps()) await wait(mostAge)
      } finally {
        rounds.delete(id)
      }
    },
    async close () {
      closed = true
      leaseEnd = -Infinity
      endBeats()
      await tellLate().catch(() => {}) // what Redis cannot be told the others doubt (others.ts)
      await redis.run(LEAVE, [own, '']).catch(() => {})
    }
  }
}
