// Who shares an answer of the upstream with whom, under every order of coming and answering.
import fc from 'fast-check'
import t from 'tap'
import { createFlights } from '../../src/upstream/flights.ts'

interface Begun { readonly at: number, readonly alone: boolean, land (result: string): void, crash (error: Error): void }

function lab (): { begun: Begun[], join: (key: string) => Promise<string>, turn: () => Promise<void> } {
  const flights = createFlights<string>()
  const begun: Begun[] = []
  let clock = 0
  return {
    begun,
    join: async key => await flights.join(key, async alone => await new Promise((resolve, reject) => { begun.push({ at: clock++, alone, land: resolve, crash: reject }) })),
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

await t.test('a failure is that of who was on it, and the next one flies', async t => {
  const { begun, join, turn } = lab()
  const [first, second] = [join('a'), join('a')]
  begun[0]?.crash(new Error('away'))
  await t.rejects(first, /away/)
  await turn()
  begun[1]?.land('two')
  t.equal(await second, 'two')
})

await t.test('the next one begins before the answers of the last one are given, and those are given a few in a turn', async t => {
  const { begun, join, turn } = lab()
  const first = join('a')
  const got: number[] = []
  const group = Array.from({ length: 20 }, async () => {
    await join('a')
    got.push(begun.length)
  })
  begun[0]?.land('one')
  await first
  await turn()
  const last = join('a')
  begun[1]?.land('two')
  await new Promise(resolve => { process.nextTick(resolve) })
  const atOnce = got.length
  await turn()
  const afterOneTurn = got.length
  await Promise.all(group)
  t.same([atOnce, afterOneTurn, got.length], [8, 16, 20])
  t.ok(got.every(flights => flights === 3), 'the upstream was asked before anybody was answered')
  begun[2]?.land('three')
  t.equal(await last, 'three')
})

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
        const joined = flights.join('k', async () => await new Promise<number>((resolve, reject) => { running.push({ at: clock, resolve, reject }) }))
        checks.push(joined.then(at => { if (at < came) throw new Error(`asked at ${at}, came at ${came}`) }, error => { if (!/away/.test(String(error))) throw error }))
      }
      most = Math.max(most, running.length)
    }
    while (running.length > 0) await land(false)
    await Promise.all(checks)
    return most <= 1
  }))
})
