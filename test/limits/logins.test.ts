import t from 'tap'
import type { CountStore } from '../../src/limits/counter.ts'
import { SEVERAL } from '../../src/limits/lately.ts'
import { createLoginLimits, SHARE_OF_SEVERAL, UNLIMITED, type Admission, type Login, type OwnLoginLimits } from '../../src/limits/logins.ts'
import { settled } from '../helpers/channels.ts'
import { createSharedCounts } from '../helpers/shared-counts.ts'

interface Lab {
  readonly logins: OwnLoginLimits
  readonly shared: string[]
  readonly time: { now: number }
  /** How many wrong ones are hashed until one is not, which had `most` tries. */
  hashes (of: Partial<Login>, most?: number): Promise<number>
  isAdmitted (of: Partial<Login>): Promise<boolean>
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
  return {
    logins,
    shared,
    time,
    async hashes (of, most = 100) {
      for (let i = 0; i < most; i++) {
        const guess = login(of)
        if (!(await logins.admit(guess)).ok || !(await logins.begin(guess)).ok) return i
        await logins.settle(guess, 'wrong')
      }
      return most
    },
    isAdmitted: async of => (await logins.admit(login(of))).ok,
    async comesIn (of) {
      const right = login(of)
      await logins.begin(right)
      await logins.settle(right, 'right')
    }
  }
}

/** Uses the hash up that an address has over its limit. */
async function useSpare ({ logins }: Lab, origin = '192.0.2.1'): Promise<void> {
  const guess = login({ origin })
  if ((await logins.begin(guess)).ok) await logins.settle(guess, 'wrong')
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
    const { isAdmitted, logins } = lab({ perAccount: 10 })
    let hashes = 0
    for (let i = 0; i < 100; i++) {
      const guess = login({ account: name(i) })
      if (!(await logins.begin(guess)).ok) continue
      hashes++
      await logins.settle(guess, 'wrong')
    }
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
    const guesses = Array.from({ length: 40 }, (_, i) => ({ guess: login({}), logins: (labs[i % labs.length] as Lab).logins }))
    let hashed = 0
    await Promise.all(guesses.map(async ({ guess, logins }) => {
      if (!(await logins.begin(guess)).ok) return
      hashed++
      await new Promise(resolve => { setImmediate(resolve) }) // the hash
      await logins.settle(guess, 'wrong')
    }))
    t.equal(hashed, 4, `${labs.length}`)
  }
})

await t.test('who would be over a limit by what is being hashed waits until it is known whether that is right', async t => {
  for (const [outcome, isOk] of [['right', true], ['failed', true], ['wrong', false]] as const) {
    const one = lab({ perAccount: 100, perAddress: 2 })
    const hashing = ['a', 'b'].map(account => login({ account }))
    for (const each of hashing) await one.logins.begin(each)
    const last = login({ account: 'c' })
    t.strictSame(await one.logins.admit(last), { ok: true }, 'it may come')
    const begun = watched(one.logins.begin(last))
    await settled()
    t.equal(begun.isOk(), undefined)
    await one.logins.settle(hashing[0] as Login, 'wrong')
    await settled()
    t.equal(begun.isOk(), undefined, 'the other one may be right')
    await one.logins.settle(hashing[1] as Login, outcome)
    await settled()
    t.equal(begun.isOk(), true, isOk ? outcome : 'the spare one')
    const next = login({ account: 'd' })
    t.equal((await one.logins.admit(next)).ok, isOk, outcome)
  }
})

await t.test('many with right passwords from one address all come in at once, whatever its limit', async t => {
  const { store } = createSharedCounts()
  for (const one of [lab({ perAddress: 2 }), lab({ perAddress: 2 }, store)]) {
    const guests = await Promise.all(Array.from({ length: 40 }, async (_, i) => {
      const guest = login({ account: `user${i}` })
      const { ok } = await one.logins.begin(guest)
      await settled() // the hash
      await one.logins.settle(guest, 'right')
      return ok
    }))
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
  const { logins, hashes } = lab()
  const guess = login({})
  t.ok((await Promise.all(Array.from({ length: 8 }, async () => await logins.begin(guess)))).every(({ ok }) => ok))
  for (let i = 0; i < 3; i++) await logins.settle(guess, 'failed')
  for (let i = 0; i < 5; i++) await logins.settle(guess, 'wrong')
  t.equal(await hashes({}), 3, 'two, and the one that is spare')
  const refused = login({})
  t.strictSame((await Promise.all([logins.begin(refused), logins.begin(refused)])).map(({ ok }) => ok), [false, false])
  const other = lab()
  for (let i = 0; i < 8; i++) await other.logins.begin(guess)
  for (let i = 0; i < 8; i++) await other.logins.settle(guess, 'failed')
  t.equal(await other.hashes({}), 4, 'nobody learned anything')
})

await t.test('a password that was right lately is hashed whatever failed, until it is wrong', async t => {
  const over = lab()
  const { logins, time, isAdmitted, comesIn, hashes } = over
  await comesIn({ proof: 'the password', origin: '198.51.100.1' })
  await hashes({})
  await useSpare(over)
  t.equal(await isAdmitted({}), false)
  t.equal(await isAdmitted({ proof: 'the password' }), true, 'also from another address')
  t.strictSame(await logins.begin(login({ proof: 'the password' })), { ok: true })
  await logins.settle(login({ proof: 'the password' }), 'wrong')
  t.equal(await isAdmitted({ proof: 'the password' }), false, 'it has another one now')
  await comesIn({ proof: 'the new one', origin: '198.51.100.1' })
  time.now = 8 * 86_400
  t.equal(await isAdmitted({ proof: 'the new one' }), false, 'lately was eight days ago')
})

await t.test('what was right lately counts when it is wrong now, and not before', async t => {
  const { logins, comesIn, hashes } = lab()
  await comesIn({ proof: 'the password' })
  const late = login({ proof: 'the password' })
  for (let i = 0; i < 20; i++) t.strictSame(await logins.begin(late), { ok: true })
  for (let i = 0; i < 20; i++) await logins.settle(late, 'wrong')
  t.equal(await hashes({}), 3, 'once: two, and the one that is spare')
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
  const { logins } = lab()
  const ends = async (of: Partial<Login>, outcome: 'right' | 'wrong'): Promise<void> => {
    const one = login(of)
    await logins.begin(one)
    await logins.settle(one, outcome)
  }
  for (let i = 0; i < 30_000; i++) await ends({ origin: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, account: `user${i}` }, 'wrong')
  t.equal(logins.standing().remembered, 30_000)
  for (let i = 0; i < 30_000; i++) await ends({ account: `user${i}` }, 'right')
  t.equal(logins.standing().remembered, 40_064)
})

await t.test('without a client there is no limit', async t => {
  t.strictSame(await UNLIMITED.admit(login({})), { ok: true })
  t.strictSame(await UNLIMITED.begin(login({})), { ok: true })
  await UNLIMITED.settle(login({}), 'wrong')
  t.strictSame(await UNLIMITED.miss('192.0.2.1'), { ok: true })
})
