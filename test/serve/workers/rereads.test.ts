// Whether every worker has read its files again, told by what each of them says.
import t from 'tap'
import { createRereadOffice } from '../../../src/serve/workers/rereads.ts'
import { fakeWorker, manualTimers, settled } from '../../helpers/channels.ts'

function lab () {
  const timers = manualTimers()
  const office = createRereadOffice(timers.later)
  const workers = [11, 12, 13].map(fakeWorker)
  for (const { process } of workers) office.join(process)
  return { timers, office, workers }
}

await t.test('all of them are told, and what they cannot use is said once', async t => {
  const { timers, office, workers } = lab()
  const asked = office.ask()
  for (const { own, sent } of workers) {
    t.same(sent, [{ kind: 'reread', id: 1 }])
    own.send({ kind: 'joined' })
    own.send({ kind: 'reread', id: 1, mistakes: ['a'] })
    own.send({ kind: 'reread', id: 1, mistakes: ['twice'] })
  }
  t.same(await asked, { mistakes: ['a'], silent: [] })
  await settled()
  t.same(timers.waiting(), [])
})

await t.test('who says nothing in time is named, and who has ended holds nobody up', async t => {
  const { timers, office, workers: [first, second] } = lab()
  const asked = office.ask()
  first?.own.send({ kind: 'reread', id: 1, mistakes: [] })
  if (second !== undefined) office.leave(second.process)
  await settled()
  timers.fire()
  t.same(await asked, { mistakes: [], silent: [13] })
})

await t.test('who never began has no number to be named by', async t => {
  const timers = manualTimers()
  const office = createRereadOffice(timers.later)
  office.join({ ...fakeWorker(14).process, pid: undefined })
  const asked = office.ask()
  timers.fire()
  t.same(await asked, { mistakes: [], silent: [] })
})

await t.test('without workers nobody is waited for', async t => {
  t.same(await createRereadOffice(manualTimers().later).ask(), { mistakes: [], silent: [] })
})
