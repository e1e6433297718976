// Which address follows the first? Told from what it shows of changes, and from nothing else.
import t from 'tap'
import { RefusalError } from '../../src/http/errors.ts'
import type { UpstreamAnswer } from '../../src/upstream/answers.ts'
import { GONE, type ToldChange } from '../../src/upstream/change.ts'
import type { Question } from '../../src/upstream/client.ts'
import { createFollower, ENOUGH, type Follower, type FollowerState } from '../../src/upstream/follower.ts'
import { aChange } from '../helpers/changes.ts'
import { manualBeats, settled } from '../helpers/channels.ts'

/** What an address says of a version: its digest, or another answer. */
type Says = string | UpstreamAnswer | Error

interface Lab {
  readonly follower: Follower
  readonly heard: FollowerState[]
  /** Who was asked, in order. */
  readonly asked: ('first' | 'other')[]
  /** What they say from now on; of several, one after the other, or by the version. */
  first: Says | Says[]
  other: Says | Says[] | ((version: string) => Says)
  /** Sees a change to its end. */
  see (change?: Partial<ToldChange>): Promise<void>
  /** It is asked again for what it could not say. */
  again (): Promise<void>
  /** How many wait for that. */
  waiting (): number
}

const whole = (body: string, status = 200): UpstreamAnswer => ({ kind: 'whole', status, headers: {}, body: Buffer.from(body) })
const NONE = whole('{"error":"no chart version found"}', 404)

let count = 0
function lab (later = (_ms: number, run: () => void): (() => void) => { setImmediate(run); return () => {} }, clock = (): number => 0): Lab {
  const ask = (who: 'first' | 'other') => async ({ target }: Question): Promise<UpstreamAnswer> => {
    each.asked.push(who)
    const says = each[who]
    const next = typeof says === 'function' ? says(target.version as string) : Array.isArray(says) ? (says.length > 1 ? says.shift() : says[0]) as Says : says
    if (next instanceof Error) throw next
    return typeof next === 'string' ? whole(JSON.stringify({ version: target.version, digest: next })) : next
  }
  const heard: FollowerState[] = []
  const { every, beat, count: waiting } = manualBeats()
  const each: Lab = {
    heard,
    asked: [],
    first: NONE,
    other: NONE,
    follower: createFollower({ first: { ask: ask('first') }, other: { ask: ask('other') }, later, every, clock, onChange: state => { heard.push(state) } }),
    async see (change = {}) {
      const digest = 'became' in change ? change.became : String(++count)
      const isHere = each.other === NONE && digest !== undefined && digest !== GONE
      if (isHere) each.other = digest
      await each.follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: '1.0.0', became: digest, isNew: true, isShown: true, ...change })
      await settled()
      if (isHere) each.other = NONE
    },
    async again () {
      beat()
      await settled()
    },
    waiting
  }
  return each
}

/** One whose pauses between two looks a test may hold, and let end. */
function pausing (): { readonly each: Lab, readonly pauses: { areHeld: boolean }, goOn (): Promise<void> } {
  const held: (() => void)[] = []
  const pauses = { areHeld: false }
  const each = lab((_ms, run) => {
    if (pauses.areHeld) held.push(run)
    else setImmediate(run)
    return () => {}
  })
  return {
    each,
    pauses,
    async goOn () {
      for (const go of held.splice(0)) go()
      await settled()
    }
  }
}

/** One that follows already. */
async function following (): Promise<Lab> {
  const each = lab()
  for (let i = 0; i <= ENOUGH; i++) await each.see()
  t.equal(each.follower.state(), 'follows')
  each.asked.length = 0
  return each
}

await t.test('an address follows when it has shown several pushes in a row to a tenant that it was asked for before', async t => {
  const each = lab()
  t.equal(each.follower.state(), 'unproven')
  for (let i = 0; i < ENOUGH; i++) await each.see({ tenant: `org1/other${i}` })
  t.equal(each.follower.state(), 'unproven', 'who is asked for a tenant for the first time makes its index then, whatever it keeps')
  await each.see({ tenant: 'org1/other0' })
  await each.see({ tenant: 'org1/other0', isNew: false })
  t.equal(each.follower.state(), 'unproven', 'what was there before says nothing')
  await each.see({ tenant: 'org1/other1' })
  t.equal(each.follower.state(), 'unproven', 'nor does one push to each of several: it may have been started again, and makes the index of each then')
  await each.see({ tenant: 'org1/other0' })
  t.equal(each.follower.state(), 'follows')
  t.strictSame(each.asked, Array.from({ length: ENOUGH + 4 }, () => 'other'), 'the first is not asked for what it did')
  await each.see({ became: GONE, chart: 'other' })
  t.strictSame(each.heard, ['follows'])
})

