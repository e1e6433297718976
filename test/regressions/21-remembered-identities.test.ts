// Class 21: what is remembered of one identity answers another. fast-jwt CVE-2026-35039
// (two tokens with one cache key), Oathkeeper commit 198a2bc8 (a decision cached for
// another subject), Okta in October 2024 (a cache key of id, user name and password under
// bcrypt, which reads 72 bytes: with a name of 52 characters any password was right).
import { randomBytes } from 'node:crypto'
import t from 'tap'
import { Pool } from 'undici'
import { NO_ACCOUNTS } from '../../src/identity/accounts.ts'
import { CLOCK } from '../../src/lib/clock.ts'
import { mintToken, rightClaims } from '../helpers/tokens.ts'
import { grant } from '../helpers/app.ts'
import { newPassword, newSecret, recordToken } from '../helpers/secrets.ts'
import { basic, startTeam } from '../helpers/team.ts'
import { inShort } from '../helpers/in-short.ts'

const ASKED = inShort(600, 10_000)
const AT_ONCE = 50

await t.test('thousands of requests of several identities in each other\'s way are each answered for their own', async t => {
  const [secret, other] = [newSecret(), newSecret()]
  // The same password, and names that run into each other.
  const password = newPassword()
  const { gateway, hashed } = await startTeam(t, {
    people: [{ name: 'a', password }, { name: 'ab', password }],
    robots: [{ name: 'one', secrets: [secret] }, { name: 'two', secrets: [other] }],
    policy: [{ repositories: ['org1/repo1'], subjects: ['user:a', 'robot:one'], actions: ['delete'] }, { repositories: ['org2/repo2'], subjects: ['user:ab', 'robot:two'], actions: ['delete'] }]
  })
  // Two tokens that have everything in common but what they grant: subject, times, even the id.
  const now = Math.floor(Date.now() / 1000)
  const twin = async (tenant: string): Promise<string> => recordToken(await mintToken({
    key: gateway.keys.current.ring.signing(now),
    claims: { ...rightClaims(), iss: gateway.config.tokens.issuer, aud: gateway.config.tokens.service, iat: now, nbf: now - 10, exp: now + 300, access: [grant(tenant, 'delete')] }
  }))
  const identities: readonly (readonly [string, 'org1/repo1' | 'org2/repo2'])[] = [
    [`Bearer ${await twin('org1/repo1')}`, 'org1/repo1'],
    [`Bearer ${await twin('org2/repo2')}`, 'org2/repo2'],
    [basic('a', password), 'org1/repo1'],
    [basic('ab', password), 'org2/repo2'],
    [`Bearer ${secret}`, 'org1/repo1'],
    [basic('one', other), 'org2/repo2']
  ]
  const pool = new Pool(gateway.url, { connections: AT_ONCE })
  t.teardown(async () => { await pool.close() })
  const wrong = new Set<string>()
  const counts = { own: 0, others: 0 }
  let next = 0
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    while (next < ASKED) {
      const i = next++
      const [authorization, own] = identities[i % identities.length] as (typeof identities)[number]
      // Mostly what is not theirs, which costs the upstream nothing.
      const isOwn = i % 5 === 0
      const tenant = isOwn ? own : own === 'org1/repo1' ? 'org2/repo2' : 'org1/repo1'
      const answer = await pool.request({ method: 'DELETE', path: `/api/${tenant}/charts/a/1.0.0`, headers: { authorization } })
      await answer.body.dump()
      if (answer.statusCode === 200) counts[isOwn ? 'own' : 'others']++
      if (answer.statusCode !== (isOwn ? 200 : authorization.startsWith('Basic') ? 403 : 401)) wrong.add(`${authorization.slice(0, 6)} ${i % identities.length} ${tenant}: ${answer.statusCode}`)
    }
  }))
  t.strictSame([...wrong], [])
  t.strictSame(counts, { own: ASKED / 5, others: 0 })
  t.equal(hashed.length, 2, 'each password was hashed once, and remembered for the rest')
})

