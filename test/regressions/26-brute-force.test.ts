// Class 26, brute force: passwords that are guessed, one after another (docker/cli#3015 is
// what a client does by itself). The limits of failed logins, and what they must not do:
// keep somebody out who has the right credential, tell which accounts there are, be
// switched off by a header, or grow with what clients think out.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { SPARE } from '../../src/limits/logins.ts'
import { grant } from '../helpers/app.ts'
import { testClock, type TestClock } from '../helpers/clock.ts'
import { startGateway, type Gateway } from '../helpers/gateway.ts'
import { notTried } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { openRaw } from '../helpers/raw.ts'
import { NO_REDIS, redisServer, startRedis } from '../helpers/redis.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { accountsFile, basic, form, startTeam, type Answer, type Team } from '../helpers/team.ts'
import { untilTrue } from '../helpers/until.ts'

const INDEX = '/org1/repo1/index.yaml'
const POLICY = [{ repositories: ['org1/repo1'], subjects: ['authenticated'], actions: ['pull' as const] }]
const [PER_ACCOUNT, PER_ADDRESS] = [4, 8]
/** More than a limit, with the one that is spare. */
const MANY = 12
const passwords = { alice: newPassword(), bob: newPassword(), carol: newPassword(), dave: newPassword() }
const secret = newSecret()

interface Lab extends Team {
  readonly clock: TestClock
  /** The status of a request with Basic, from one of the addresses of this machine. */
  from (address: string, name: string, password: string, headers?: string): Promise<number>
}

async function startLab (t: Test, trustedProxies: readonly string[] = []): Promise<Lab> {
  const clock = testClock(1_800_000_000)
  const team = await startTeam(t, {
    clock,
    people: Object.entries(passwords).map(([name, password]) => ({ name, password })),
    robots: [{ name: 'ci', secrets: [secret] }],
    policy: POLICY,
    config: config => ({ ...config, trustedProxies: [...trustedProxies], limits: { logins: { perAccount: PER_ACCOUNT, perAddress: PER_ADDRESS, within: 300 } } })
  })
  return Object.assign(team, {
    clock,
    async from (localAddress: string, name: string, password: string, headers = '') {
      const { socket, text, received } = await openRaw(t, team.gateway.port, { localAddress })
      socket.write(`GET ${INDEX} HTTP/1.1\r\nHost: x\r\nAuthorization: ${basic(name, password)}\r\n${headers}\r\n`)
      await received(/\r\n\r\n/)
      socket.destroy()
      return Number(text().split(' ')[1])
    }
  })
}

/** What came of so many tries, one after the other. */
async function tries<T> (count: number, ask: (i: number) => Promise<T>): Promise<T[]> {
  const answers: T[] = []
  for (let i = 0; i < count; i++) answers.push(await ask(i))
  return answers
}

function statuses (answers: readonly Answer[]): number[] {
  return answers.map(({ status }) => status)
}

/** So many are judged, one more is spare, and the rest is refused. */
function judged (most: number, count = MANY): number[] {
  return [...Array<number>(most + 1).fill(401), ...Array<number>(count - most - 1).fill(429)]
}

await t.test('at every door guesses end at the limit, at no cost, and it says for how long', async t => {
  const doors: Record<string, (team: Team) => Promise<Answer>> = {
    'Basic at a route': async team => await team.ask(INDEX, { authorization: basic('alice', newPassword()) }),
    'Basic at the token endpoint': async team => await team.ask('/oauth/token', { authorization: basic('alice', newPassword()) }),
    'a form at the token endpoint': async team => await team.ask('/oauth/token', form({ grant_type: 'password', username: 'alice', password: newPassword() }))
  }
  for (const [door, ask] of Object.entries(doors)) {
    const team = await startLab(t)
    const answers = await tries(MANY, async () => await ask(team))
    t.strictSame(statuses(answers), judged(PER_ACCOUNT), door)
    t.equal(team.hashed.length, PER_ACCOUNT + 1, door)
    const { headers, body } = answers.at(-1) as Answer
    t.ok(Number(headers['retry-after']) > 250 && Number(headers['retry-after']) <= 300, `${door}: ${headers['retry-after']}`)
    t.equal(headers['www-authenticate'], undefined, door)
    t.match(body, /too many failed logins: try again when Retry-After says so/, door)
    t.match(team.gateway.log.at(-1), { decision: 'refused', reason: 'too_many_failed_logins', status: 429, ip: '127.0.0.1' }, door)
    t.match(team.gateway.audit.at(-1), { reason: 'too_many_failed_logins' }, door)
    t.match(team.gateway.meter.snapshot().rows.chartgate_failed_logins_total, [[Number, PER_ACCOUNT + 1], [Number, MANY - PER_ACCOUNT - 1]], door)
  }
})

