// The chart repository at the addresses that the configuration names.
import t from 'tap'
import { connectUpstreams, type Connected, type UpstreamHearers } from '../../src/serve/connect.ts'
import type { Change } from '../../src/upstream/change.ts'
import { MOST_UNANSWERED } from '../../src/upstream/breaker.ts'
import type { Question } from '../../src/upstream/client.ts'
import { testConfig } from '../helpers/app.ts'
import { somebody } from '../helpers/askers.ts'
import type { TestLike } from '../helpers/folder.ts'
import { startStubUpstream, type SeenRequest, type StubAnswer } from '../helpers/stub-upstream.ts'
import { untilTrue } from '../helpers/until.ts'

const READ: Question = { method: 'GET', target: { route: 'index', tenant: 'org1/repo1', tenantPath: 'org1/repo1', query: {} }, company: somebody(), named: false, most: 1_000, longer: 'left' }
const NOBODY = 'http://127.0.0.1:1'

/** A repository that has every version. */
function showsAll ({ target }: SeenRequest): StubAnswer {
  const version = target.slice(target.lastIndexOf('/') + 1)
  return { body: JSON.stringify({ version, digest: `of ${version}` }) }
}

function newVersion (count: number): Pick<Change, 'version' | 'became' | 'isNew'> {
  return { version: `1.0.${count}`, became: `of 1.0.${count}`, isNew: true }
}

function connect (t: TestLike, origins: readonly string[], hearers?: UpstreamHearers): Connected {
  const config = testConfig('/nowhere', origins[0])
  const connected = connectUpstreams({ current: { ...config, upstream: { ...config.upstream, auth: 'none', further: origins.slice(1) } } }, undefined, undefined, hearers)
  t.teardown(connected.close)
  return connected
}

await t.test('what is known of further addresses is said, and trouble with them is no trouble with the first', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = showsAll
  let count = 0
  const lines: [level: string, upstream: string][] = []
  let troubles = 0
  const say = (level: string) => (fields: object): void => { lines.push([level, (fields as { upstream: string }).upstream]) }
  const { upstreams, first, further } = connect(t, [NOBODY, stub.origin, `${NOBODY}1`], {
    log: { error: say('error'), warn: say('warn'), info: say('info') },
    onTrouble: () => { troubles++ }
  })
  t.strictSame([first, ...further].map(({ origin }) => origin), [NOBODY, stub.origin, `${NOBODY}1`])
  await untilTrue(async () => {
    await upstreams.show({ tenant: 'a/b', tenantPath: 'a/b', chart: 'c', ...newVersion(++count), isShown: true })
    return upstreams.followers()[0] === 'follows'
  })
  t.strictSame(upstreams.followers(), ['follows', 'unproven'])
  t.equal((await upstreams.forReads('a/b').ask(READ)).status, 200)
  t.equal(troubles, 1, 'that of the first')
  for (let i = 0; i < MOST_UNANSWERED; i++) await t.rejects((further[1] as typeof first).ask(READ))
  await untilTrue(() => lines.some(([level, upstream]) => level === 'error' && upstream === `${NOBODY}1`))
  t.equal(troubles, 1)
  t.ok(lines.some(([level, upstream]) => level === 'info' && upstream === stub.origin))
})

await t.test('nobody has to hear of it', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = showsAll
  let count = 0
  const { upstreams } = connect(t, [NOBODY, stub.origin])
  await untilTrue(async () => {
    await upstreams.show({ tenant: 'a/b', tenantPath: 'a/b', chart: 'c', ...newVersion(++count), isShown: true })
    return upstreams.followers()[0] === 'follows'
  })
})