await t.test('a long name leaves no part of the password out, also when the right one is remembered', async t => {
  const people = (['argon2id', 'bcrypt'] as const).flatMap(kind => [51, 59, 71, 99, 127].map(length => ({ name: kind.charAt(0) + 'n'.repeat(length), password: newPassword(), kind })))
  const { ask } = await startTeam(t, { people, policy: [{ repositories: ['org1/repo1'], subjects: ['authenticated'], actions: ['pull'] }] })
  const status = async (user: string, text: string): Promise<number> => (await ask('/org1/repo1/index.yaml', { authorization: basic(user, text) })).status
  for (const { name, password } of people) {
    const wrong = [`${password}x`, password.slice(0, -1), `x${password}`, randomBytes(30).toString('hex')]
    for (const text of wrong) t.equal(await status(name, text), 401)
    t.equal(await status(name, password), 200)
    for (const text of wrong) t.equal(await status(name, text), 401, `${name.length} letters: a wrong password after the right one`)
    t.equal(await status(name.slice(0, -1), `n${password}`), 401, 'nor does the name run into the password')
    t.equal(await status(name, password), 200)
  }
})

await t.test('a token that expires while it is remembered is refused at the next request', async t => {
  let now = Math.floor(Date.now() / 1000)
  const { gateway, ask, token } = await startTeam(t, { now: () => now })
  const authorization = `Bearer ${await gateway.token([grant('org1/repo1', 'pull')])}`
  const status = async (as = authorization): Promise<number> => (await ask('/org1/repo1/index.yaml', { authorization: as })).status
  t.strictSame([await status(), await status(), await status(basic('any', authorization.slice(7)))], [200, 200, 200])
  now += gateway.config.tokens.ttl + 9 // clocks may differ by ten seconds
  t.equal(await status(), 200)
  now += 1
  const refused = await ask('/org1/repo1/index.yaml', { authorization })
  t.match([refused.status, String(refused.headers['www-authenticate'])], [401, /error="invalid_token"/])
  t.equal(await status(basic('any', authorization.slice(7))), 401)
  t.equal((await token('', { authorization })).status, 401, 'nor does it get another')
})

await t.test('a password is remembered for a minute, and no longer', async t => {
  let time = 0
  const password = newPassword()
  const { ask, hashed } = await startTeam(t, { clock: { wall: CLOCK.wall, monotonic: () => time }, people: [{ name: 'alice', password }], policy: [{ repositories: ['org1/repo1'], subjects: ['user:alice'], actions: ['pull'] }] })
  const authorization = basic('alice', password)
  for (const [seconds, hashes] of [[0, 1], [59, 1], [60, 2], [119, 2], [120, 3]] as const) {
    time = seconds
    t.equal((await ask('/org1/repo1/index.yaml', { authorization })).status, 200)
    t.equal(hashed.length, hashes, `after ${seconds} seconds`)
  }
})

await t.test('a connection that several share is nobody\'s, and an account that is gone is gone on it too', async t => {
  const secret = newSecret()
  const [alice, bob] = [newPassword(), newPassword()]
  const { gateway } = await startTeam(t, {
    people: [{ name: 'alice', password: alice }, { name: 'bob', password: bob }],
    robots: [{ name: 'ci', secrets: [secret] }],
    policy: [{ repositories: ['org1/repo1'], subjects: ['user:alice', 'robot:ci'], actions: ['delete'] }]
  })
  const pool = new Pool(gateway.url, { connections: 1 })
  t.teardown(async () => { await pool.close() })
  const ask = async (authorization?: string): Promise<number> => {
    const { statusCode, body } = await pool.request({ method: 'DELETE', path: '/api/org1/repo1/charts/a/1.0.0', headers: authorization === undefined ? {} : { authorization } })
    await body.dump()
    return statusCode
  }
  const [asAlice, asBob, asRobot] = [basic('alice', alice), basic('bob', bob), basic('any', secret)]
  for (let round = 0; round < 3; round++) {
    t.strictSame([await ask(asAlice), await ask(asAlice), await ask(), await ask(asBob), await ask(asBob), await ask(basic('alice', bob)), await ask(asRobot), await ask(asRobot), await ask(`${asAlice} `), await ask(gateway.masterKey)], [200, 200, 401, 403, 403, 401, 200, 200, 200, 401])
  }
  t.strictSame([await ask(asAlice), await ask(asRobot)], [200, 200])
  gateway.authority.current = { ...gateway.authority.current, accounts: NO_ACCOUNTS }
  t.strictSame([await ask(asRobot), await ask(asRobot), await ask(asAlice), await ask(asAlice)], [401, 401, 401, 401])
})
