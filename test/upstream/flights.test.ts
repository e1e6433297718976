// Who shares an answer of the upstream with whom, under every order of coming and answering.
import fc from 'fast-check'
import t from 'tap'
import type { Company } from '../../src/lib/company.ts'
import { ALWAYS_HERE, NobodyThere, createPresence, type Presence } from '../../src/lib/presence.ts'
import type { Asking } from '../../src/upstream/asker.ts'
import { createFlights } from '../../src/upstream/flights.ts'
import { someAsker } from '../helpers/askers.ts'

interface Begun { readonly alone: boolean, readonly company: Company<Asking>, land (result: string): void, crash (error: Error): void }

interface Lab {
  readonly begun: Begun[]
  join (key: string, presence?: Presence): Promise<string>
  turn (): Promise<void>
}

/** @param waits flights do not ask the upstream until the test lets them */
function lab ({ waits = false } = {}): Lab {
  const flights = createFlights<string>()
  const begun: Begun[] = []
  return {
    begun,
    join: async (key, presence = ALWAYS_HERE) => await flights.join(key, someAsker({ presence }), async company => await new Promise((resolve, reject) => {
      begun.push({ alone: !waits && company.begin(), company, land: resolve, crash: reject })
    })),
    turn: async () => { await new Promise(resolve => { setImmediate(resolve) }) }
  }
}

await t.test('one runs at a time for a key, and who comes while it runs shares the next one', async t => {
  const { begun, join, turn } = lab()
  const first = join('a')
  const [second, third] = [join('a'), join('a')]
  const other = join('b')
  await turn()
  t.equal(begun.length, 2, 'keys do not wait for each other')
  begun[0]?.land('one')
  t.equal(await first, 'one')
  await turn()
  t.equal(begun.length, 3)
  begun[2]?.land('two')
  t.same(await Promise.all([second, third]), ['two', 'two'])
  begun[1]?.land('b')
  t.equal(await other, 'b')
  t.same(begun.map(({ alone }) => alone), [true, true, false])
  const fourth = join('a')
  t.equal(begun.length, 4, 'after all have landed the next one begins at once')
  const fifth = join('a')
  begun[3]?.land('three')
  t.equal(await fourth, 'three')
  await turn()
  t.equal(begun[4]?.alone, true, 'who waited alone is told so')
  begun[4]?.land('four')
  t.equal(await fifth, 'four')
})

await t.test('who comes while one waits to be asked is on it, and who comes then is not', async t => {
  const { begun, join, turn } = lab({ waits: true })
  const together = [join('a'), join('a'), join('a')]
  await turn()
  t.equal(begun.length, 1)
  t.equal(begun[0]?.company.begin(), false)
  const late = join('a')
  begun[0]?.land('one')
  t.same(await Promise.all(together), ['one', 'one', 'one'])
  t.equal(begun[1]?.company.begin(), true)
  begun[1]?.land('two')
  t.equal(await late, 'two')
})

await t.test('nobody flies for those who have gone, and they are told so, and not remembered', async t => {
  const { begun, join, turn } = lab()
  const first = join('a')
  const presences = Array.from({ length: 5_000 }, createPresence)
  const left = presences.map(async presence => {
    const joined = join('a', presence)
    presence.leave()
    await t.rejects(joined, new NobodyThere())
  })
  const here = join('a')
  begun[0]?.land('one')
  await first
  await turn()
  t.ok(Number(begun[1]?.company.members.length) === 1, 'only who is there is on the next one')
  await Promise.all(left)
  const gone = createPresence()
  const last = join('a', gone)
  gone.leave()
  begun[1]?.land('two')
  t.equal(await here, 'two')
  await t.rejects(last, new NobodyThere(), 'also when there was nobody else')
  await turn()
  t.equal(begun.length, 2, 'and none flies for nobody')
  void join('a')
  t.equal(begun.length, 3)
})

await t.test('a failure is that of who was on it, and the next one flies', async t => {
  const { begun, join, turn } = lab()
  const [first, second] = [join('a'), join('a')]
  begun[0]?.crash(new Error('away'))
  await t.rejects(first, /away/)
  await turn()
  begun[1]?.land('two')
  t.equal(await second, 'two')
})

for (const [size, expected] of [[20, [8, 16]], [4_000, [1_000, 2_000, 3_000]]] as const) {
  await t.test(`the next one begins before the ${size} answers of the last one are given, and those are given in parts`, async t => {
    const { begun, join, turn } = lab()
    const first = join('a')
    const got: number[] = []
    const group = Array.from({ length: size }, async () => {
      await join('a')
      got.push(begun.length)
    })
    begun[0]?.land('one')
    await first
    await turn()
    const last = join('a')
    begun[1]?.land('two')
    await new Promise(resolve => { process.nextTick(resolve) })
    const counts = [got.length]
    while (counts.length < expected.length) {
      await turn()
      counts.push(got.length)
    }
    await Promise.all(group)
    t.same([...counts, got.length], [...expected, size])
    t.ok(got.every(flights => flights === 3), 'the upstream was asked before anybody was answered')
    begun[2]?.land('three')
    t.equal(await last, 'three')
  })
}

await t.test('nobody gets an answer that was asked for before they came, in any order of events', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.constantFrom('join', 'land', 'crash'), { maxLength: 40 }), async steps => {
    const flights = createFlights<number>()
    const running: { at: number, resolve: (at: number) => void, reject: (error: Error) => void }[] = []
    let clock = 0
    let most = 0
    const checks: Promise<unknown>[] = []
    const land = async (crash: boolean): Promise<void> => {
      const flight = running.shift()
      if (crash) flight?.reject(new Error('away'))
      else flight?.resolve(flight.at)
      await new Promise(resolve => { setImmediate(resolve) })
    }
    for (const step of steps) {
      clock++
      if (step !== 'join') await land(step === 'crash')
      else {
        const came = clock
        const joined = flights.join('k', someAsker(), async company => await new Promise<number>((resolve, reject) => {
          company.begin()
          running.push({ at: clock, resolve, reject })
        }))
        checks.push(joined.then(at => { if (at < came) throw new Error(`asked at ${at}, came at ${came}`) }, error => { if (!/away/.test(String(error))) throw error }))
      }
      most = Math.max(most, running.length)
    }
    while (running.length > 0) await land(false)
    await Promise.all(checks)
    return most <= 1
  }))
})