await t.test('what is deleted is gone there, and another version that fits is none', async t => {
  const each = await following()
  each.other = NONE
  await each.follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: '1.0.0', became: GONE, isNew: true, isShown: true })
  each.other = whole('{"version":"2.0.0","digest":"x"}')
  await each.follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: '1.0.0', became: GONE, isNew: true, isShown: true })
  t.strictSame([each.follower.state(), each.asked], ['follows', ['other', 'other']])
})

await t.test('one that does not show what the first shows is behind, before the change is answered', async t => {
  const each = await following()
  each.other = 'old'
  each.first = 'new'
  await each.follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: '1.0.0', became: 'new', isNew: true, isShown: true })
  t.equal(each.follower.state(), 'behind')
  t.strictSame(each.asked, Array.from({ length: 4 }, () => ['other', 'first']).flat(), 'it is asked again, in case it was asked a moment too early')
  each.other = NONE
  await each.see({ version: '2.0.0' })
  t.equal(each.follower.state(), 'behind', 'one change is not enough')
  each.other = version => version === '1.0.0' ? 'new' : 'two'
  await each.see({ version: '2.0.0', became: 'two' })
  t.equal(each.follower.state(), 'follows')
  t.strictSame(each.heard, ['follows', 'behind', 'follows'])
})

await t.test('what it did not show it has to show before it follows again, whatever it shows of other tenants', async t => {
  const each = await following()
  each.other = 'old'
  each.first = 'new'
  await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'behind')
  each.other = version => version === '1.0.0' ? 'old' : 'two'
  for (let i = 0; i <= 3 * ENOUGH; i++) await each.see({ tenant: 'org2/repo2', version: '2.0.0', became: 'two' })
  t.strictSame([each.follower.state(), each.follower.isFresh()], ['behind', false])
  each.follower.doubt()
  each.other = version => version === '1.0.0' ? CANNOT_SAY : 'two'
  for (let i = 0; i <= ENOUGH; i++) await each.see({ tenant: 'org2/repo2', version: '2.0.0', became: 'two' })
  t.equal(each.follower.state(), 'behind')
  each.other = version => version === '1.0.0' ? 'new' : 'two'
  for (let i = 0; i < ENOUGH; i++) await each.see({ tenant: 'org2/repo2', version: '2.0.0', became: 'two' })
  t.equal(each.follower.state(), 'follows')
})

await t.test('what comes while it shows that lets it begin anew', async t => {
  const each = await following()
  each.other = 'old'
  each.first = 'new'
  await each.see({ became: 'new' })
  each.other = 'two'
  for (let i = 1; i < ENOUGH; i++) await each.see({ version: '2.0.0', became: 'two' })
  each.other = version => {
    if (version === '1.0.0') each.follower.doubt()
    return version === '1.0.0' ? 'new' : 'two'
  }
  await each.see({ version: '2.0.0', became: 'two' })
  t.equal(each.follower.state(), 'behind')
})

await t.test('of one version that several change at once nobody is behind', async t => {
  const each = await following()
  // Each is asked before the other one's change, and after it.
  each.other = [GONE, 'new', GONE, 'new'].map(says => says === GONE ? NONE : says)
  each.first = ['new', NONE, 'new', NONE]
  await each.see({ became: 'newer' })
  t.strictSame([each.follower.state(), each.waiting()], ['unproven', 1], 'it has to show it all the same')
  each.other = each.first = 'newest'
  await each.again()
  t.equal(each.follower.state(), 'follows')

  each.other = 'old'
  each.first = 'new'
  await Promise.all(['new', 'newer'].map(async became => { await each.see({ became }) }))
  t.strictSame(each.heard.at(-1), 'behind', 'the last one has to be shown')
})

