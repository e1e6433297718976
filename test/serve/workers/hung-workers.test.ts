// A worker whose event loop or threads stand still makes the gateway unready and is
// replaced; one that waits for the upstream is left alone.
import { request } from 'node:http'
import t from 'tap'
import { allGone, KEY, lives, startSeveral, workersOf } from '../../helpers/several.ts'
import { startStubUpstream } from '../../helpers/stub-upstream.ts'
import { startWithWorkers, THREADS_HANG } from '../../helpers/unread.ts'
import { until, untilTrue } from '../../helpers/until.ts'

/** Milliseconds, for what is seen after 20 s and ended 5 s later, and a slow machine. */
const LONG = 60_000

await t.test('a worker that hangs makes the gateway unready, is killed, and another takes its place', { timeout: 90_000 }, async t => {
  const gateway = await startSeveral(t)
  const [victim, other] = gateway.workers() as [number, number]
  process.kill(victim, 'SIGSTOP')
  const unready = await until(async () => {
    const answer = await fetch(`${gateway.adminUrl}/readyz`)
    return answer.status === 503 ? await answer.json() as { reason: string } : undefined
  })
  t.match(unready.reason, new RegExp(`^worker ${victim} has not answered for \\d+ s$`))
  await untilTrue(() => !gateway.workers().includes(victim) && gateway.workers().length === 2)
  t.ok(gateway.workers().includes(other))
  t.equal(lives(victim), false, 'it cannot go on beside the one that has its place')
  await untilTrue(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok)
  t.match(gateway.log().find(({ msg }) => String(msg).includes('is ended')), { level: 'error', worker: victim })
})

await t.test('so does one whose threads do not move', { timeout: 90_000 }, async t => {
  const gateway = await startWithWorkers(t, { mischief: true })
  const [victim] = gateway.workers as [number]
  process.kill(victim, THREADS_HANG)
  let text = ''
  const unready = await until(async () => {
    const answer = await fetch(`${gateway.adminUrl}/readyz`)
    return answer.status === 503 ? await answer.json() as { reason: string } : undefined
  }, LONG)
  t.match(unready.reason, new RegExp(`^worker ${victim}: the threads for files and passwords have not moved for \\d+ s$`))
  await untilTrue(() => {
    text += gateway.read()
    return workersOf(text).length === 2 && !workersOf(text).includes(victim)
  }, LONG)
  await allGone([victim])
})

await t.test('an upstream that answers nobody ends no worker, however many wait for it', { timeout: 90_000 }, async t => {
  const stub = await startStubUpstream(t)
  stub.answer = async ({ target }) => target === '/health' ? {} : await new Promise<never>(() => {})
  const gateway = await startSeveral(t, { upstream: { url: stub.origin } })
  const before = gateway.workers()
  const sent = Array.from({ length: 400 }, (_, i) => request(`${gateway.url.replace('localhost', '127.0.0.1')}/org1/n${i}/index.yaml`, { agent: false, headers: { authorization: `Bearer ${KEY}` } }))
  for (const each of sent) each.on('error', () => {}).end()
  t.teardown(() => { for (const each of sent) each.destroy() })
  await untilTrue(() => stub.seen.filter(({ target }) => target !== '/health').length >= 200)
  await new Promise(resolve => setTimeout(resolve, 12_000)) // longer than a worker that hangs is left
  t.same(gateway.workers(), before)
  t.equal((await fetch(`${gateway.adminUrl}/readyz`)).status, 200)
})
