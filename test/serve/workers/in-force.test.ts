// What the primary goes by comes to each worker, in order, and it hears who has it.
import t from 'tap'
import type { InForce } from '../../../src/live/hand-over.ts'
import { createInForceOffice, hearInForce, type Heard } from '../../../src/serve/workers/in-force.ts'
import { fakeWorker, manualTimers, settled, type FakeWorker } from '../../helpers/channels.ts'

interface Lab {
  readonly office: ReturnType<typeof createInForceOffice>
  readonly timers: ReturnType<typeof manualTimers>
  /** What is in force in the primary; a test says whether somebody is told. */
  revoked: string[]
}

const MANY = Array.from({ length: 1_000 }, (_, i) => `token ${i}`)

/** Of what is in force, this part stands for all others. */
function lab (): Lab {
  const timers = manualTimers()
  let told: string[] | undefined
  const made: Lab = {
    timers,
    revoked: ['a'],
    office: createInForceOffice({
      whole: () => ({ revoked: made.revoked }) as unknown as InForce,
      changes () {
        const isSame = told === made.revoked
        told = made.revoked
        return isSame ? {} : { revoked: made.revoked }
      },
      later: timers.later
    })
  }
  return made
}

interface Begun extends FakeWorker {
  readonly heard: Heard
  /** Each state that it went by. */
  readonly states: (readonly string[] | undefined)[]
}

function begin ({ office }: Lab, pid: number | undefined): Begun {
  const fake = fakeWorker(1)
  const process = { ...fake.process, pid }
  const heard = hearInForce(fake.own)
  const states: Begun['states'] = []
  void heard.whole.then(({ revoked }) => { states.push(revoked) })
  office.begin(process)
  return { ...fake, process, heard, states }
}

const goOn = async ({ heard, states }: Begun): Promise<void> => { await heard.follow(async ({ revoked }) => { states.push(revoked) }) }

await t.test('who begins gets the whole, and then each change, in order and as it is by then', async t => {
  const each = lab()
  const first = begin(each, 11)
  each.revoked = MANY // the whole is of when it is sent
  each.office.tell()
  const second = begin(each, 12)
  await settled()
  t.same([first, second].map(({ states }) => states), [[MANY], [MANY]])
  await goOn(first)
  t.same(first.states, [MANY, MANY], 'what came before it could put it in force is not lost')
  each.office.join(first.process)
  each.revoked = ['b']
  each.office.tell()
  each.office.tell() // nothing has changed since
  await settled()
  await goOn(second)
  t.same([first.states.at(-1), second.states], [['b'], [MANY, ['b']]])
  t.equal(first.states.length, 3)
  t.ok(first.sent.every(message => message.kind !== 'in_force' || message.piece.kind === 'rest' || message.piece.items.length <= 200))
})

await t.test('who asks hears when all of them go by what was told', async t => {
  const each = lab()
  const [first, second] = [begin(each, 11), begin(each, 12)]
  await goOn(first)
  each.revoked = MANY
  each.office.tell()
  let behind: readonly number[] | undefined
  const asked = each.office.behind().then(pids => { behind = pids })
  await settled()
  t.equal(behind, undefined, 'one that begins has to say it too')
  await goOn(second)
  await asked
  t.same([behind, first.states.at(-1), second.states.at(-1)], [[], MANY, MANY])
  second.own.send({ kind: 'up_to_date', id: 1 }) // twice
  second.own.send({ kind: 'joined' })
  await settled()
  t.same(each.timers.waiting(), [])
})

await t.test('who says nothing in time is named, and who has ended holds nobody up', async t => {
  const each = lab()
  const [first, second] = [begin(each, 11), begin(each, 12)]
  begin(each, 13)
  begin(each, undefined) // one that never began has no number to be named by
  await goOn(first)
  const asked = each.office.behind()
  await settled()
  each.office.leave(second.process)
  each.timers.fire()
  t.same(await asked, [13])
  const again = each.office.behind()
  await settled()
  each.timers.fire()
  t.same(await again, [13], 'and again')
})

