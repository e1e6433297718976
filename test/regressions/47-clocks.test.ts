// Class 47: a clock that is set, and what was kept by it. A kept token for the upstream
// whose time had not come was sent for an hour after the clock was set back by one, and
// 15 s between two machines were a 502 in part of every minute; a token of a client whose
// end moved away with the clock lived on, and could be exchanged for others.
import t from 'tap'
import type { Clock } from '../../src/lib/clock.ts'
import { grant } from '../helpers/app.ts'
import { testClock } from '../helpers/clock.ts'
import { partsOf } from '../helpers/jwt-lab.ts'
import { newSecret } from '../helpers/secrets.ts'
import { EMPTY_INDEX, type SeenRequest, type StubUpstream } from '../helpers/stub-upstream.ts'
import { startTeam, type Team } from '../helpers/team.ts'

const INDEX = '/org1/repo1/index.yaml'
const NOON = 1_800_000_000
const HOUR = 3600

/** Times as ChartMuseum 0.16.5 checks them (golang-jwt v4.5.2, map_claims.go, Valid): no leeway, each claim optional. */
function isValidAt (token: string, now: number): boolean {
  const { exp, iat, nbf } = partsOf(token).payload as Record<string, number | undefined>
  return (exp === undefined || now < exp) && (iat === undefined || now >= iat) && (nbf === undefined || now >= nbf)
}

function bearerOf ({ headers }: Pick<SeenRequest, 'headers'>): string {
  return (headers.authorization as string).slice('Bearer '.length)
}

/** ChartMuseum, with a clock of its own. */
function judging (stub: StubUpstream, now: () => number): void {
  stub.answer = request => isValidAt(bearerOf(request), now())
    ? { headers: { 'content-type': 'application/x-yaml' }, body: EMPTY_INDEX }
    : { status: 401, body: '{"error":"unauthorized"}' }
}

async function teamWith (t: Parameters<typeof startTeam>[0], clock: Clock, secret = newSecret()): Promise<Team> {
  return await startTeam(t, { clock, robots: [{ name: 'ci', secrets: [secret] }], policy: [{ repositories: ['**'], subjects: ['robot:ci'], actions: ['pull'] }] })
}

await t.test('a clock that is set, back or forward, by seconds or by an hour, loses no tenant a read', async t => {
  const clock = testClock(NOON)
  const secret = newSecret()
  const { stub, ask } = await teamWith(t, clock, secret)
  judging(stub, clock.wall)
  const status = async (): Promise<number> => (await ask(INDEX, { authorization: `Bearer ${secret}` })).status
  for (const seconds of [0, -HOUR, HOUR, -15, 15, -59, 59, -61, 61, -24 * HOUR, 24 * HOUR]) {
    clock.set(seconds)
    for (let i = 0; i < 4; i++) {
      t.equal(await status(), 200, `set by ${seconds} s, ${i * 20} s later`)
      clock.pass(20)
    }
  }
})

await t.test('a minute between our clock and ChartMuseum\'s, in either direction, refuses nothing in any second', async t => {
  const clock = testClock(NOON)
  const secret = newSecret()
  const { stub, ask } = await teamWith(t, clock, secret)
  let theirs = 0
  judging(stub, () => clock.wall() + theirs)
  const refused: [number, number][] = []
  for (const skew of [-60, -15, 0, 15, 60]) {
    theirs = skew
    for (let second = 0; second < 130; second++) {
      if ((await ask(INDEX, { authorization: `Bearer ${secret}` })).status !== 200) refused.push([skew, second])
      clock.pass(1)
    }
  }
  t.strictSame(refused, [])
  t.ok(new Set(stub.seen.map(bearerOf)).size < stub.seen.length / 40, 'and most requests share a token')
})

await t.test('a client\'s token lives no longer than it had left when it was verified, wherever the clock is set', async t => {
  const clock = testClock(NOON)
  const { gateway, ask, token } = await teamWith(t, clock)
  const authorization = `Bearer ${await gateway.token([grant('org1/repo1', 'pull')], 'robot:ci')}`
  const status = async (): Promise<number> => (await ask(INDEX, { authorization })).status
  t.equal(await status(), 200)
  clock.set(-5)
  clock.pass(300) // its life
  t.equal(await status(), 200, 'clocks may differ by ten seconds')
  clock.pass(10)
  t.equal(await status(), 401)
  clock.set(-HOUR)
  t.equal(await status(), 401, 'the clock says that it has an hour left')
  t.equal(await status(), 401, 'and it is not verified anew either')
  t.equal((await token('', { authorization })).status, 401, 'nor does it get another')
  clock.set(2 * HOUR)
  t.equal(await status(), 401)
})

await t.test('a clock that is set forward ends a token, and set back again gives it what it had left', async t => {
  const clock = testClock(NOON)
  const { gateway, ask } = await teamWith(t, clock)
  const authorization = `Bearer ${await gateway.token([grant('org1/repo1', 'pull')], 'robot:ci')}`
  const status = async (): Promise<number> => (await ask(INDEX, { authorization })).status
  t.equal(await status(), 200)
  clock.set(HOUR)
  t.equal(await status(), 401)
  clock.pass(100)
  clock.set(-HOUR)
  t.equal(await status(), 200)
  clock.set(-HOUR)
  clock.pass(209)
  t.equal(await status(), 200)
  clock.pass(1)
  t.equal(await status(), 401)
})

await t.test('a token that is got with a token ends with it, also when the clock is set back in between', async t => {
  const clock = testClock(NOON)
  const { gateway, token } = await teamWith(t, clock)
  const first = await gateway.token([grant('org1/repo1', 'pull')], 'robot:ci')
  const lifeOf = async (bearer: string): Promise<number> => {
    const { status, body } = await token('?scope=artifact-repository:org1/repo1:pull', { authorization: `Bearer ${bearer}` })
    return status === 200 ? (JSON.parse(body) as { expires_in: number }).expires_in : 0
  }
  t.equal(await lifeOf(first), 300)
  clock.set(-HOUR)
  clock.pass(290)
  t.equal(await lifeOf(first), 10, 'the clock says 3610')
  clock.pass(10)
  t.equal(await lifeOf(first), 0)
})
