// What one worker's client failed at counts for those of all others, and no answer goes to another one.
import t from 'tap'
import { createLoginLimits, type Login, type LoginLimits } from '../../../src/limits/logins.ts'
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
  t.strictSame(await Promise.all([a.admit(login('1'), true), b.admit(login('2'), true)]), [{ ok: true }, { ok: true }])
  await Promise.all([a.settle(login('1'), false), b.settle(login('2'), false)])
  t.strictSame(await a.admit(login('3'), true), { ok: true }, 'the one that is spare')
  t.match(await Promise.all([a.admit(login('4'), false), b.admit(login('5'), false), b.admit(login('6', 'bob'), false)]), [{ ok: false }, { ok: false }, { ok: true }])
  a.end()
  await b.settle(login('the password'), true)
  t.strictSame(await b.admit(login('the password'), false), { ok: true })
  for (let i = 0; i < 3; i++) t.strictSame(await b.miss('192.0.2.2'), { ok: true })
  t.match(await b.miss('192.0.2.2'), { ok: false, seconds: Number })
  await settled()
})
