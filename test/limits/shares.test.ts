// Who gets the next connection, by a clock that the test moves.
import fc from 'fast-check'
import t from 'tap'
import { Company } from '../../src/lib/company.ts'
import { createPresence, type OwnPresence } from '../../src/lib/presence.ts'
import { Pace } from '../../src/limits/pace.ts'
import { createShares, EVEN_OUT, LOOK, MOST_WAITING, PLACE_PATIENCE, STALLED, type ConnectionPlace, type Sharer, type WhyEnded } from '../../src/limits/shares.ts'

interface Seat { readonly asker: Sharer & { readonly presence: OwnPresence } }

interface Asked {
  readonly seat: Seat
  readonly company: Company<Seat>
  place: ConnectionPlace | undefined
  refused: string | undefined
  ended: WhyEnded | undefined
}

interface AskOptions { readonly tenant?: string, readonly large?: boolean, readonly streamed?: 'read' | 'unread' }

interface Lab {
  ask (party: unknown, options?: AskOptions): Asked
  join (asked: Asked, party: unknown): void
  /** Moves the clock. */
  pass (ms: number): void
  /** How many look later. */
  timers (): number
}

function lab (all: number, large = all): Lab {
  let now = 0
  const timers: { at: number, run: () => void }[] = []
  const shares = createShares({ all, large, clock: () => now, later: (ms, run) => { timers.push({ at: now + ms, run }) } })
  const seatOf = (party: unknown, tenant: string): Seat => ({ asker: { party, tenant, presence: createPresence() } })

  function hold (asked: Asked, place: ConnectionPlace, streamed: AskOptions['streamed']): void {
    asked.place = place
    asked.company.begin()
    if (streamed === undefined) return
    const pace = new Pace()
    if (streamed === 'unread') pace.holdUp(now)
    place.stream(pace, why => {
      asked.ended = why
      place.release()
    })
  }

  return {
    timers: () => timers.length,
    ask (party, { tenant = 't', large = false, streamed } = {}) {
      const seat = seatOf(party, tenant)
      const asked: Asked = { seat, company: new Company(seat), place: undefined, refused: undefined, ended: undefined }
      shares.take({ company: asked.company, large, grant: place => { hold(asked, place, streamed) }, refuse: why => { asked.refused = why } })
      return asked
    },
    join (asked, party) { asked.company.join(seatOf(party, 't')) },
    pass (ms) {
      const end = now + ms
      for (;;) {
        const next = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0]
        now = next?.at ?? end
        if (next === undefined) return
        timers.splice(timers.indexOf(next), 1)
        next.run()
      }
    }
  }
}

const has = (asked: Asked): boolean => asked.place !== undefined

void t.test('as long as there is room everybody gets a connection, and nobody is looked at', async t => {
  const { ask, timers } = lab(4)
  t.ok([ask('a'), ask('a'), ask('a'), ask('a')].every(has))
  t.equal(timers(), 0)
})

void t.test('what is free goes to the client with the fewest, then to the tenant, then in the order of coming', async t => {
  const { ask } = lab(4)
  const held = [ask('a', { tenant: 'x' }), ask('a', { tenant: 'x' }), ask('b', { tenant: 'y' }), ask('b', { tenant: 'z' })]
  const waiting = new Map([
    ['of a client that has two', ask('a', { tenant: 'new' })],
    ['of a tenant that has two', ask('c', { tenant: 'x' })],
    ['new', ask('d', { tenant: 'new' })],
    ['new, and later', ask('e', { tenant: 'newer' })]
  ])
  const order: string[] = []
  // Each gives back at once what it gets, so that the shares stay as they are.
  let free = held.find(({ seat }) => seat.asker.tenant === 'z') as Asked
  while (waiting.size > 0) {
    free.place?.release()
    const next = [...waiting].find(([, asked]) => has(asked)) as [string, Asked]
    order.push(next[0])
    waiting.delete(next[0])
    free = next[1]
  }
  t.same(order, ['new', 'new, and later', 'of a tenant that has two', 'of a client that has two'])
})

void t.test('who has waited is refused, and within 5 s', async t => {
  const { ask, pass, timers } = lab(1)
  ask('a')
  pass(100)
  const early = ask('b')
  pass(2_000)
  const late = ask('c')
  pass(PLACE_PATIENCE - 2_000 - 1)
  t.same([early.refused, late.refused], [undefined, undefined])
  pass(5_000 - PLACE_PATIENCE + 1)
  t.same([early.refused, late.refused], ['no_room', undefined])
  pass(2_000)
  t.equal(late.refused, 'no_room')
  pass(LOOK)
  t.equal(timers(), 0, 'and then nobody looks any more')
})

void t.test('who goes waits no longer, and who had gone before does not begin to', async t => {
  const { ask, join } = lab(1)
  const first = ask('a')
  const gone = ask('b')
  const group = ask('c')
  join(group, 'd')
  gone.seat.asker.presence.leave()
  t.equal(gone.refused, 'nobody_there')
  group.seat.asker.presence.leave()
  t.equal(group.refused, undefined, 'somebody else wants the same')
  first.place?.release()
  t.ok(has(group))
  t.notOk(has(gone))
})

