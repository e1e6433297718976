// Has every worker read its files again, when somebody asked for it? Each reads them itself,
// and says what it cannot use; who says nothing in time is named.
import type { Later } from '../../lib/timers.ts'
import type { Member, Office } from './member.ts'

export interface WorkerRereads {
  /** What workers cannot use, one line each, and each once. */
  readonly mistakes: readonly string[]
  /** Process ids of those who did not answer in time. */
  readonly silent: readonly number[]
}

export interface RereadOffice extends Office {
  /** Lets all of them read again; resolves when they have, or their time is up. */
  ask (): Promise<WorkerRereads>
}

/** Milliseconds: a file of 10,000 accounts takes three seconds, one that somebody writes all the time a quarter. */
const PATIENCE = 15_000

interface Round {
  readonly waitsFor: Set<Member>
  readonly mistakes: Set<string>
  readonly end: () => void
}

/** For the primary. */
export function createRereadOffice (later: Later): RereadOffice {
  const members = new Set<Member>()
  const rounds = new Map<number, Round>()
  let last = 0

  function heard (member: Member, id: number, mistakes: readonly string[]): void {
    const round = rounds.get(id)
    if (round?.waitsFor.delete(member) !== true) return
    for (const mistake of mistakes) round.mistakes.add(mistake)
    if (round.waitsFor.size === 0) round.end()
  }

  return {
    async ask () {
      const id = ++last
      const waitsFor = new Set(members)
      const mistakes = new Set<string>()
      await new Promise<void>(resolve => {
        const cancel = later(PATIENCE, resolve)
        const end = (): void => {
          cancel()
          resolve()
        }
        rounds.set(id, { waitsFor, mistakes, end })
        for (const member of members) member.send({ kind: 'reread', id })
        if (waitsFor.size === 0) end()
      })
      rounds.delete(id)
      return { mistakes: [...mistakes], silent: [...waitsFor].flatMap(({ pid }) => pid ?? []) }
    },
    join (member) {
      members.add(member)
      member.receive(message => { if (message.kind === 'reread') heard(member, message.id, message.mistakes) })
    },
    leave (member) {
      members.delete(member)
      // Another takes its place, and begins with what is in force.
      for (const id of rounds.keys()) heard(member, id, [])
    }
  }
}
