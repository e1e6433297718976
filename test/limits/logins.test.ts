import t from 'tap'
import type { CountStore } from '../../src/limits/counter.ts'
import { SEVERAL } from '../../src/limits/lately.ts'
import type { Admission, Login, Outcome } from '../../src/limits/login.ts'
import { createLoginLimits, SHARE_OF_SEVERAL, UNLIMITED, type OwnLoginLimits } from '../../src/limits/logins.ts'
import { settled } from '../helpers/channels.ts'
import { createSharedCounts } from '../helpers/shared-counts.ts'

interface Lab {
  readonly logins: OwnLoginLimits
  readonly shared: string[]
  readonly time: { now: number }
  /** How many wrong ones are hashed until one is not, which had `most` tries. */
  hashes (of: Partial<Login>, most?: number): Promise<number>
  isAdmitted (of: Partial<Login>): Promise<boolean>
  /** Begins it, and waits for others before it says what becomes of it; whether it was hashed. */
  tries (login: Login, outcome: Outcome, hash?: () => Promise<void>): Promise<boolean>
  comesIn (of: Partial<Login>): Promise<void>
}

let made = 0
/** Somebody who guesses: each time another password. */
function login (of: Partial<Login>): Login {
  return { origin: '192.0.2.1', account: 'alice', proof: `guess ${made++}`, isPeer: true, ...of }
}

function lab ({ perAccount = 3, perAddress = 10, within = 300 } = {}, store?: CountStore): Lab {
  const time = { now: 0 }
  const shared: string[] = []
  const logins = createLoginLimits(() => ({ perAccount, perAddress, within }), { clock: () => time.now, onShared: origin => { shared.push(origin) }, store })
  async function tries (login: Login, outcome: Outcome, hash = async (): Promise<void> => {}): Promise<boolean> {
    const begun = await logins.begin(login)
    if (!begun.ok) return false
    await hash()
    await logins.settle(begun.ticket, outcome)
    return true
  }
  return {
    logins,
    shared,
    time,
    tries,
    async hashes (of, most = 100) {
      for (let i = 0; i < most; i++) {
        const guess = login(of)
        if (!(await logins.admit(guess)).ok || !await tries(guess, 'wrong')) return i
      }
      return most
    },
    isAdmitted: async of => (await logins.admit(login(of))).ok,
    async comesIn (of) { await tries(login(of), 'right') }
  }
}

/** Uses the hash up that an address has over its limit. */
async function useSpare ({ tries }: Lab, origin = '192.0.2.1'): Promise<void> {
  await tries(login({ origin }), 'wrong')
}

/** The ticket of one that may begin. */
async function ticketOf ({ logins }: Lab, login: Login): Promise<number> {
  const begun = await logins.begin(login)
  return begun.ok ? begun.ticket : NaN
}

/** What comes of it, once that is known. */
function watched (asked: Promise<Admission>): { readonly isOk: () => boolean | undefined } {
  let isOk: boolean | undefined
  void asked.then(admission => { isOk = admission.ok })
  return { isOk: () => isOk }
}

await t.test('one account has so many tries from an address, and then one in some seconds; from elsewhere nobody notices', async t => {
  const { hashes, logins } = lab()
  t.equal(await hashes({}), 4, 'three, and the one that is spare')
  t.equal(await hashes({}), 0)
  const refused = await logins.admit(login({}))
  t.match(refused, { ok: false, seconds: Number })
  t.ok(!refused.ok && refused.seconds > 290, 'and it is said when they begin anew')
  t.equal(await hashes({ origin: '192.0.2.2' }, 3), 3, 'the same account from elsewhere')
  t.equal(await hashes({ account: 'bob' }, 3), 3, 'another account from there')
  t.strictSame(logins.standing(), { refused: { account: 3, address: 0, secret: 0 }, remembered: 6 })
})

await t.test('where several count, a guess at one counts at the other, by account and by address', async t => {
  const { store } = createSharedCounts()
  const [one, other] = [lab({ perAddress: 5 }, store), lab({ perAddress: 5 }, store)]
  t.equal(await one.hashes({}, 3), 3)
  t.equal(await other.hashes({}), 1, 'the spare one')
  t.equal(await other.hashes({ account: 'bob' }), 1, 'the rest of the address, whose spare one is used')
  t.equal(await one.hashes({ origin: '192.0.2.2' }, 3), 3, 'another address')
  t.equal(one.logins.standing().remembered + other.logins.standing().remembered, 0, 'nothing of it is here')
})

