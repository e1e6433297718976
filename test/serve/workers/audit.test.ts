import { open, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { later } from '../../../src/lib/timers.ts'
import { AuditFile, MOST_AUDIT_BYTES } from '../../../src/observe/audit/audit-file.ts'
import { createAuditOffice, createWorkerAudit } from '../../../src/serve/workers/audit.ts'
import { fakeWorker, manualTimers, settled } from '../../helpers/channels.ts'
import { testFolder } from '../../helpers/folder.ts'
import { untilTrue } from '../../helpers/until.ts'

await t.test('what workers send is in the file of the primary, in order, and who waits is told', async t => {
  const file = join(testFolder(t), 'audit.log')
  const audit = new AuditFile({ file, opened: { handle: await open(file, 'a'), isCut: false }, log: { error () {}, info () {} }, lostLine: lines => `${lines} lost\n`, later })
  const worker = fakeWorker(1)
  const office = createAuditOffice(audit)
  office.join(worker.process)
  const { write, record } = createWorkerAudit(worker.own, true, later)
  write('one\n')
  write('two\n')
  t.equal(await record?.('three\n', 'keep'), true)
  t.equal(await readFile(file, 'utf8'), 'one\ntwo\nthree\n')
  worker.own.send({ kind: 'audit', id: 99, lines: 'four\n', lost: 2 })
  await untilTrue(async () => (await readFile(file, 'utf8')).endsWith('2 lost\nfour\n'))
  worker.own.send({ kind: 'audit', id: 100, lines: '', lost: 1 })
  await untilTrue(async () => (await readFile(file, 'utf8')).endsWith('four\n1 lost\n'))
  t.equal(audit.lost(), 3)
  worker.own.send({ kind: 'joined' })
  worker.process.send({ kind: 'ping' })
  t.equal(await record?.('five\n', 'keep'), true, 'whatever else is said between both')
  office.leave(worker.process)
  await audit.close()
  t.equal(createWorkerAudit(worker.own, false, later).record, undefined)
})

await t.test('a primary that takes nothing makes nobody wait for ever, and what is lost is said as soon as it takes something', async t => {
  const timers = manualTimers()
  const worker = fakeWorker(1)
  const sent: { readonly kind: string, readonly id?: number, readonly lost?: number }[] = []
  worker.process.receive(message => { sent.push(message) })
  const { write, record } = createWorkerAudit(worker.own, true, timers.later)
  const waiting = record?.('intent\n', 'drop')
  timers.fire()
  t.equal(await waiting, false)
  write(`${'x'.repeat(MOST_AUDIT_BYTES - 8)}\n`)
  await settled()
  write('lost\n')
  t.equal(await record?.('intent\n', 'drop'), false)
  t.equal(await record?.('outcome\n', 'keep'), false)
  await settled()
  for (const { id } of sent) worker.process.send({ kind: 'audited', id: id as number, ok: true })
  worker.process.send({ kind: 'audited', id: 77, ok: true })
  await settled()
  t.equal(sent.reduce((sum, { lost = 0 }) => sum + lost, 0), 2, 'without another line')
  t.match({ ...sent.at(-1) }, { kind: 'audit', lines: '', lost: 2 })
  const asked = sent.length
  worker.process.send({ kind: 'audited', id: sent.at(-1)?.id as number, ok: true })
  await settled()
  t.equal(sent.length, asked)
})
