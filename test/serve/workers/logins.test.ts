// What one worker's client failed at counts for those of all others, and no answer goes to another one.
import t from 'tap'
import type { Login } from '../../../src/limits/login.ts'
import { createLoginLimits, type LoginLimits } from '../../../src/limits/logins.ts'
import { createLoginOffice, createSharedLogins } from '../../../src/serve/workers/logins.ts'
import { fakeWorker, settled } from '../../helpers/channels.ts'

await t.test('several workers count failed logins as one', async t => {
  const own = createLoginLimits(() => ({ perAccount: 2, perAddress: 3, within: 300 }), { clock: () => 0, onShared: () => {} })
  const office = createLoginOffice(own)
  const join = (pid: number): LoginLimits & { end: () => void } => {
    const worker = fakeWorker(pid)
    office.join(worker.process)
    worker.process.send({ kind: 'ping' }) // and hears nothing of other messages
    worker.own.send({ kind: 'joined' })
    return Object.assign(createSharedLogins(worker.own, own.key), { end: () => { worker.end(1); office.leave(worker.process) } })
  }
  const [a, b] = [join(1), join(2)]
  t.equal(a.key, own.key)
  const login = (proof: string, account = 'alice'): Login => ({ origin: '192.0.2.1', account, proof, isPeer: true })
  t.strictSame(await Promise.all([a.begin(login('1')), b.begin(login('2'))]), [{ ok: true, ticket: 1 }, { ok: true, ticket: 2 }])
  await Promise.all([a.settle(1, 'wrong'), b.settle(2, 'wrong')])
  t.strictSame(await a.begin(login('3')), { ok: true, ticket: 3 }, 'the one that is spare')
  t.match(await Promise.all([a.admit(login('4')), b.begin(login('5')), b.admit(login('6', 'bob'))]), [{ ok: false }, { ok: false }, { ok: true }])
  a.end()
  await b.letIn(login('the password'))
  t.strictSame(await b.admit(login('the password')), { ok: true })
  for (let i = 0; i < 3; i++) t.strictSame(await b.miss('192.0.2.2'), { ok: true })
  t.match(await b.miss('192.0.2.2'), { ok: false, seconds: Number })
  await settled()
})

await t.test('what a worker was hashing when it ended counts no longer, and who waits for that goes on', async t => {
  const own = createLoginLimits(() => ({ perAccount: 1, perAddress: 9, within: 300 }), { clock: () => 0, onShared: () => {} })
  const office = createLoginOffice(own)
  const [a, b] = [1, 2].map(pid => {
    const worker = fakeWorker(pid)
    office.join(worker.process)
    return { limits: createSharedLogins(worker.own, own.key), end () { worker.end(1); office.leave(worker.process) } }
  }) as [{ limits: LoginLimits, end: () => void }, { limits: LoginLimits, end: () => void }]
  const guess = (proof: string): Login => ({ origin: '192.0.2.1', account: 'alice', proof, isPeer: true })
  const told: string[] = []
  for (const proof of ['1', '2']) {
    void a.limits.begin(guess(proof)).then(({ ok }) => { told.push(`a${proof} ${ok}`) })
    await settled()
  }
  void b.limits.begin(guess('3')).then(({ ok }) => { told.push(`b3 ${ok}`) })
  await settled()
  t.strictSame(told, ['a1 true'])
  a.end()
  await settled()
  t.strictSame(told, ['a1 true', 'b3 true'], 'and what it was not told of does not begin')
  office.leave(fakeWorker(3).process) // which ended before it had joined
  await b.limits.settle(3, 'right')
  t.match(await b.limits.begin(guess('4')), { ok: true })
})