await t.test('whoever made a change does not wait for an address that takes its time', async t => {
  let now = 0
  const each = lab((_ms, run) => { setImmediate(run); return () => {} }, () => now)
  for (let i = 0; i <= ENOUGH; i++) await each.see()
  each.asked.length = 0
  each.other = () => {
    now += 2_100
    return 'old'
  }
  each.first = 'new'
  await each.see({ became: 'new' })
  t.strictSame([each.follower.state(), each.waiting(), each.asked], ['unproven', 1, ['other', 'first']])
})

await t.test('it is not behind a first that shows the change a moment later itself', async t => {
  const each = await following()
  each.other = ['old', 'old', 'new']
  each.first = 'old'
  await each.see({ became: 'new' })
  t.strictSame([each.follower.state(), each.asked], ['follows', ['other', 'first', 'other', 'first', 'other']])
  each.other = 'old'
  await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'follows', 'nor when the first does not show it in the end: it is as fresh as that')
  each.other = ['old', 'new']
  each.first = 'new'
  await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'follows', 'nor when it comes between two questions')
})

await t.test('of a change of which nobody knows what came of it, both say the same', async t => {
  const each = await following()
  for (const [first, other, state] of [['a', 'a', 'follows'], [NONE, NONE, 'follows'], ['a', 'b', 'behind']] as const) {
    Object.assign(each, { first, other })
    await each.follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: '1.0.0', became: undefined, isNew: false, isShown: true })
    t.equal(each.follower.state(), state)
  }
})

await t.test('a first that goes away in the middle of a change takes nothing from who follows', async t => {
  const each = await following()
  each.first = new RefusalError({ code: 'upstream_unreachable' })
  each.other = 'old'
  await each.see({ became: undefined })
  t.equal(each.follower.state(), 'follows')
  await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'behind', 'but what it said is done has to be shown')
})

await t.test('one that says nothing is not read from until it has shown what it owes', async t => {
  for (const other of [new RefusalError({ code: 'upstream_away' }), whole('no JSON'), { ...whole(''), kind: 'left' } as unknown as UpstreamAnswer]) {
    const each = await following()
    each.other = other
    await each.see({ became: 'new' })
    t.equal(each.follower.state(), 'unproven')
    await each.again()
    t.strictSame([each.follower.state(), each.waiting()], ['unproven', 1])
    each.other = 'new'
    await each.again()
    t.strictSame([each.follower.state(), each.waiting()], ['follows', 0])

    const unread = lab()
    for (let i = 0; i < ENOUGH; i++) await unread.see()
    unread.other = other
    await unread.see()
    unread.other = NONE
    for (let i = 0; i < ENOUGH; i++) await unread.see()
    t.strictSame([unread.follower.state(), unread.waiting()], ['unproven', 0], 'one that was not read from may have been started again')
    await unread.see()
    t.equal(unread.follower.state(), 'follows')
  }
  const each = await following()
  each.other = whole('null')
  each.first = NONE
  await each.see({ became: undefined })
  t.equal(each.follower.state(), 'follows', 'an entry that says nothing is none')
})

await t.test('one that cannot say it for a moment, since files go while it lists them, is asked again', async t => {
  const each = await following()
  each.other = [whole('', 500), whole('', 500), 'new']
  await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'follows')
  each.other = ['old', whole('', 500), 'old', 'new']
  each.first = whole('', 500)
  await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'follows', 'also where the first cannot say it either')
  each.other = [whole('', 500), 'old']
  each.first = 'new'
  await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'behind', 'and has to show it all the same')
})

const CANNOT_SAY = whole('', 500)

await t.test('one that cannot say it for longer is read from again when it has shown that and all that came since', async t => {
  const each = await following()
  const [one, other] = ['1.0.0', '2.0.0'].map(version => ({ version, became: 'new' })) as [Partial<ToldChange>, Partial<ToldChange>]
  each.other = CANNOT_SAY
  await each.see({ ...one, became: 'old' })
  t.equal(each.follower.state(), 'unproven')
  t.equal(each.waiting(), 1)
  await each.see({ ...one, became: undefined })
  await each.see(one)
  await each.see(other)
  await each.again()
  t.strictSame([each.follower.state(), each.waiting()], ['unproven', 1])
  each.other = ['new', 'new', CANNOT_SAY]
  each.first = new RefusalError({ code: 'upstream_unreachable' })
  await each.again()
  t.equal(each.follower.state(), 'unproven', 'some are not all')
  each.other = 'new'
  await Promise.all([each.again(), each.again()])
  t.strictSame([each.follower.state(), each.follower.isFresh(), each.waiting()], ['follows', true, 0], 'no new change was needed, and the first is away')
  each.other = each.first = NONE
  await each.see()
  t.equal(each.follower.state(), 'follows')
})