await t.test('whatever name is guessed at, an address ends at its own limit; a name that is nobody\'s gets the same answers', async t => {
  const spread = await startLab(t)
  t.strictSame(await tries(MANY, async i => await spread.from('127.0.0.2', `user${i}`, newPassword())), judged(PER_ADDRESS))
  t.equal(spread.hashed.length, PER_ADDRESS + 1)
  const answersFor = async (name: string): Promise<unknown[]> => {
    const team = await startLab(t)
    const answers = await tries(MANY, async () => await team.ask(INDEX, { authorization: basic(name, newPassword()) }))
    t.equal(team.hashed.length, PER_ACCOUNT + 1)
    return answers.map(({ status, headers: { date, 'x-request-id': id, 'retry-after': after, ...headers }, body }) => ({ status, headers, body, after: after === undefined }))
  }
  t.strictSame(await answersFor('nobody'), await answersFor('alice'))
  t.strictSame(await answersFor('no name \u00e9'), await answersFor('bob'))
})

await t.test('who is right gets in while their address is over every limit', async t => {
  const team = await startLab(t)
  const { ask, gateway, clock, hashed } = team
  const token = await gateway.token([grant('org1/repo1', 'pull')], 'user:alice')
  t.equal((await ask(INDEX, { authorization: basic('alice', passwords.alice) })).status, 200)
  await tries(MANY, async i => await ask(INDEX, { authorization: basic(i % 2 === 0 ? 'alice' : `user${i}`, newPassword()) }))
  const guess = async (): Promise<number> => (await ask(INDEX, { authorization: basic('alice', newPassword()) })).status
  t.equal(await guess(), 429)
  const good: Record<string, string> = {
    'a token': `Bearer ${token}`,
    'a token as a password': basic('any', token),
    'a robot\'s secret': basic('ci', secret),
    'the master key': `Bearer ${gateway.masterKey}`,
    'a password that is remembered': basic('alice', passwords.alice)
  }
  for (const [what, authorization] of Object.entries(good)) t.equal((await ask(INDEX, { authorization })).status, 200, what)
  clock.pass(3_600)
  const before = hashed.length
  t.equal((await ask(INDEX, { authorization: basic('alice', passwords.alice) })).status, 200, 'a password that was right an hour ago')
  t.equal(hashed.length - before, 1)
  t.equal(await guess(), 429)
  t.equal(await team.from('127.0.0.2', 'alice', passwords.alice), 200)
  t.equal(await team.from('127.0.0.3', 'bob', passwords.bob), 200, 'from elsewhere somebody who was never here')
})

await t.test('wrong secrets and keys are refused as well, and never the right one', async t => {
  const { ask, hashed } = await startLab(t)
  const wrong = [() => `Bearer ${newSecret()}`, () => basic('ci', newSecret()), () => `Bearer ${newPassword()}`]
  const answers = await tries(PER_ADDRESS + 3, async i => await ask(INDEX, { authorization: (wrong[i % wrong.length] as () => string)() }))
  t.strictSame(statuses(answers), [...Array<number>(PER_ADDRESS).fill(401), 429, 429, 429])
  t.equal((await ask(INDEX, { authorization: `Bearer ${secret}` })).status, 200)
  t.equal((await ask(INDEX, { authorization: basic('alice', passwords.alice) })).status, 200, 'and a first password is tried')
  t.equal(hashed.length, 1)
})

