import t from 'tap'
import type { CountStore } from '../../src/limits/counter.ts'
import { createLoginLimits, SEVERAL, SHARE_OF_SEVERAL, UNLIMITED, type Login, type OwnLoginLimits } from '../../src/limits/logins.ts'
import { createSharedCounts } from '../helpers/shared-counts.ts'

interface Lab {
  readonly logins: OwnLoginLimits
  readonly shared: string[]
  readonly time: { now: number }
  /** How many wrong ones are hashed until one is not, which had `most` tries. */
  hashes (of: Partial<Login>, most?: number): Promise<number>
  isAdmitted (of: Partial<Login>, begins?: boolean): Promise<boolean>
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
        if (!(await logins.admit(guess, false)).ok || !(await logins.admit(guess, true)).ok) return i
        await logins.settle(guess, false)
      }
      return most
    },
    isAdmitted: async (of, begins = false) => (await logins.admit(login(of), begins)).ok,
    async comesIn (of) { await logins.settle(login(of), true) }
  }
}

/** Uses the hash up that an address has over its limit. */
async function useSpare ({ isAdmitted }: Lab, origin = '192.0.2.1'): Promise<void> {
  await isAdmitted({ origin }, true)
}

await t.test('one account has so many tries from an address, and then one in some seconds; from elsewhere nobody notices', async t => {
  const { hashes, logins } = lab()
  t.equal(await hashes({}), 4, 'three, and the one that is spare')
  t.equal(await hashes({}), 0)
  const refused = await logins.admit(login({}), false)
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
      if (!(await logins.admit(guess, true)).ok) continue
      hashes++
      await logins.settle(guess, false)
    }
    t.equal(hashes, 11)
    t.equal(await isAdmitted({ account: 'bob' }), false)
    t.equal(await isAdmitted({ account: 'bob', origin: '192.0.2.2' }), true)
  }
})

await t.test('what is over a limit costs no more than one hash in some seconds, however many ask at once', async t => {
  const over = lab()
  await over.hashes({})
  const begun = await Promise.all(Array.from({ length: 50 }, async () => await over.isAdmitted({}, true)))
  t.equal(begun.filter(Boolean).length, 0)
  const other = lab()
  for (let i = 0; i < 3; i++) await other.logins.settle(login({}), false)
  const first = await Promise.all(Array.from({ length: 50 }, async () => await other.isAdmitted({}, true)))
  t.equal(first.filter(Boolean).length, 1)
})

await t.test('a password that was right lately is hashed whatever failed, until it is wrong', async t => {
  const over = lab()
  const { logins, time, isAdmitted, hashes } = over
  await logins.settle(login({ proof: 'the password', origin: '198.51.100.1' }), true)
  await hashes({})
  await useSpare(over)
  t.equal(await isAdmitted({}), false)
  t.equal(await isAdmitted({ proof: 'the password' }), true, 'also from another address')
  t.equal(await isAdmitted({ proof: 'the password' }, true), true)
  await logins.settle(login({ proof: 'the password' }), false)
  t.equal(await isAdmitted({ proof: 'the password' }), false, 'it has another one now')
  await logins.settle(login({ proof: 'the new one', origin: '198.51.100.1' }), true)
  time.now = 8 * 86_400
  t.equal(await isAdmitted({ proof: 'the new one' }), false, 'lately was eight days ago')
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
  for (let i = 0; i < 30_000; i++) await logins.settle(login({ origin: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, account: `user${i}` }), false)
  t.equal(logins.standing().remembered, 30_000)
  for (let i = 0; i < 30_000; i++) await logins.settle(login({ account: `user${i}` }), true)
  t.equal(logins.standing().remembered, 40_064)
})

await t.test('without a client there is no limit', async t => {
  t.strictSame(await UNLIMITED.admit(login({}), true), { ok: true })
  await UNLIMITED.settle(login({}), false)
  t.strictSame(await UNLIMITED.miss('192.0.2.1'), { ok: true })
})
