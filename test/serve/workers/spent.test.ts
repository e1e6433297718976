// What one worker has exchanged is used up for all others, and no answer goes to another one.
import t from 'tap'
import { createSharedSpent, createSpentOffice } from '../../../src/serve/workers/spent.ts'
import { createSpent, type Spent } from '../../../src/tokens/spent.ts'
import { fakeWorker, settled } from '../../helpers/channels.ts'

await t.test('several workers use a token up as one, and a worker that ends gives none back', async t => {
  const office = createSpentOffice(createSpent(() => 0))
  const join = (pid: number): Spent & { end: () => void } => {
    const worker = fakeWorker(pid)
    office.join(worker.process)
    worker.process.send({ kind: 'ping' }) // and hears nothing of other messages
    worker.own.send({ kind: 'joined' })
    return Object.assign(createSharedSpent(worker.own), { end: () => { worker.end(1); office.leave(worker.process) } })
  }
  const [a, b] = [join(1), join(2)]
  t.strictSame(await Promise.all([a.spend('one', 60), b.spend('two', 60), a.spend('two', 60), b.spend('one', 60)]), [true, true, false, false])
  a.end()
  t.strictSame(await Promise.all([b.spend('one', 60), b.spend('three', 60)]), [false, true])
  await settled()
})