await t.test('of changes of one version that overlapped it owes the one that the first showed, or the last one', async t => {
  const away = new RefusalError({ code: 'upstream_unreachable' })
  const cases: ReadonlyArray<readonly [string, ReadonlyArray<Partial<ToldChange>>, Says, FollowerState]> = [
    ['a push that was heard of after the delete behind it', [{ became: GONE }, { became: 'A', isShown: false }], 'A', 'unproven'],
    ['the same, and it is gone', [{ became: GONE }, { became: 'A', isShown: false }], NONE, 'unproven'],
    ['and once more', [{ became: GONE }, { became: 'A', isShown: false }, { became: 'B', isShown: false }], 'B', 'unproven'],
    ['and then one that was shown', [{ became: GONE }, { became: 'A', isShown: false }, { became: 'B' }], 'B', 'follows'],
    ['one behind the other', [{ became: GONE }, { became: 'A' }], 'A', 'follows'],
    ['neither was shown', [{ became: 'A', isShown: false }, { became: 'B', isShown: false }], 'B', 'follows']
  ]
  for (const [what, changes, says, state] of cases) {
    for (const isRight of [true, false]) {
      const each = await following()
      each.other = CANNOT_SAY
      for (const change of changes) await each.see(change)
      each.first = away
      each.other = says
      await each.again()
      t.equal(each.follower.state(), state, what)
      each.first = isRight ? says : 'what it is'
      if (state === 'unproven') await each.again()
      t.equal(each.follower.state(), state === 'unproven' && !isRight ? 'behind' : 'follows', `${what}: the first says what it is`)
    }
  }

  // The look for the first of two ends later.
  const { each, pauses, goOn } = pausing()
  for (let i = 0; i <= ENOUGH; i++) await each.see()
  pauses.areHeld = true
  each.other = CANNOT_SAY
  const first = each.see({ became: 'A' })
  await settled()
  each.other = away
  await each.see({ became: GONE })
  await goOn()
  await first
  each.first = away
  each.other = 'A'
  await each.again()
  for (let i = 0; i < 3; i++) await goOn()
  t.equal(each.follower.state(), 'behind')
})

await t.test('of a change whose version was changed once more while it was looked for, the first alone says what it is now', async t => {
  const away = new RefusalError({ code: 'upstream_unreachable' })
  for (const says of [CANNOT_SAY, away]) {
    for (const isRight of [true, false]) {
      const { each, pauses, goOn } = pausing()
      for (let i = 0; i <= ENOUGH; i++) await each.see()
      pauses.areHeld = true
      each.other = CANNOT_SAY
      const overtaken = each.see({ became: 'A' })
      await settled()
      each.other = 'B'
      await each.see({ became: 'B' })
      t.equal(each.follower.state(), 'follows')
      each.other = says
      for (let i = 0; i < 3; i++) await goOn()
      await overtaken
      pauses.areHeld = false
      t.strictSame([each.follower.state(), each.waiting()], ['unproven', 1])
      each.first = away
      each.other = 'B'
      await each.again()
      t.equal(each.follower.state(), 'unproven', 'it is not behind because it does not show what was before')
      each.first = isRight ? 'B' : 'C'
      await each.again()
      t.equal(each.follower.state(), isRight ? 'follows' : 'behind')
    }
  }
})

