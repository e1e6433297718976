// Users and robots at the authenticator: every form a credential may have, what is
// remembered of it and for how long, and what a guess costs.
import t from 'tap'
import { NO_ACCOUNTS, type Accounts } from '../../src/identity/accounts.ts'
import type { Authenticator } from '../../src/identity/authenticate.ts'
import type { Authentication } from '../../src/identity/sources/source.ts'
import type { Credentials } from '../../src/identity/credentials.ts'
import { createPasswords, type Hashers } from '../../src/identity/sources/passwords.ts'
import { MASTER } from '../../src/words/principal.ts'
import { digestOf } from '../../src/identity/sources/robot-secret.ts'
import { createPresence } from '../../src/lib/presence.ts'
import { createVerifier } from '../../src/tokens/verify.ts'
import { ASKER, accountsOf, authenticatorOf, cheapBcrypt, cheapHash, robot, user } from '../helpers/accounts.ts'
import { clockOf } from '../helpers/clock.ts'
import { ourKeys } from '../helpers/keys.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { NOW, SOURCE } from '../helpers/tokens.ts'
import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'

const KEY = 'a master key of this test'
const basic = (username: string, password: string): Credentials => ({ kind: 'basic', username, password })
const bearer = (token: string): Credentials => ({ kind: 'bearer', token })
const BAD: Authentication = { ok: false, code: 'bad_credentials' }

interface Lab {
  readonly authenticator: Authenticator
  accounts: Accounts
  /** The clock on the wall. */
  now: number
  /** The one that only goes on; seconds. */
  time: number
  /** Which hashes were computed. */
  readonly hashed: ('argon2' | 'bcrypt')[]
}

async function lab (accounts: Accounts): Promise<Lab> {
  const hashed: Lab['hashed'] = []
  const hashers: Hashers = {
    argon2: async (hash, password) => { hashed.push('argon2'); return await argon2.verify(hash, password) },
    bcrypt: async (hash, password) => { hashed.push('bcrypt'); return await bcrypt.verify(password, hash) }
  }
  const state = { accounts, now: NOW, time: 0, hashed }
  const verifier = createVerifier({ keys: await ourKeys(), source: SOURCE, knowsSubject: () => true, clock: clockOf(() => NOW) })
  const clock = { wall: () => state.now, monotonic: () => state.time }
  const authenticator = authenticatorOf(verifier, { masterKey: () => KEY, accounts: () => state.accounts, clock, passwords: createPasswords(hashers) })
  return Object.assign(state, { authenticator })
}

const [alicePassword, bobPassword] = [newPassword(), newPassword()]
const [secret, second, future, old] = [newSecret(), newSecret(), newSecret(), newSecret()]
const ALICE = user('alice', await cheapHash(alicePassword), { groups: ['team-a'] })
const BOB = user('bob', await cheapBcrypt(bobPassword))
const CI = robot('ci', { digest: digestOf(secret), expires: NOW + 100 }, { digest: digestOf(second) })
const EARLY = robot('early', { digest: digestOf(future), notBefore: NOW + 10 }, { digest: digestOf(old), expires: NOW })
const everybody = accountsOf([ALICE, BOB], [CI, EARLY])

await t.test('a user is who knows the password, a robot who has a secret, under whatever name', async t => {
  const { authenticator } = await lab(everybody)
  const cases: [string, Credentials, string | undefined][] = [
    ['a user with an argon2id hash', basic('alice', alicePassword), 'user:alice'],
    ['a user with a bcrypt hash', basic('bob', bobPassword), 'user:bob'],
    ["another user's password", basic('alice', bobPassword), undefined],
    ['a name in other letters', basic('Alice', alicePassword), undefined],
    ['a password as Bearer', bearer(alicePassword), undefined],
    ['a password without a name', basic('', alicePassword), undefined],
    ['an empty password', basic('alice', ''), undefined],
    ['the hash as a password', basic('alice', ALICE.passwordHash), undefined],
    ['a robot with its secret', basic('ci', secret), 'robot:ci'],
    ['the second secret', basic('ci', second), 'robot:ci'],
    ['a secret under any name', basic('any', secret), 'robot:ci'],
    ['a secret without a name', basic('', secret), 'robot:ci'],
    ['a secret as Bearer', bearer(secret), 'robot:ci'],
    ['a secret that nobody has', bearer(newSecret()), undefined],
    ["the secret's hash", bearer(`sha256:${digestOf(secret)}`), undefined],
    ['the master key still', basic('alice', KEY), MASTER.subject]
  ]
  for (const [name, credentials, subject] of cases) {
    const result = await authenticator.authenticate(credentials, ASKER)
    t.equal(result.ok ? result.principal.subject : undefined, subject, name)
  }
})

