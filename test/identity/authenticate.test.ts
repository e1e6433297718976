import t from 'tap'
import { NO_ACCOUNTS } from '../../src/identity/accounts.ts'
import type { Authenticator } from '../../src/identity/authenticate.ts'
import type { Authentication } from '../../src/identity/sources/source.ts'
import type { Credentials } from '../../src/identity/credentials.ts'
import { ANONYMOUS, MASTER } from '../../src/words/principal.ts'
import { createVerifier, type Verifier } from '../../src/tokens/verify.ts'
import { digestOf } from '../../src/identity/sources/robot-secret.ts'
import { ASKER, accountsOf, authenticatorOf, robot } from '../helpers/accounts.ts'
import { newSecret } from '../helpers/secrets.ts'
import { at, clockOf } from '../helpers/clock.ts'
import { ourKeys, strangersKey } from '../helpers/keys.ts'
import { mintToken, NOW, SOURCE } from '../helpers/tokens.ts'

const KEY = 'a master key of this test'
const basic = (username: string, password: string): Credentials => ({ kind: 'basic', username, password })
const bearer = (token: string): Credentials => ({ kind: 'bearer', token })
const BAD: Authentication = { ok: false, code: 'bad_credentials' }

async function verifier (): Promise<Verifier> {
  return createVerifier({ keys: await ourKeys(), source: SOURCE, knowsSubject: subject => subject !== 'user:gone', clock: clockOf(() => NOW) })
}

async function authenticatorWith (masterKey: string): Promise<Authenticator> {
  return authenticatorOf(await verifier(), { masterKey: () => masterKey, accounts: () => NO_ACCOUNTS, clock: clockOf(() => NOW) })
}

await t.test('without credentials one is anonymous, and with broken ones nobody', async t => {
  for (const key of [KEY, '']) {
    const authenticator = await authenticatorWith(key)
    t.strictSame(authenticator.authenticate({ kind: 'none' }, ASKER), { ok: true, principal: ANONYMOUS })
    t.strictSame(authenticator.authenticate({ kind: 'malformed' }, ASKER), BAD)
  }
})

await t.test('the master key opens as Bearer and as a password, under any user name', async t => {
  const authenticator = await authenticatorWith(KEY)
  for (const credentials of [bearer(KEY), basic('any', KEY), basic('', KEY), basic('key:master', KEY)]) {
    const result = authenticator.authenticate(credentials, ASKER)
    t.match(result, { ok: true, principal: MASTER })
    t.equal(!(result instanceof Promise) && result.ok && result.again?.(), result, 'and the same again')
  }
})

await t.test('what is nearly the master key is not', async t => {
  const authenticator = await authenticatorWith(KEY)
  for (const wrong of ['', ' ', KEY.slice(1), KEY.slice(0, -1), KEY + '\0', KEY.toUpperCase(), 'MASTERKEY', `${KEY}${KEY}`, 'x'.repeat(1_000_000)]) {
    t.strictSame(await authenticator.authenticate(bearer(wrong), ASKER), BAD, JSON.stringify(wrong.slice(0, 40)))
    t.strictSame(await authenticator.authenticate(basic(KEY, wrong), ASKER), BAD)
  }
})

await t.test('no master key is not the empty key', async t => {
  const authenticator = await authenticatorWith('')
  for (const secret of ['', ' ', 'MASTERKEY', 'undefined']) {
    t.strictSame(await authenticator.authenticate(bearer(secret), ASKER), BAD)
    t.strictSame(await authenticator.authenticate(basic('', secret), ASKER), BAD)
  }
})

await t.test('a token is who it says, as Bearer and as a password, and that is known without a promise', async t => {
  const authenticator = await authenticatorWith(KEY)
  const token = await mintToken()
  const [header, claims] = token.split('.').slice(0, 2).map(part => JSON.parse(Buffer.from(part, 'base64url').toString()) as Record<string, string>) as [Record<string, string>, Record<string, string>]
  const expected = {
    ok: true,
    principal: {
      kind: 'token',
      subject: 'key:master',
      subjects: ['anonymous'],
      grants: [{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }],
      expires: at(NOW + 300),
      proof: { tokenId: claims['jti'], keyId: header['kid'] }
    }
  }
  const first = authenticator.authenticate(bearer(token), ASKER)
  t.strictSame(first, expected)
  for (const credentials of [bearer(token), basic('any', token), basic('', token)]) t.strictSame(authenticator.authenticate(credentials, ASKER), expected)
})

await t.test('a token that is not ours says why, each time', async t => {
  const authenticator = await authenticatorWith(KEY)
  const cases: [token: string, code: string][] = [
    [await mintToken({ key: await strangersKey() }), 'token_unknown_key'],
    [await mintToken({ claims: { exp: NOW - 20, iat: NOW - 320, nbf: NOW - 330 } }), 'token_expired'],
    [await mintToken({ claims: { sub: 'user:gone' } }), 'token_unknown_subject'],
    ['eyJ.e30.', 'token_malformed']
  ]
  for (const [token, code] of cases) {
    t.strictSame(await authenticator.authenticate(bearer(token), ASKER), { ok: false, code })
    t.strictSame(await authenticator.authenticate(basic('any', token), ASKER), { ok: false, code })
  }
})

await t.test('a good secret with a line end or a blank around it is told as that, and opens nothing', async t => {
  const secret = newSecret()
  const accounts = accountsOf([], [robot('ci', digestOf(secret))])
  const authenticator = authenticatorOf(await verifier(), { masterKey: () => KEY, accounts: () => accounts, clock: clockOf(() => NOW) })
  for (const [good, subject] of [[KEY, 'key:master'], [secret, 'robot:ci']] as const) {
    t.match(authenticator.authenticate(basic('any', good), ASKER), { ok: true })
    for (const padded of [`${good}\n`, `${good}\r\n`, ` ${good}`, `\t${good} `]) {
      t.strictSame(authenticator.authenticate(basic('any', padded), ASKER), { ok: false, code: 'padded_secret', subject }, JSON.stringify(padded.replace(good, 'SECRET')))
    }
  }
  t.match(await authenticator.authenticate(basic('any', `${newSecret()}\n`), ASKER), { ok: false, code: 'bad_credentials' }, 'a wrong one is a wrong one')
})

await t.test('a good token with a line end or a blank around it is told as that, each time, and a bad one says why', async t => {
  const authenticator = await authenticatorWith(KEY)
  const [good, ended] = [await mintToken(), await mintToken({ claims: { exp: NOW - 20, iat: NOW - 320, nbf: NOW - 330 } })]
  for (const padded of [`${good}\n`, ` ${good}`, `${good}\r\n`]) {
    const header = `Basic ${Buffer.from(`any:${padded}`).toString('base64')}`
    for (const time of ['first', 'second']) {
      t.equal(authenticator.remembered(header), undefined, time)
      t.strictSame(await authenticator.authenticate(basic('any', padded), ASKER, header), { ok: false, code: 'padded_secret', subject: 'key:master' }, time)
    }
  }
  t.strictSame(await authenticator.authenticate(basic('any', `${ended}\n`), ASKER), { ok: false, code: 'token_expired' })
})