void t.test('nothing is taken for those who have gone', async t => {
  const shares = createShares({ all: 1, large: 1, clock: () => 0, later: () => {} })
  const presence = createPresence()
  presence.leave()
  let refused = ''
  shares.take({ company: new Company({ asker: { party: 'a', tenant: 't', presence } }), large: false, grant: () => { t.fail('granted') }, refuse: why => { refused = why } })
  t.equal(refused, 'nobody_there')
  t.same(shares.standing(), { all: 1, used: 0, large: 0, length: 0, waited: 0, waitedMs: 0, refused: 0 }, 'and that is no lack of room')
})

void t.test('large downloads never have all, and the others never wait for them', async t => {
  const { ask } = lab(4, 3)
  const large = [1, 2, 3].map(() => ask('a', { large: true }))
  t.ok(large.every(has))
  const fourth = ask('b', { large: true })
  t.notOk(has(fourth))
  const small = ask('c')
  t.ok(has(small))
  t.equal(small.place?.grow(), false, 'nor do they get there by growing')
  small.place?.release()
  t.notOk(has(fourth), 'what is free is not for them')
  large[0]?.place?.release()
  t.ok(has(fourth))
  const growing = ask('d')
  large[1]?.place?.release()
  t.equal(growing.place?.grow(), true)
  t.equal(growing.place?.grow(), true, 'once')
  t.notOk(has(ask('e', { large: true })))
  t.ok(has(ask('f')))
})

void t.test('a place is given back once', async t => {
  const { ask } = lab(1)
  const first = ask('a')
  first.place?.release()
  const second = ask('b')
  first.place?.release()
  t.ok(has(second))
  t.notOk(has(ask('c')))
})

void t.test('a download that is not read makes place for a client with fewer, the oldest of the client with the most first', async t => {
  const { ask, pass } = lab(5, 4)
  const one = ask('one', { large: true, streamed: 'unread' })
  pass(100)
  const many = [1, 2, 3].map(() => {
    pass(100)
    return ask('many', { large: true, streamed: 'unread' })
  })
  const ended = (): boolean[] => [one, ...many].map(each => each.ended === 'not_read')
  const first = ask('new', { large: true })
  pass(STALLED.byClient - 500)
  t.notOk(has(first))
  t.same(ended(), [false, false, false, false])
  pass(500 + LOOK)
  t.ok(has(first))
  t.same(ended(), [false, true, false, false])
  const again = ask('many', { large: true })
  pass(2_000)
  t.notOk(has(again), 'its own client has as many as before, and takes from nobody')
  t.same(ended(), [false, true, false, false])
})

void t.test('who reads all of theirs keeps nobody out: the youngest of the client with the most makes place, until they have as many', async t => {
  const { ask, pass } = lab(5, 4)
  const [first, second, third, fourth] = [1, 2, 3, 4].map(() => ask('many', { large: true, streamed: 'read' })) as [Asked, Asked, Asked, Asked]
  const all = (): (WhyEnded | undefined)[] => [first, second, third, fourth].map(({ ended }) => ended)
  const waiting = [1, 2, 3].map(() => ask('new', { large: true }))
  pass(EVEN_OUT - LOOK)
  t.same(all(), [undefined, undefined, undefined, undefined])
  pass(LOOK)
  t.same(all(), [undefined, undefined, undefined, 'over_share'], 'one at a look')
  pass(LOOK)
  t.same(all(), [undefined, undefined, 'over_share', 'over_share'])
  pass(5_000)
  t.same(all(), [undefined, undefined, 'over_share', 'over_share'], 'two and two')
  t.same(waiting.map(({ place, refused }) => place === undefined ? refused : 'has'), ['has', 'has', 'no_room'])
})

void t.test('what is not read makes place before what is read, and two who wait for one client take one at a look', async t => {
  const { ask, pass } = lab(6)
  const read = [1, 2].map(() => ask('many', { large: true, streamed: 'read' }))
  const unread = ask('many', { large: true, streamed: 'unread' })
  ask('many')
  ask('many')
  ask('other')
  const waiting = [ask('new', { large: true }), ask('new', { large: true })]
  pass(STALLED.byClient + LOOK)
  t.equal(unread.ended, 'not_read')
  t.same(read.map(({ ended }) => ended), [undefined, undefined])
  pass(5_000)
  t.same(read.map(({ ended }) => ended), [undefined, 'over_share'])
  t.ok(waiting.every(has))
})

void t.test('what is no download is never ended', async t => {
  const { ask, pass } = lab(4, 3)
  for (let i = 0; i < 4; i++) ask('many', { large: i > 0 })
  const [late, lateLarge] = [ask('new'), ask('new', { large: true })]
  pass(60_000)
  t.same([late.refused, lateLarge.refused], ['no_room', 'no_room'])
})

