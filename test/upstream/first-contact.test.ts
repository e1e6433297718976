import t from 'tap'
import { CLOCK } from '../../src/lib/clock.ts'
import { createUpstream, type UpstreamAuth } from '../../src/upstream/client.ts'
import { firstContact } from '../../src/upstream/first-contact.ts'
import { freePorts } from '../helpers/processes.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const BEARER: UpstreamAuth = { kind: 'bearer', mint: async ({ type, name, action }) => `${type}:${name}:${action}` }

await t.test('one file of nobody is asked for, with the credential that clients\' requests are sent with', async t => {
  const stub = await startStubUpstream(t)
  const cases: [depth: number | 'dynamic', auth: UpstreamAuth, target: string, authorization: string | undefined][] = [
    [2, BEARER, '/cm/nobody/nobody/charts/nothing-0.0.0.tgz', 'Bearer artifact-repository:nobody/nobody:pull'],
    [0, BEARER, '/cm/charts/nothing-0.0.0.tgz', 'Bearer artifact-repository:repo:pull'],
    ['dynamic', { kind: 'none' }, '/cm/nobody/charts/nothing-0.0.0.tgz', undefined]
  ]
  for (const [depth, auth, target, authorization] of cases) {
    const upstream = createUpstream({ origin: stub.origin, contextPath: '/cm', auth })
    t.equal(await firstContact(upstream, depth, CLOCK.wall), undefined)
    await upstream.close()
    const [seen] = stub.seen.splice(0)
    t.same([seen?.method, seen?.target, seen?.headers.authorization], ['GET', target, authorization])
  }
})

await t.test('what is wrong is one sentence, and what to look at', async t => {
  const stub = await startStubUpstream(t)
  const [nobody] = await freePorts(1)
  const cases: [name: string, origin: string, status: number, expected: RegExp][] = [
    ['a key that is not ours', stub.origin, 401, /^the chart repository does not accept the gateway \(401\): is upstream\.auth right/],
    ['an account without rights', stub.origin, 403, /^the chart repository does not accept the gateway \(403\)/],
    ['another program', stub.origin, 200, /^the chart repository gives an odd answer \(200\): is there a ChartMuseum at upstream\.url\?$/],
    ['nobody', `http://127.0.0.1:${nobody}`, 0, /^the chart repository cannot be reached \(ECONNREFUSED\): is upstream\.url right/]
  ]
  for (const [name, origin, status, expected] of cases) {
    stub.answer = () => ({ status })
    const upstream = createUpstream({ origin, contextPath: '', auth: BEARER })
    t.match(await firstContact(upstream, 2, CLOCK.wall), expected, name)
    await upstream.close()
  }
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'bearer', mint: async () => { throw new Error('no key') } } })
  t.match(await firstContact(upstream, 2, CLOCK.wall), /cannot be reached \(no key\)/)
  await upstream.close()
})

await t.test('a refusal names the clock, when that is not ours and tokens depend on it', async t => {
  const stub = await startStubUpstream(t)
  const now = Date.parse('2026-11-28T12:00:00Z') / 1000
  const cases: [date: string, auth: UpstreamAuth, status: number, expected: RegExp][] = [
    ['Sat, 28 Nov 2026 12:01:15 GMT', BEARER, 401, /^the chart repository does not accept the gateway \(401\): its clock is 75 s ahead of ours, and a token counts with up to 60 s: set both clocks right \(NTP\); if they are, is upstream\.auth right/],
    ['Sat, 28 Nov 2026 11:00:00 GMT', BEARER, 401, /\(401\): its clock is 3600 s behind ours, /],
    ['Sat, 28 Nov 2026 12:00:05 GMT', BEARER, 401, /\(401\): is upstream\.auth right/],
    ['Sat, 28 Nov 2026 11:59:55 GMT', BEARER, 401, /\(401\): is upstream\.auth right/],
    ['today', BEARER, 401, /\(401\): is upstream\.auth right/],
    ['Sat, 28 Nov 2026 11:00:00 GMT', { kind: 'none' }, 401, /\(401\): is upstream\.auth right/],
    ['Sat, 28 Nov 2026 11:00:00 GMT', { kind: 'basic', username: 'u', password: 'p' }, 403, /\(403\): is upstream\.auth right/]
  ]
  for (const [date, auth, status, expected] of cases) {
    stub.answer = () => ({ status, headers: { date } })
    const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth })
    t.match(await firstContact(upstream, 2, () => now), expected, date)
    await upstream.close()
  }
})