await t.test('no header of a client moves a limit, and a trusted proxy says whose failures they are', async t => {
  const untrusted = await startLab(t)
  const headers = (i: number): string => ['X-Forwarded-For', 'X-Real-IP', 'Forwarded', 'X-Client-IP', 'True-Client-IP', 'CF-Connecting-IP', 'Via']
    .map(name => `${name}: ${name === 'Forwarded' ? 'for=' : ''}192.0.2.${i}\r\n`).join('') + 'X-RateLimit-Bypass: 1\r\n'
  t.strictSame(await tries(MANY, async i => await untrusted.from('127.0.0.2', 'alice', newPassword(), headers(i))), judged(PER_ACCOUNT))
  const trusted = await startLab(t, ['127.0.0.2'])
  const through = async (client: string, password = newPassword()): Promise<number> => await trusted.from('127.0.0.2', 'alice', password, `X-Forwarded-For: ${client}\r\n`)
  t.strictSame(await tries(MANY, async () => await through('192.0.2.1')), judged(PER_ACCOUNT))
  t.equal(await through('192.0.2.2', passwords.alice), 200)
  t.strictSame(await tries(MANY, async i => await through(`2001:db8:1:2:${i}::1`)), judged(PER_ACCOUNT), 'of IPv6 a /64 is one')
  t.equal(await through('2001:db8:1:3::1'), 401)
})

await t.test('behind a proxy that nobody named there are several, who have more together, and one line says what to do', async t => {
  const { from, gateway } = await startLab(t)
  const said = (): unknown[] => gateway.log.filter(({ msg }) => /trustedProxies/.test(String(msg)))
  for (const [name, password] of Object.entries(passwords)) {
    t.strictSame(said(), [])
    t.equal(await from('127.0.0.2', name, password), 200)
  }
  t.equal(await from('127.0.0.2', 'alice', passwords.alice), 200)
  t.match(said(), [{ level: 'warn', ip: '127.0.0.2', msg: `several accounts log in from this address: if it is a proxy, name it in trustedProxies, so that failed logins are counted for each client behind it; till then they share ${10 * PER_ADDRESS} (limits.logins.perAddress)` }])
  t.strictSame(await tries(10 * PER_ADDRESS + 3, async i => await from('127.0.0.2', `user${i}`, newPassword())), judged(10 * PER_ADDRESS, 10 * PER_ADDRESS + 3))
})

/** Gateways of two workers each, all of which are ready. */
async function startPrograms (t: Test, howMany: number, more: object = {}): Promise<Gateway[]> {
  const file = join(await temporaryFolder(t), 'accounts.yaml')
  writeFileSync(file, await accountsFile([{ name: 'alice', password: passwords.alice }]))
  const config = { workers: 2, accounts: { files: [file] }, policy: POLICY, limits: { logins: { perAccount: 3, perAddress: 100 } }, ...more }
  return await Promise.all(Array.from({ length: howMany }, async () => {
    const program = await startGateway(t, config)
    await untilTrue(async () => (await fetch(`${program.adminUrl}/readyz`)).ok)
    return program
  }))
}

/** Of guesses at all of them, many at once and then some more, no more are hashed than one gateway hashes one by one. */
async function guessesEnd (t: Test, programs: readonly Gateway[]): Promise<void> {
  const began = performance.now()
  const guess = async (i: number): Promise<number> => {
    const { url } = programs[i % programs.length] as Gateway
    return (await fetch(url + INDEX, { headers: { authorization: basic('alice', newPassword()), connection: 'close' } })).status
  }
  const all = (await Promise.all(Array.from({ length: 60 }, async (_, i) => await guess(i)))).concat(await tries(10, guess))
  const tried = all.filter(status => status === 401).length
  const spare = 1 + Math.floor((performance.now() - began) / (SPARE * 1000))
  t.ok(tried >= 4 && tried <= 3 + spare, `${tried} were tried, of which ${spare} were spare`)
  t.strictSame(new Set(all), new Set([401, 429]))
  const counted = await Promise.all(programs.map(async ({ adminUrl }) => await (await fetch(`${adminUrl}/metrics`)).text()))
  for (const text of counted) t.match(text, /^chartgate_logins_limited_total\{limit="account"\} \d\d/m)
}

await t.test('with workers a limit is the gateway\'s, and not each worker\'s, also of guesses that come at once', async t => {
  await guessesEnd(t, await startPrograms(t, 1))
})

await t.test('with Redis a limit is all replicas\' together, also of guesses that come at once', async t => {
  if (redisServer === undefined) return await notTried(t, 'Redis', NO_REDIS)
  const redis = await startRedis(t)
  await guessesEnd(t, await startPrograms(t, 2, { redis: { url: redis.url } }))
})