void t.test('between clients with as many, the tenant with the most makes place soon, any other after long', async t => {
  for (const [tenants, soon] of [[['shared', 'shared', 'shared'], true], [['x', 'y', 'z'], false]] as const) {
    const { ask, pass } = lab(3)
    const unread = tenants.map((tenant, i) => ask(`client ${i}`, { tenant, large: true, streamed: 'unread' }))
    const count = (): number => unread.filter(({ ended }) => ended === 'not_read').length
    pass(STALLED.byTenant)
    t.equal(has(ask('new', { tenant: 'own', large: true })), soon, tenants.join())
    pass(STALLED.atLast - STALLED.byTenant)
    const before = count()
    t.ok(has(ask('newer', { tenant: 'own', large: true })))
    t.equal(count(), before + 1)
  }
})

void t.test('of one client a download that nobody reads makes place for another one, after long', async t => {
  const { ask, pass } = lab(2)
  const old = ask('a', { large: true, streamed: 'unread' })
  ask('a', { large: true })
  pass(STALLED.atLast - 1)
  const next = ask('a', { large: true })
  t.notOk(has(next))
  pass(LOOK)
  t.ok(has(next))
  t.equal(old.ended, 'not_read')
})

void t.test('who turns out to be large asks again for a place among those, and one that is not read is ended for it, and no second one', async t => {
  const { ask, pass } = lab(4, 2)
  const unread = [ask('many', { large: true, streamed: 'unread' }), ask('many', { large: true, streamed: 'unread' }), ask('many')]
  const waiting = ask('many', { large: true })
  pass(STALLED.byClient)
  const growing = ask('new')
  t.equal(growing.place?.grow(), false)
  growing.place?.release()
  t.ok(has(ask('new', { large: true })))
  t.same(unread.map(({ ended }) => ended), ['not_read', undefined, undefined])
  t.notOk(has(waiting))
})

void t.test('a bounded number waits, and who has the most waiting is refused first', async t => {
  const { ask } = lab(1)
  ask('holder')
  const crowd = Array.from({ length: MOST_WAITING }, () => ask('crowd'))
  t.equal(ask('crowd').refused, 'no_room', 'at once')
  t.equal(ask('other').refused, undefined)
  t.equal(crowd.at(-1)?.refused, 'no_room', 'the last of them')
  t.ok(crowd.slice(0, -1).every(({ refused }) => refused === undefined))
})

void t.test('who wants the same as one with many is not kept waiting by that', async t => {
  const { ask, join } = lab(3)
  const held = [ask('many'), ask('many'), ask('one')]
  const other = ask('one')
  const shared = ask('many')
  join(shared, 'many')
  join(shared, 'none')
  held[0]?.place?.release()
  t.ok(has(shared))
  t.notOk(has(other))
  held[1]?.place?.release()
  t.ok(has(other))
})

const [ALL, LARGE] = [4, 3]

const STEPS = fc.array(fc.oneof(
  fc.record({ kind: fc.constant('ask' as const), party: fc.integer({ min: 0, max: 3 }), tenant: fc.integer({ min: 0, max: 2 }), large: fc.boolean(), streamed: fc.constantFrom('no' as const, 'read' as const, 'unread' as const) }),
  fc.record({ kind: fc.constantFrom('release' as const, 'leave' as const, 'grow' as const, 'join' as const), which: fc.nat(50), party: fc.integer({ min: 0, max: 3 }) }),
  fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 20_000 }) })
), { maxLength: 60 })

void t.test('in whatever order it happens, no more are held than there are, and nothing free is kept from who waits', async () => {
  fc.assert(fc.property(STEPS, steps => {
    const { ask, join, pass } = lab(ALL, LARGE)
    const all: Asked[] = []
    const [released, large] = [new Set<Asked>(), new Set<Asked>()]
    const holds = (asked: Asked): boolean => has(asked) && asked.ended === undefined && !released.has(asked)
    for (const step of steps) {
      const asked = 'which' in step ? all[step.which % Math.max(1, all.length)] : undefined
      if (step.kind === 'ask') {
        const one = ask(step.party, { tenant: String(step.tenant), large: step.large, ...(step.streamed === 'no' || !step.large ? {} : { streamed: step.streamed }) })
        if (step.large) large.add(one)
        all.push(one)
      } else if (step.kind === 'pass') pass(step.ms)
      else if (asked !== undefined && step.kind === 'join') join(asked, step.party)
      else if (asked !== undefined && step.kind === 'leave') asked.seat.asker.presence.leave()
      else if (asked !== undefined && holds(asked) && step.kind === 'grow' && asked.place?.grow() === true) large.add(asked)
      else if (asked !== undefined && holds(asked) && step.kind === 'release') {
        released.add(asked)
        asked.place?.release()
      }
      const held = all.filter(holds)
      const heldLarge = held.filter(each => large.has(each)).length
      if (held.length > ALL || heldLarge > LARGE) return false
      const couldHave = (each: Asked): boolean => held.length < ALL && (!large.has(each) || heldLarge < LARGE)
      if (all.some(each => !has(each) && each.refused === undefined && couldHave(each))) return false
    }
    pass(5_000)
    return all.every(each => has(each) || each.refused !== undefined)
  }))
})
