// What do workers go by? What is in force in their primary, which alone reads files: it tells
// one that begins the whole, and all of them what has changed, in pieces, so that a large file
// keeps nobody waiting here or there. Each piece arrives in order, so who has said that it
// goes by what came before a question has all of it. One that stands still is not told one
// change after another, which would all wait here: it gets the whole when it goes on.
import type { InForce } from '../../live/hand-over.ts'
import { createCollector, piecesOf } from '../../lib/pieces.ts'
import { nextTurn } from '../../lib/steps.ts'
import type { Later } from '../../lib/timers.ts'
import type { Member, Office } from './member.ts'
import type { Channel, ToPrimary, ToWorker } from './messages.ts'

export interface InForceOffice extends Office {
  begin (member: Member): void
  /** Tells all of them what has changed. */
  tell (): void
  /** Process ids of those that have not said in time that they go by all that was told by now. */
  behind (): Promise<readonly number[]>
}

export interface InForceOfficeOptions {
  readonly whole: () => InForce
  /** What has changed since it was called last. */
  readonly changes: () => Partial<InForce>
  readonly later: Later
}

/** Milliseconds: one that hangs is ended in half of them (liveness.ts). */
const PATIENCE = 15_000

interface Round {
  readonly waitsFor: Set<Member>
  readonly end: () => void
}

/** For the primary. */
export function createInForceOffice ({ whole, changes, later }: InForceOfficeOptions): InForceOffice {
  const members = new Set<Member>()
  /** Those of them that have the whole, or are told it now. */
  const told = new Set<Member>()
  /** Those of them for whom something of it waits here still. */
  const taking = new Set<Member>()
  /** Those that were not told of a change, because they were taking another. */
  const missing = new Set<Member>()
  const rounds = new Map<number, Round>()
  let last = 0
  /** One thing after another, so that the pieces of two are never mixed. */
  let telling: Promise<void> = Promise.resolve()

  function next (work: () => Promise<void>): void {
    telling = telling.then(work)
  }

  async function send (data: Partial<InForce>, to: ReadonlySet<Member>): Promise<void> {
    for (const piece of piecesOf(data)) {
      for (const member of to) member.send({ kind: 'in_force', piece })
      await nextTurn()
    }
    for (const member of to) {
      if (!told.has(member)) continue // it ended meanwhile
      taking.add(member)
      void member.taken().then(() => {
        taking.delete(member)
        if (missing.has(member)) next(async () => { await catchUp(member) })
      })
    }
  }

  async function catchUp (member: Member): Promise<void> {
    if (!missing.delete(member)) return
    await send(whole(), new Set([member]))
    for (const [id, { waitsFor }] of rounds) if (waitsFor.has(member)) member.send({ kind: 'up_to_date', id })
  }

  function heard (member: Member, id: number): void {
    const round = rounds.get(id)
    if (round?.waitsFor.delete(member) === true && round.waitsFor.size === 0) round.end()
  }

  async function ask (id: number): Promise<readonly number[]> {
    const waitsFor = new Set(told)
    await new Promise<void>(resolve => {
      const cancel = later(PATIENCE, resolve)
      const end = (): void => {
        cancel()
        resolve()
      }
      rounds.set(id, { waitsFor, end })
      for (const member of told) if (!missing.has(member)) member.send({ kind: 'up_to_date', id })
      if (waitsFor.size === 0) end()
    })
    rounds.delete(id)
    return [...waitsFor].flatMap(({ pid }) => pid ?? [])
  }

  return {
    begin (member) {
      member.receive(message => {
        if (message.kind === 'up_to_date') heard(member, message.id)
        if (message.kind !== 'all_told') return
        next(async () => {
          await catchUp(member)
          member.send({ kind: 'all_told' })
        })
      })
      members.add(member)
      next(async () => {
        if (!members.has(member)) return
        told.add(member)
        await send(whole(), new Set([member]))
      })
    },
    tell () {
      next(async () => {
        const data = changes()
        if (Object.keys(data).length === 0) return
        for (const member of taking) missing.add(member)
        await send(data, new Set([...told].filter(member => !missing.has(member))))
      })
    },
    async behind () {
      return await new Promise(resolve => {
        next(async () => { void ask(++last).then(resolve) })
      })
    },
    join () {}, // it began before
    leave (member) {
      members.delete(member)
      for (const each of [told, taking, missing]) each.delete(member)
      // Another takes its place, and begins with what is in force.
      for (const id of rounds.keys()) heard(member, id)
    }
  }
}

/** What a worker hears. */
export interface Heard {
  /** What it begins with. */
  readonly whole: Promise<InForce>
  /**
   * Puts in force what comes, and what has come since; one after another.
   * @returns when all is that its primary has to tell by now: some of it may be on its way, or wait there
   */
  follow (put: Put): Promise<void>
}

type Put = (changes: Partial<InForce>) => Promise<void>

/** For a worker, before it says that it hears. */
export function hearInForce (channel: Channel<ToWorker, ToPrimary>): Heard {
  const { add } = createCollector<Partial<InForce>>()
  let put!: Put
  let begin!: (whole: InForce) => void
  let start!: () => void
  let end!: (turn: Promise<void>) => void
  let isWhole = false
  /** Rejects when something could not be put in force: then this process ends, and another begins with the whole. */
  let turn = new Promise<void>(resolve => { start = resolve })
  const whole = new Promise<InForce>(resolve => { begin = resolve })
  const all = new Promise<void>(resolve => { end = resolve })
  channel.receive(message => {
    if (message.kind === 'up_to_date') turn = turn.then(() => { channel.send({ kind: 'up_to_date', id: message.id }) })
    if (message.kind === 'all_told') end(turn)
    if (message.kind !== 'in_force') return
    const data = add(message.piece)
    if (data === undefined) return
    if (isWhole) turn = turn.then(async () => { await put(data) })
    else begin(data as InForce)
    isWhole = true
  })
  return {
    whole,
    async follow (run) {
      put = run
      start()
      channel.send({ kind: 'all_told' })
      await Promise.all([turn, all])
    }
  }
}