await t.test('an address has so many tries, whatever names they are for, and names that are nobody\'s count as all others', async t => {
  for (const name of [(i: number) => `user${i}`, () => '']) {
    const { isAdmitted, tries } = lab({ perAccount: 10 })
    let hashes = 0
    for (let i = 0; i < 100; i++) hashes += Number(await tries(login({ account: name(i) }), 'wrong'))
    t.equal(hashes, 11)
    t.equal(await isAdmitted({ account: 'bob' }), false)
    t.equal(await isAdmitted({ account: 'bob', origin: '192.0.2.2' }), true)
  }
})

await t.test('what is over a limit costs no more than one hash in some seconds, however many ask at once', async t => {
  for (const failed of [4, 3]) {
    const { hashes, logins } = lab()
    await hashes({}, failed)
    const begun = await Promise.all(Array.from({ length: 50 }, async () => (await logins.begin(login({}))).ok))
    t.equal(begun.filter(Boolean).length, 4 - failed)
  }
})

await t.test('of guesses that come at once no more are hashed than one by one, at one gateway and at several that count together', async t => {
  const { store } = createSharedCounts()
  for (const labs of [[lab()], [lab({}, store), lab({}, store)]]) {
    const tried = await Promise.all(Array.from({ length: 40 }, async (_, i) => await (labs[i % labs.length] as Lab).tries(login({}), 'wrong', settled)))
    t.equal(tried.filter(Boolean).length, 4, `${labs.length}`)
  }
})

await t.test('who would be over a limit by what is being hashed waits until it is known whether that is right', async t => {
  for (const [outcome, isOk] of [['right', true], ['failed', true], ['wrong', false]] as const) {
    const one = lab({ perAccount: 100, perAddress: 2 })
    const first = await ticketOf(one, login({ account: 'a' }))
    const second = await ticketOf(one, login({ account: 'b' }))
    const last = login({ account: 'c' })
    t.strictSame(await one.logins.admit(last), { ok: true }, 'it may come')
    const begun = watched(one.logins.begin(last))
    await settled()
    t.equal(begun.isOk(), undefined)
    await one.logins.settle(first, 'wrong')
    await settled()
    t.equal(begun.isOk(), undefined, 'the other one may be right')
    await one.logins.settle(second, outcome)
    await settled()
    t.equal(begun.isOk(), true, isOk ? outcome : 'the spare one')
    const next = login({ account: 'd' })
    t.equal((await one.logins.admit(next)).ok, isOk, outcome)
  }
})

await t.test('many with right passwords from one address all come in at once, whatever its limit', async t => {
  const { store } = createSharedCounts()
  for (const one of [lab({ perAddress: 2 }), lab({ perAddress: 2 }, store)]) {
    const guests = await Promise.all(Array.from({ length: 40 }, async (_, i) => await one.tries(login({ account: `user${i}` }), 'right', settled)))
    t.ok(guests.every(Boolean))
    t.equal(await one.hashes({ account: 'user1' }), 4, 'and nothing is counted')
  }
})

await t.test('who comes while another one is just counted is not refused for that one, which may be right', async t => {
  for (const store of [undefined, createSharedCounts().store]) {
    for (let ticks = 0; ticks < 60; ticks++) {
      const one = lab({ perAccount: 2 }, store)
      const origin = `origin ${ticks}`
      await one.hashes({ origin, account: 'bob' }, 3) // and the spare one
      await one.hashes({ origin }, 1)
      const begun = one.logins.begin(login({ origin }))
      for (let i = 0; i < ticks; i++) await Promise.resolve()
      t.equal(await one.isAdmitted({ origin }), true, `${ticks}`)
      await begun
    }
  }
})

await t.test('one password that several hash at once counts once, until one of them tells', async t => {
  const { logins, hashes, tries } = lab()
  const guess = login({})
  const outcomes = ['failed', 'failed', 'wrong', 'failed', 'wrong'] as const
  t.ok((await Promise.all(outcomes.map(async outcome => await tries(guess, outcome, settled)))).every(Boolean))
  t.equal(await hashes({}), 3, 'two, and the one that is spare')
  const refused = login({})
  t.strictSame((await Promise.all([logins.begin(refused), logins.begin(refused)])).map(({ ok }) => ok), [false, false])
  const other = lab()
  await Promise.all(Array.from({ length: 8 }, async () => await other.tries(guess, 'failed', settled)))
  t.equal(await other.hashes({}), 4, 'nobody learned anything')
})

