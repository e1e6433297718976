import fc from 'fast-check'
import t from 'tap'
import { createFairQueue, type FairQueue, type Waiting } from '../../src/limits/fair-queue.ts'

interface One extends Waiting { readonly n: number }

interface Lab {
  readonly queue: FairQueue<One>
  time: number
  /** `a/x` is one from a for the account x. @returns the one for whom there is no room */
  add (...texts: string[]): string[]
  /** All that come now, in order, each taken out. */
  drain (): string
}

function lab ({ total = 100, ofOrigin = 100 } = {}): Lab {
  const text = ({ origin, account, n }: One): string => `${origin}/${account}${n}`
  let n = 0
  const state: Lab = {
    time: 0,
    queue: createFairQueue<One>({ room: { total, ofOrigin }, lately: 300, clock: () => state.time }),
    add: (...texts: string[]) => texts.flatMap(each => {
      const [origin = '', account = ''] = each.split('/')
      const out = state.queue.add({ origin, account, n: n++ })
      return out === undefined ? [] : [text(out)]
    }),
    drain () {
      const all: string[] = []
      for (let next; (next = state.queue.next()) !== undefined;) all.push(text(next))
      return all.join(' ')
    }
  }
  return state
}

await t.test('origins come in turn, in each its accounts, and of these the first first', t => {
  const { add, drain } = lab()
  add('a/x', 'a/x', 'a/x', 'a/y', 'b/x', 'c/z')
  t.equal(drain(), 'a/x0 b/x4 c/z5 a/y3 a/x1 a/x2')
  t.equal(drain(), '')
  t.end()
})

await t.test('who is taken out does not come, and taking out who is not in is nothing', t => {
  const { queue, add, drain } = lab()
  add('a/x', 'a/x')
  const one = { origin: 'b', account: 'x', n: 9 }
  for (const each of [{ ...one }, { ...one, origin: 'a' }, { ...one, origin: 'a', account: 'y' }]) queue.remove(each)
  queue.add(one)
  queue.remove(one)
  queue.remove(one)
  t.equal(drain(), 'a/x0 a/x1')
  t.end()
})

await t.test('an origin that was wrong comes after the others, until that is forgotten', t => {
  const state = lab()
  state.add('a/x', 'a/x')
  state.queue.remember('a', 'wrong')
  state.add('b/x', 'c/x', 'c/x')
  t.equal(state.drain(), 'b/x2 c/x3 c/x4 a/x0 a/x1')
  state.add('a/x', 'b/x')
  t.equal(state.drain(), 'b/x6 a/x5', 'also when it comes again')
  state.queue.remember('b', 'wrong')
  state.time = 299
  state.add('a/x', 'c/x')
  t.equal(state.drain(), 'c/x8 a/x7')
  state.time = 300
  state.add('a/x', 'c/x')
  t.equal(state.drain(), 'a/x9 c/x10')
  t.end()
})

await t.test('when there is no room, the newest of who has the most goes, and who comes where all have as many', t => {
  const { add, drain } = lab({ total: 5 })
  t.strictSame(add('a/x', 'a/x', 'a/y', 'a/y', 'a/y'), [])
  t.strictSame(add('b/x'), ['a/y4'])
  t.strictSame(add('b/x', 'c/x'), ['a/y3', 'a/x1'])
  t.strictSame(add('c/y', 'd/x'), ['c/y8', 'b/x6'])
  t.strictSame(add('e/x'), ['a/y2'])
  t.strictSame(add('f/x', 'a/z', 'c/x'), ['f/x11', 'a/z12', 'c/x13'], 'each has one')
  t.equal(drain(), 'a/x0 b/x5 c/x7 d/x9 e/x10')
  t.end()
})

await t.test('of one origin too there is room for so many, and its own many go', t => {
  const { add, drain } = lab({ ofOrigin: 3 })
  t.strictSame(add('a/x', 'a/x', 'a/x', 'a/x'), ['a/x3'])
  t.strictSame(add('a/y', 'a/z', 'a/w'), ['a/x2', 'a/x1', 'a/w6'])
  t.strictSame(add('b/x'), [])
  t.equal(drain(), 'a/x0 b/x7 a/y4 a/z5')
  t.end()
})

