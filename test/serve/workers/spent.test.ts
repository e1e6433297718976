// What one worker has exchanged is used up for all others, and no answer goes to another one.
import t from 'tap'
import { createSharedSpent, createSpentOffice } from '../../../src/serve/workers/spent.ts'
import type { Spent } from '../../../src/tokens/spent.ts'
import { fakeWorker, settled } from '../../helpers/channels.ts'
import { testClock } from '../../helpers/clock.ts'
import { testFolder } from '../../helpers/folder.ts'
import { shown, spentIn } from '../../helpers/spent.ts'
import { NOW } from '../../helpers/tokens.ts'

await t.test('several workers use a token up as one, and a worker that ends gives none back', async t => {
  const office = createSpentOffice(await spentIn(testFolder(t), testClock(NOW)))
  const join = (pid: number): Spent & { end: () => void } => {
    const worker = fakeWorker(pid)
    office.join(worker.process)
    worker.process.send({ kind: 'ping' }) // and hears nothing of other messages
    worker.own.send({ kind: 'joined' })
    return Object.assign(createSharedSpent(worker.own), { end: () => { worker.end(1); office.leave(worker.process) } })
  }
  const [a, b] = [join(1), join(2)]
  t.strictSame(await Promise.all([a.spend(shown('one')), b.spend(shown('two')), a.spend(shown('two')), b.spend(shown('one'))]), ['first', 'first', 'used', 'used'])
  a.end()
  t.strictSame(await Promise.all([b.spend(shown('one')), b.spend(shown('three'))]), ['used', 'first'])
  await settled()
})
