import t from 'tap'
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
    t.equal(await firstContact(upstream, depth), undefined)
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
    t.match(await firstContact(upstream, 2), expected, name)
    await upstream.close()
  }
  const upstream = createUpstream({ origin: stub.origin, contextPath: '', auth: { kind: 'bearer', mint: async () => { throw new Error('no key') } } })
  t.match(await firstContact(upstream, 2), /cannot be reached \(no key\)/)
  await upstream.close()
})