await t.test('who was wrong makes room for who is new, and never the other way round', t => {
  const { queue, add, drain } = lab({ total: 4 })
  add('a/x', 'b/x', 'b/x')
  queue.remember('a', 'wrong')
  add('c/x')
  t.strictSame(add('d/x'), ['a/x0'])
  queue.remember('e', 'wrong')
  t.strictSame(add('e/x'), ['e/x5'])
  t.strictSame(add('d/x'), ['d/x6'], 'as many as b')
  t.equal(drain(), 'b/x1 c/x3 d/x4 b/x2')
  t.end()
})

await t.test('an origin that was right comes before those of whom nothing is known, until it is wrong or that is forgotten', t => {
  const state = lab()
  state.queue.remember('c', 'right')
  state.add('a/x', 'b/x', 'c/x', 'c/x')
  t.equal(state.drain(), 'c/x2 c/x3 a/x0 b/x1')
  state.queue.remember('c', 'wrong')
  state.add('c/x', 'a/x')
  t.equal(state.drain(), 'a/x5 c/x4')
  state.queue.remember('c', 'right')
  state.add('a/x', 'c/x')
  t.equal(state.drain(), 'c/x7 a/x6')
  state.time = 300
  state.add('a/x', 'c/x')
  t.equal(state.drain(), 'a/x8 c/x9')
  t.end()
})

await t.test('who was right finds room among as many who are new', t => {
  const { queue, add, drain } = lab({ total: 3 })
  queue.remember('d', 'right')
  add('a/x', 'b/x', 'c/x')
  t.strictSame(add('d/x'), ['c/x2'])
  t.strictSame(add('d/x'), ['d/x4'], 'with two they have as much as everybody')
  t.equal(drain(), 'd/x3 a/x0 b/x1')
  t.end()
})

await t.test('what is remembered of origins is bounded', t => {
  const { queue, add, drain } = lab()
  queue.remember('b', 'right')
  for (let i = 0; i <= 10_000; i++) queue.remember(`a${i}`, 'wrong')
  add('a1/x', 'a0/x', 'b/x')
  t.equal(drain(), 'b/x2 a0/x1 a1/x0', 'the first that was wrong is forgotten, and nobody who was right')
  t.end()
})

await t.test('whatever comes and goes: nobody is lost, there is never more than there is room for, and everybody has a turn', t => {
  const origins = fc.constantFrom('a', 'b', 'c', 'd')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('add' as const), origin: origins, account: fc.constantFrom('x', 'y', 'z') }),
    fc.record({ kind: fc.constant('take' as const) }),
    fc.record({ kind: fc.constant('leave' as const), nth: fc.nat(20) }),
    fc.record({ kind: fc.constant('remember' as const), origin: origins, standing: fc.constantFrom('right' as const, 'wrong' as const) })
  )
  fc.assert(fc.property(fc.array(step, { maxLength: 120 }), steps => {
    const room = { total: 8, ofOrigin: 4 }
    const queue = createFairQueue<One>({ room, lately: 300, clock: () => 0 })
    const inside = new Set<One>()
    const of = (origin: string): number => [...inside].filter(one => one.origin === origin).length
    for (const [n, each] of steps.entries()) {
      if (each.kind === 'remember') queue.remember(each.origin, each.standing)
      else if (each.kind === 'add') {
        const one = { n, origin: each.origin, account: each.account }
        inside.add(one)
        const out = queue.add(one)
        const mustGo = inside.size > room.total || of(each.origin) > room.ofOrigin
        if ((out !== undefined) !== mustGo || (out !== undefined && !inside.delete(out))) return false
      } else {
        const one = each.kind === 'take' ? queue.next() : [...inside][each.nth]
        if (one === undefined) continue
        queue.remove(one) // which is nothing for who was taken
        if (!inside.delete(one)) return false
      }
      const listed = [...inside].filter(one => [...queue.pair(one)].includes(one))
      if (listed.length !== inside.size) return false
    }
    for (let left = inside.size; left > 0; left--) {
      const next = queue.next()
      if (next === undefined || !inside.delete(next)) return false
    }
    return queue.next() === undefined
  }), { numRuns: 300 })
  t.end()
})