await t.test('the log learns why a known account was refused, and no more than that', async t => {
  const state = await lab(accountsOf([{ ...ALICE, disabled: true }, BOB], [{ ...CI, disabled: true }, EARLY]))
  const cases: [Credentials, Authentication][] = [
    [basic('alice', alicePassword), { ok: false, code: 'account_disabled', subject: 'user:alice' }],
    [basic('bob', 'wrong'), { ok: false, code: 'bad_password', subject: 'user:bob' }],
    [basic('bob', 'wrong\n'), { ok: false, code: 'padded_password', subject: 'user:bob' }],
    [basic('bob', ' wrong'), { ok: false, code: 'padded_password', subject: 'user:bob' }],
    [basic('nobody', 'wrong'), BAD],
    [basic('nobody', 'wrong\n'), BAD],
    [bearer(secret), { ok: false, code: 'account_disabled', subject: 'robot:ci' }],
    [bearer(future), { ok: false, code: 'secret_not_yet_valid', subject: 'robot:early' }],
    [bearer(old), { ok: false, code: 'secret_expired', subject: 'robot:early' }]
  ]
  for (const [credentials, expected] of cases) t.strictSame(await state.authenticator.authenticate(credentials, ASKER), expected)
  state.now = NOW + 10
  t.match(await state.authenticator.authenticate(bearer(future), ASKER), { ok: true }, 'from its notBefore on')
})

await t.test('a good password with a line end around it is refused at the cost of one hash', async t => {
  const { authenticator, hashed } = await lab(everybody)
  t.strictSame(await authenticator.authenticate(basic('alice', `${alicePassword}\n`), ASKER), { ok: false, code: 'padded_password', subject: 'user:alice' })
  t.equal(hashed.length, 1)
})

await t.test('a secret ends at its second', async t => {
  const state = await lab(everybody)
  state.now = NOW + 99
  t.match(await state.authenticator.authenticate(bearer(secret), ASKER), { ok: true })
  state.now = NOW + 100
  t.match(await state.authenticator.authenticate(bearer(secret), ASKER), { ok: false, code: 'secret_expired' })
  t.match(await state.authenticator.authenticate(bearer(second), ASKER), { ok: true }, 'and the other goes on')
})

await t.test('an unknown user costs one hash of the kind that most have, as a known one does', async t => {
  const argon = accountsOf([ALICE, user('carol', await cheapHash('x')), BOB])
  const mostlyBcrypt = accountsOf([ALICE, BOB, user('dave', await cheapBcrypt('x'))])
  for (const [accounts, kind] of [[argon, 'argon2'], [mostlyBcrypt, 'bcrypt']] as const) {
    const { authenticator, hashed } = await lab(accounts)
    t.strictSame(await authenticator.authenticate(basic('nobody', 'wrong'), ASKER), BAD)
    t.strictSame(hashed, [kind])
    await authenticator.authenticate(basic(kind === 'argon2' ? 'alice' : 'bob', 'wrong'), ASKER)
    t.strictSame(hashed, [kind, kind])
  }
  const { authenticator, hashed } = await lab(NO_ACCOUNTS)
  t.strictSame(await authenticator.authenticate(basic('nobody', 'wrong'), ASKER), BAD)
  t.strictSame(hashed, [], 'where there is nobody, there is nobody to find out')
})

await t.test('a good password is hashed once a minute, a bad one each time, and the same at once only once', async t => {
  const state = await lab(everybody)
  const ask = (password = alicePassword): Authentication | Promise<Authentication> => state.authenticator.authenticate(basic('alice', password), ASKER)
  t.ok(ask() instanceof Promise)
  await ask()
  t.notOk(ask() instanceof Promise, 'then it is known without waiting')
  for (let i = 0; i < 100; i++) t.match(await ask(), { ok: true })
  t.equal(state.hashed.length, 1)
  await Promise.all(Array.from({ length: 20 }, async () => await ask('wrong')))
  t.equal(state.hashed.length, 2, 'twenty at once were one')
  await ask('wrong')
  t.equal(state.hashed.length, 3)
  state.time = 60
  await ask()
  t.equal(state.hashed.length, 4)
})

await t.test('a clock that is set neither shortens nor lengthens how long a password is remembered', async t => {
  for (const set of [-3_600, 3_600]) {
    const state = await lab(everybody)
    const ask = async (): Promise<Authentication> => await state.authenticator.authenticate(basic('alice', alicePassword), ASKER)
    await ask()
    state.now = NOW + set
    state.time = 59
    await ask()
    t.equal(state.hashed.length, 1, 'a second before its minute is over')
    state.time = 60
    await ask()
    t.equal(state.hashed.length, 2)
  }
})

await t.test('who has gone is told nothing and costs nothing, and who comes with too many is refused', async t => {
  const state = await lab(everybody)
  const gone = createPresence()
  gone.leave()
  t.strictSame(await state.authenticator.authenticate(basic('alice', alicePassword), { ...ASKER, presence: gone }), { ok: false, code: 'client_gone' })
  t.strictSame(state.hashed, [])
  const all = await Promise.all(Array.from({ length: 30 }, async (_, i) => await state.authenticator.authenticate(basic('alice', `guess ${i}`), ASKER)))
  t.strictSame(new Set(all.map(each => each.ok ? 'in' : each.code)), new Set(['bad_password', 'too_many_attempts']))
  const names = await Promise.all(Array.from({ length: 30 }, async (_, i) => await state.authenticator.authenticate(basic(`no name ${i}`, `guess ${i}`), ASKER)))
  t.strictSame(new Set(names.map(each => each.ok ? 'in' : each.code)), new Set(['bad_credentials', 'too_many_attempts']), 'what no account can be called is one account')
})