await t.test('what it lacks is all that it owed, or was asked for when it fell behind, or came since', async t => {
  const proves = async (each: Lab): Promise<void> => { for (let i = 0; i <= ENOUGH; i++) await each.see({ tenant: 'org2/repo2', version: '9.0.0', became: 'nine' }) }
  const ways: Readonly<Record<string, (each: Lab) => Promise<void>>> = {
    async 'it owed two' (each) {
      each.other = CANNOT_SAY
      for (const version of ['1.0.0', '2.0.0']) await each.see({ version, became: 'new' })
      each.other = 'old'
      each.first = 'new'
      await each.again()
    },
    async 'it was asked for two' (each) {
      each.first = 'new'
      each.other = version => version === '1.0.0' ? 'old' : CANNOT_SAY
      const [one, other] = ['1.0.0', '2.0.0'].map(async version => { await each.see({ version, became: 'new' }) })
      await Promise.all([one, other])
    },
    async 'it could not say one when it had fallen behind' (each) {
      each.first = 'new'
      each.other = 'old'
      await each.see({ version: '1.0.0', became: 'new' })
      each.other = CANNOT_SAY
      await each.see({ version: '2.0.0', became: 'new' })
    },
    async 'one came while another was looked for' (each) {
      each.first = 'new'
      each.other = 'old'
      await each.see({ version: '1.0.0', became: 'new' })
      await Promise.all(['3.0.0', '2.0.0'].map(async version => { await each.see({ version, became: 'new' }) }))
    }
  }
  for (const [what, way] of Object.entries(ways)) {
    const each = await following()
    await way(each)
    each.first = 'new'
    each.other = version => version === '2.0.0' ? 'old' : version === '9.0.0' ? 'nine' : 'new'
    await proves(each)
    t.equal(each.follower.state(), 'behind', what)
    each.other = version => version === '9.0.0' ? 'nine' : 'new'
    await proves(each)
    t.equal(each.follower.state(), 'follows', what)
  }
})

await t.test('it lacks also what it could not say when it had fallen behind meanwhile', async t => {
  const { each, pauses, goOn } = pausing()
  for (let i = 0; i <= ENOUGH; i++) await each.see()
  pauses.areHeld = true
  each.first = 'new'
  each.other = version => version === '1.0.0' ? 'old' : CANNOT_SAY
  const one = each.see({ became: 'new' })
  await settled()
  await goOn()
  const two = each.see({ version: '2.0.0', became: 'new' })
  await settled()
  for (let i = 0; i < 4; i++) await goOn()
  await Promise.all([one, two])
  pauses.areHeld = false
  t.strictSame([each.follower.state(), each.waiting()], ['behind', 0])
  each.other = version => version === '2.0.0' ? 'old' : 'new'
  for (let i = 0; i <= ENOUGH; i++) await each.see({ tenant: 'org2/repo2', version: '9.0.0', became: 'new' })
  t.equal(each.follower.state(), 'behind')
  each.other = 'new'
  for (let i = 0; i <= ENOUGH; i++) await each.see({ tenant: 'org2/repo2', version: '9.0.0', became: 'new' })
  t.equal(each.follower.state(), 'follows')
})

await t.test('what nobody was told of lets nobody begin anew', async t => {
  const each = lab()
  for (let i = 0; i < ENOUGH; i++) await each.see()
  each.other = 'new'
  await Promise.all([each.see({ became: 'new' }), each.see({ version: '2.0.0', became: undefined })])
  t.equal(each.follower.state(), 'follows')
})

await t.test('what nobody was told of it need not show, and of what is more than is remembered nothing says that it has it', async t => {
  const proves = async (each: Lab): Promise<void> => {
    each.other = 'new'
    for (let i = 0; i <= ENOUGH; i++) await each.see({ tenant: 'org2/repo2', version: '9.0.0', became: 'new' })
  }
  const each = await following()
  each.first = NONE
  each.other = 'stored, and not listed'
  await each.see({ became: undefined })
  t.equal(each.follower.state(), 'behind')
  await proves(each)
  t.equal(each.follower.state(), 'follows')
  each.first = 'new'
  each.other = 'old'
  await Promise.all(Array.from({ length: 10_001 }, async (_, i) => { await each.follower.see(aChange('org1/repo1', { version: `2.${i}.0`, became: 'new' })) }))
  await settled()
  t.equal(each.follower.state(), 'behind')
  await proves(each)
  t.equal(each.follower.state(), 'behind')
})

await t.test('of what it owes one change that it does not show is enough to read nothing there', async t => {
  const each = await following()
  each.other = CANNOT_SAY
  await each.see({ became: 'new' })
  await each.see({ version: '2.0.0', became: 'new' })
  each.other = 'old'
  await each.again()
  t.strictSame([each.follower.state(), each.waiting()], ['behind', 0])
})