await t.test('what somebody else was told of the same password ends nothing of what has begun since', async t => {
  const one = lab()
  const guess = login({})
  const [first, second] = [await ticketOf(one, guess), await ticketOf(one, guess)]
  await one.logins.settle(first, 'wrong')
  const third = one.logins.begin(guess) // which is counted in a moment
  await one.logins.settle(second, 'wrong')
  const begun = await third
  t.ok(begun.ok)
  await one.logins.settle(first, 'right')
  await one.logins.settle(9_999, 'right')
  if (begun.ok) await one.logins.settle(begun.ticket, 'wrong')
  t.equal(await one.hashes({}), 2, 'both were counted: one, and the one that is spare')
})

await t.test('a password that was right lately is hashed whatever failed', async t => {
  const over = lab()
  const { logins, tries, time, isAdmitted, comesIn, hashes } = over
  await comesIn({ proof: 'the password', origin: '198.51.100.1' })
  await hashes({})
  await useSpare(over)
  t.equal(await isAdmitted({}), false)
  t.equal(await isAdmitted({ proof: 'the password' }), true, 'also from another address')
  t.equal(await tries(login({ proof: 'the password' }), 'right'), true)
  t.equal(await isAdmitted({ proof: 'the new one' }), false)
  await logins.letIn(login({ proof: 'the new one', origin: '198.51.100.1' }))
  t.equal(await isAdmitted({ proof: 'the new one' }), true, 'as another one has found')
  time.now = 8 * 86_400
  t.equal(await isAdmitted({ proof: 'the password' }), false, 'lately was eight days ago')
})

await t.test('who came in from an address lately is held up by what fails for them there, and by nobody else\'s', async t => {
  const over = lab()
  await over.comesIn({ account: 'carol' })
  for (const account of ['a', 'b', 'c', 'd']) await over.hashes({ account }, 3)
  await useSpare(over)
  t.equal(await over.isAdmitted({ account: 'bob' }), false)
  t.equal(await over.hashes({ account: 'carol' }), 3, 'with a password that was changed since')
  over.time.now = 8 * 86_400
  t.equal(await over.isAdmitted({ account: 'carol' }), false)
})

await t.test('an address from which several accounts came in has more, and it is said once, unless a proxy says whose it is', async t => {
  const several = lab({ perAccount: 1_000 })
  const names = Array.from({ length: SEVERAL }, (_, i) => `user${i}`)
  for (const account of [...names.slice(1), ...names.slice(1)]) await several.comesIn({ account })
  t.strictSame(several.shared, [])
  for (const account of [...names, 'one more']) await several.comesIn({ account })
  t.strictSame(several.shared, ['192.0.2.1'])
  t.equal(await several.hashes({}, 200), 10 * SHARE_OF_SEVERAL + 1)
  for (const account of names) await several.comesIn({ account, origin: '192.0.2.2', isPeer: false })
  t.strictSame(several.shared, ['192.0.2.1'])
  t.equal(await several.hashes({ origin: '192.0.2.2' }, 200), 10 * SHARE_OF_SEVERAL + 1)
})

await t.test('wrong secrets are counted by themselves, and keep nobody from a password', async t => {
  const { logins, isAdmitted } = lab()
  for (let i = 0; i < 10; i++) t.strictSame(await logins.miss('192.0.2.1'), { ok: true })
  t.match(await logins.miss('192.0.2.1'), { ok: false, seconds: 300 })
  t.equal(await isAdmitted({}), true)
  t.strictSame(await logins.miss('192.0.2.2'), { ok: true })
  t.strictSame(logins.standing().refused, { account: 0, address: 0, secret: 1 })
})

await t.test('however many names and addresses come, what is remembered of them has a bound', async t => {
  const { logins, tries } = lab()
  const ends = async (of: Partial<Login>, outcome: Outcome): Promise<void> => { await tries(login(of), outcome) }
  for (let i = 0; i < 30_000; i++) await ends({ origin: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, account: `user${i}` }, 'wrong')
  t.equal(logins.standing().remembered, 30_000)
  for (let i = 0; i < 30_000; i++) await ends({ account: `user${i}` }, 'right')
  t.equal(logins.standing().remembered, 40_064)
})

await t.test('without a client there is no limit', async t => {
  t.strictSame(await UNLIMITED.admit(login({})), { ok: true })
  t.strictSame(await UNLIMITED.begin(login({})), { ok: true, ticket: 0 })
  await UNLIMITED.settle(0, 'wrong')
  await UNLIMITED.letIn(login({}))
  t.strictSame(await UNLIMITED.miss('192.0.2.1'), { ok: true })
})