await t.test('a changed, disabled or removed account is not what was remembered', async t => {
  const state = await lab(everybody)
  const ask = async (password = alicePassword): Promise<Authentication> => await state.authenticator.authenticate(basic('alice', password), ASKER)
  await ask()
  state.accounts = accountsOf([{ ...ALICE, disabled: true }])
  t.match(await ask(), { ok: false, code: 'account_disabled' })
  state.accounts = accountsOf([BOB])
  t.strictSame(await ask(), BAD)
  const other = newPassword()
  state.accounts = accountsOf([{ ...ALICE, passwordHash: await cheapHash(other) }])
  t.match(await ask(), { ok: false, code: 'bad_password' })
  t.match(await ask(other), { ok: true })
  state.accounts = accountsOf([{ ...ALICE, groups: ['team-b'] }])
  const result = await ask()
  t.same(result.ok && result.principal.subjects, ['user:alice', 'group:team-b', 'authenticated', 'anonymous'], 'groups are those of now')
})

await t.test('an account that changes while its password is hashed does not get in', async t => {
  for (const accounts of [accountsOf([BOB]), accountsOf([{ ...ALICE, disabled: true }]), accountsOf([{ ...ALICE, passwordHash: BOB.passwordHash }])]) {
    const state = await lab(everybody)
    const asked = state.authenticator.authenticate(basic('alice', alicePassword), ASKER)
    state.accounts = accounts
    t.match(await asked, { ok: false })
  }
})

await t.test('the password of a disabled account is hashed no more often than that of another', async t => {
  const state = await lab(accountsOf([{ ...ALICE, disabled: true }]))
  for (let i = 0; i < 3; i++) t.match(await state.authenticator.authenticate(basic('alice', alicePassword), ASKER), { ok: false, code: 'account_disabled' })
  t.equal(state.hashed.length, 1)
})

await t.test('who asks again with the same is judged by the accounts as they are, without a hash', async t => {
  const state = await lab(everybody)
  const againOf = async (credentials: Credentials): Promise<() => Authentication | undefined> => {
    const result = await state.authenticator.authenticate(credentials, ASKER)
    if (!result.ok || result.again === undefined) throw new Error('not to be asked again')
    return result.again
  }
  const [alice, ci] = [await againOf(basic('alice', alicePassword)), await againOf(basic('any', secret))]
  for (const again of [alice, ci]) {
    const result = again()
    t.match(result, { ok: true })
    t.match(result?.ok === true && result.again?.(), { ok: true }, 'and once more')
  }
  t.equal(state.hashed.length, 1)
  state.accounts = accountsOf([{ ...ALICE, disabled: true }], [{ ...CI, disabled: true }])
  t.match([alice(), ci()], [{ ok: false, code: 'account_disabled' }, { ok: false, code: 'account_disabled' }])
  state.accounts = accountsOf([user('alice', await cheapHash(bobPassword))])
  t.strictSame([alice(), ci()], [undefined, BAD], 'another password, and a robot that is gone')
  state.accounts = accountsOf([BOB])
  t.equal(alice(), undefined)
  state.accounts = everybody
  state.time = 60
  t.equal(alice(), undefined, 'a minute later it is hashed again')
  state.now = NOW + 100
  t.match(ci(), { ok: false, code: 'secret_expired' })
})

await t.test('what is remembered is bounded, and names and passwords do not run into each other', async t => {
  let hashed = 0
  const right = async (): Promise<boolean> => { hashed++; return true }
  const passwords = createPasswords({ argon2: right, bcrypt: right })
  const verifier = createVerifier({ keys: await ourKeys(), source: SOURCE, knowsSubject: () => true, clock: clockOf(() => NOW) })
  const accounts = accountsOf([user('a', ALICE.passwordHash), user('ab', ALICE.passwordHash)])
  const authenticator = authenticatorOf(verifier, { masterKey: () => '', accounts: () => accounts, clock: clockOf(() => NOW), passwords })
  await authenticator.authenticate(basic('a', 'b:c'), ASKER)
  for (const [name, password] of [['ab', ':c'], ['ab', 'c'], ['a', 'bc']] as const) await authenticator.authenticate(basic(name, password), ASKER)
  t.equal(hashed, 4)
  for (let i = 0; i < 10_000; i++) await authenticator.authenticate(basic('a', `password ${i}`), ASKER)
  hashed = 0
  await authenticator.authenticate(basic('a', 'password 9999'), ASKER)
  t.equal(hashed, 0)
  await authenticator.authenticate(basic('a', 'b:c'), ASKER)
  t.equal(hashed, 1, 'the oldest was forgotten')
})