await t.test('what is owed is asked for once more when nobody knows what changed, and when it is too much, before it follows', async t => {
  for (const forget of [
    async (each: Lab) => { each.follower.doubt() },
    async (each: Lab) => await Promise.all(Array.from({ length: 1_000 }, async (_, i) => { await each.follower.see(aChange('org1/repo1', { version: `2.${i}.0`, became: 'new' })) }))
  ]) {
    const each = await following()
    each.other = CANNOT_SAY
    await each.see({ became: 'new' })
    each.other = version => version === '9.0.0' ? 'new' : CANNOT_SAY
    const asked = each.again() // it is being asked meanwhile
    await forget(each)
    await asked
    t.strictSame([each.follower.state(), each.waiting()], ['unproven', 0])
    const prove = async (): Promise<void> => { for (let i = 0; i <= ENOUGH; i++) await each.see({ version: '9.0.0', became: 'new' }) }
    await prove()
    t.equal(each.follower.state(), 'unproven')
    each.other = 'new'
    await prove()
    t.equal(each.follower.state(), 'follows', 'it has shown new ones, and those')
  }
})

await t.test('changes at once of which it can say some, and not others', async t => {
  const each = await following()
  const see = async (...versions: string[]): Promise<void> => {
    await Promise.all(versions.map(async version => { await each.follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version, became: 'new', isNew: true, isShown: true }) }))
  }
  each.first = 'old'
  each.other = version => version === '1.0.0' ? CANNOT_SAY : 'old'
  await see('1.0.0', '2.0.0')
  t.strictSame([each.follower.state(), each.waiting()], ['unproven', 1], 'who comes to an end after that proves nothing of it')
  each.other = 'new'
  await each.again()
  t.equal(each.follower.state(), 'follows')
  each.other = CANNOT_SAY
  await see('3.0.0', '4.0.0')
  each.other = version => version === '3.0.0' ? 'new' : CANNOT_SAY
  await each.again()
  t.equal(each.follower.state(), 'unproven', 'both are owed')
})

await t.test('one that cannot say it while it has to show that it follows begins anew', async t => {
  const each = lab()
  for (let i = 0; i < ENOUGH; i++) await each.see()
  each.other = CANNOT_SAY
  await each.see({ became: 'new' })
  each.other = NONE
  await each.see()
  t.strictSame([each.follower.state(), each.waiting()], ['unproven', 0])
  await each.see()
  t.equal(each.follower.state(), 'follows')
})

await t.test('one that follows is not read from while what was answered is looked for there', async t => {
  const each = await following()
  t.ok(each.follower.isFresh())
  const see = async (became: string | undefined): Promise<boolean> => {
    each.other = each.first = 'x'
    const seen = each.follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: '1.0.0', became, isNew: false, isShown: true })
    const meanwhile = each.follower.isFresh()
    await seen
    return meanwhile
  }
  t.notOk(await see('x'))
  t.ok(each.follower.isFresh())
  t.ok(await see(undefined), 'of what failed nobody was told that it is so')
  each.first = 'y'
  await each.see({ became: 'y' })
  t.strictSame([each.follower.state(), each.follower.isFresh()], ['behind', false])
})

await t.test('when nobody knows what changed, it has to show anew that it follows', async t => {
  const each = await following()
  each.follower.doubt()
  t.equal(each.follower.state(), 'unproven')
  for (let i = 1; i < ENOUGH; i++) await each.see()
  each.follower.doubt()
  for (let i = 1; i < ENOUGH; i++) await each.see()
  t.equal(each.follower.state(), 'unproven')
  await each.see()
  t.equal(each.follower.state(), 'follows')
  for (let i = 0; i < 2; i++) { // the second time while it is looked at
    each.follower.doubt()
    const seen = each.see()
    each.follower.doubt()
    await seen
  }
  for (let i = 1; i < ENOUGH; i++) await each.see()
  t.equal(each.follower.state(), 'unproven', 'what is shown meanwhile counts for nothing')
  each.other = 'old'
  each.first = 'new'
  await each.see({ became: 'new' })
  each.follower.doubt()
  t.equal(each.follower.state(), 'behind', 'and one that was behind is so still')
})

await t.test('nobody waits for one that is not read from, and changes that it was not asked about count for nothing', async t => {
  const waiting: (() => void)[] = []
  const each = lab((_ms, run) => { waiting.push(run); return () => {} })
  each.other = 'new'
  await each.see({ became: 'new' })
  each.first = each.other = 'old'
  const change: ToldChange = { tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: '1.0.0', became: 'new', isNew: true, isShown: true }
  await each.follower.see(change)
  await settled()
  t.equal(waiting.length, 1, 'it is still being looked for')
  await each.follower.see(change)
  each.other = 'new'
  waiting[0]?.()
  await settled()
  for (let i = 1; i < ENOUGH; i++) await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'unproven')
  await each.see({ became: 'new' })
  t.equal(each.follower.state(), 'follows')
})