await t.test('one that ends before it was told anything is told nothing, and without workers nobody is waited for', async t => {
  const each = lab()
  const only = begin(each, 11)
  each.office.leave(only.process)
  t.same(await each.office.behind(), [])
  t.same(only.sent, [])
})

await t.test('one that cannot put something in force says that to who waits for it', async t => {
  const each = lab()
  const only = begin(each, 11)
  each.revoked = ['b']
  each.office.tell()
  await settled()
  await t.rejects(only.heard.follow(async () => { throw new Error('no memory') }), { message: 'no memory' })
})

/** So many changes, one after the other. */
async function change (each: Lab, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    each.revoked = [...MANY, `change ${i}`]
    each.office.tell()
    await settled()
  }
}

await t.test('one that takes nothing is told no more than it was, and all of it when it goes on', async t => {
  const each = lab()
  const [first, second] = [begin(each, 11), begin(each, 12)]
  await Promise.all([goOn(first), goOn(second)])
  await settled()
  const goesOn = first.stop()
  const before = first.sent.length
  await change(each, 20)
  t.same([first.sent.length - before, second.states.at(-1)], [7, each.revoked], 'one change, and the others have them all')
  let behind: readonly number[] | undefined
  const asked = each.office.behind().then(pids => { behind = pids })
  await settled()
  t.equal(behind, undefined)
  goesOn()
  await asked
  t.same([behind, first.states.at(-1)], [[], each.revoked])
  await change(each, 1)
  t.same(first.states.at(-1), each.revoked, 'and from then on what the others are told')
})

/** One that stands still, and two changes of which the second waits for it. */
async function oneThatStands (): Promise<{ each: ReturnType<typeof lab>, only: ReturnType<typeof begin>, goesOn: () => void }> {
  const each = lab()
  const only = begin(each, 11)
  await goOn(only)
  await settled()
  const goesOn = only.stop()
  await change(each, 2)
  return { each, only, goesOn }
}

await t.test('one that takes nothing is named to who asks, and told nothing when it has ended', async t => {
  const { each, only, goesOn } = await oneThatStands()
  const asked = each.office.behind()
  await settled()
  each.timers.fire()
  t.same(await asked, [11])
  const before = only.sent.length
  goesOn()
  each.office.leave(only.process)
  await settled()
  t.equal(only.sent.length, before)
})

await t.test('what changes while one is told what it missed is not lost', async t => {
  const { each, only, goesOn } = await oneThatStands()
  goesOn()
  each.revoked = ['b']
  each.office.tell() // before it is known that it goes on
  t.same([await each.office.behind(), only.states.at(-1)], [[], ['b']])
})

await t.test('one that ends while others are told, or while it is to be told what it missed, is waited for by nobody', async t => {
  const each = lab()
  const [first, second, third] = [begin(each, 11), begin(each, 12), begin(each, 13)]
  await Promise.all([first, second, third].map(goOn))
  await settled()
  const goesOn = first.stop()
  await change(each, 2)
  goesOn()
  each.revoked = MANY
  each.office.tell()
  await new Promise(resolve => { setImmediate(resolve) }) // the first of its pieces is sent
  const before = first.sent.length
  for (const { process } of [first, second]) each.office.leave(process)
  t.same([await each.office.behind(), third.states.at(-1), first.sent.length], [[], MANY, before])
})

await t.test('one that missed a change while it began goes by it before it may listen', async t => {
  const each = lab()
  const only = begin(each, 11)
  await only.heard.whole
  const goesOn = only.stop()
  await change(each, 2)
  each.revoked = ['b'] // of this it is told nothing while it stands still
  each.office.tell()
  await settled()
  goesOn()
  await goOn(only)
  t.same(only.states.at(-1), ['b'])
})