/** The storage, and an address that has an index of its own, which it makes when it is first asked for. */
interface OwnIndex {
  readonly follower: Follower
  readonly storage: Set<string>
  /** Undefined: it was not asked yet. */
  index (): ReadonlySet<string> | undefined
  push (version: string): Promise<void>
  remove (version: string): Promise<void>
}

function ownIndex (): OwnIndex {
  const storage = new Set<string>()
  let index: Set<string> | undefined
  const says = (versions: ReadonlySet<string>, { target: { version } }: Question): UpstreamAnswer =>
    versions.has(version as string) ? whole(JSON.stringify({ version, digest: version })) : NONE
  const follower = createFollower({
    first: { ask: async question => says(storage, question) },
    other: {
      async ask (question) {
        index ??= new Set(storage)
        return says(index, question)
      }
    },
    later: (_ms, run) => { setImmediate(run); return () => {} },
    every: manualBeats().every,
    clock: () => 0,
    onChange () {}
  })
  const see = async (version: string, became: string): Promise<void> => {
    await follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version, became, isNew: true, isShown: true })
    await settled()
  }
  return {
    follower,
    storage,
    index: () => index,
    async push (version) {
      storage.add(version)
      await see(version, version)
    },
    async remove (version) {
      storage.delete(version)
      await see(version, GONE)
    }
  }
}

await t.test('one with an index of its own does not follow because what it never listed is deleted', async t => {
  const { follower, index, push, remove } = ownIndex()
  for (const version of ['1.0.0', '1.0.1', '1.0.2', '1.0.3']) await push(version)
  t.equal(follower.state(), 'behind')
  for (const version of ['1.0.1', '1.0.2']) await remove(version)
  t.notOk(index()?.has('1.0.3'))
  t.equal(follower.state(), 'behind')
})

await t.test('nor because what it lists still, and was deleted, is pushed again', async t => {
  const { follower, storage, index, push, remove } = ownIndex()
  const versions = ['1.0.1', '1.0.2', '1.0.3']
  for (const version of versions) storage.add(version)
  await push('1.0.0')
  for (const version of versions) await remove(version)
  t.equal(follower.state(), 'behind')
  for (const version of ['1.0.1', '1.0.2']) await push(version)
  t.ok(index()?.has('1.0.3'), 'which is not there any more')
  t.equal(follower.state(), 'behind')
})

await t.test('one that has nothing of anything does not follow', async t => {
  const each = lab()
  for (let i = 0; i <= ENOUGH; i++) await each.see({ version: `${i}.0.0`, became: GONE })
  t.equal(each.follower.state(), 'unproven')
})

await t.test('what was looked for when it had to begin anew proves nothing, also when that ends later', async t => {
  const ways: Readonly<Record<string, (follower: Follower) => Promise<void>>> = {
    async unproven (follower) { follower.doubt() },
    async behind (follower) { await follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: 'old', became: 'new', isNew: true, isShown: true }) }
  }
  for (const [state, begin] of Object.entries(ways)) {
    const held: (() => void)[] = []
    let holds = false
    const ask = async ({ target: { version } }: Question): Promise<UpstreamAnswer> => {
      if (version === 'old') return NONE
      if (holds) await new Promise<void>(resolve => { held.push(resolve) })
      return whole(JSON.stringify({ version, digest: 'new' }))
    }
    const first = { ask: async ({ target: { version } }: Question) => whole(JSON.stringify({ version, digest: 'new' })) }
    const follower = createFollower({ first, other: { ask }, later: (_ms, run) => { setImmediate(run); return () => {} }, every: manualBeats().every, clock: () => 0, onChange () {} })
    const see = async (version: string): Promise<void> => { await follower.see({ tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version, became: 'new', isNew: true, isShown: true }) }
    for (let i = 0; i <= ENOUGH; i++) {
      await see(`1.0.${i}`)
      await settled()
    }
    t.equal(follower.state(), 'follows')
    holds = true
    const seen = Array.from({ length: ENOUGH }, async (_, i) => { await see(`2.0.${i}`) })
    await settled()
    await begin(follower)
    for (const go of held) go()
    await Promise.all(seen)
    t.equal(follower.state(), state)
  }
})
