import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { later } from '../../../src/lib/timers.ts'
import { MOST_AUDIT_BYTES } from '../../../src/observe/audit/audit-file.ts'
import { openAudit, type AuditAim, type OpenedAudit } from '../../../src/serve/audit.ts'
import { createAuditOffice, createWorkerAudit } from '../../../src/serve/workers/audit.ts'
import { fakeWorker, manualTimers, settled } from '../../helpers/channels.ts'
import { testFolder } from '../../helpers/folder.ts'
import { untilTrue } from '../../helpers/until.ts'

const REQUIRED = { toPrimary: true, required: true }
const NOWHERE = { write () {} }

async function openedAudit ({ file, required }: AuditAim, stream: Parameters<typeof openAudit>[1] = NOWHERE): Promise<OpenedAudit> {
  const result = await openAudit({ audit: { reads: false, required, ...(file === undefined ? {} : { file }) } }, stream, { error () {}, info () {} })
  if (!result.ok) throw new Error(result.message)
  return result.opened
}

await t.test('what workers send is in the file of the primary, in order, and who waits is told', async t => {
  const file = join(testFolder(t), 'audit.log')
  const audit = await openedAudit({ file, required: true })
  const worker = fakeWorker(1)
  const office = createAuditOffice(audit)
  office.join(worker.process)
  const { write, record } = createWorkerAudit(worker.own, REQUIRED, NOWHERE, later)
  write('one\n')
  write('two\n')
  t.equal(await record?.('three\n', 'keep'), true)
  t.equal(await readFile(file, 'utf8'), 'one\ntwo\nthree\n')
  worker.own.send({ kind: 'audit', id: 99, lines: 'four\n', lost: 2 })
  await untilTrue(async () => (await readFile(file, 'utf8')).endsWith('"lines":2}\nfour\n'))
  worker.own.send({ kind: 'audit', id: 100, lines: '', lost: 1 })
  await untilTrue(async () => (await readFile(file, 'utf8')).endsWith('"lines":1}\n'))
  t.equal(audit.lost(), 3)
  worker.own.send({ kind: 'joined' })
  worker.process.send({ kind: 'ping' })
  t.equal(await record?.('five\n', 'keep'), true, 'whatever else is said between both')
  office.leave(worker.process)
  await audit.close()
  t.equal(createWorkerAudit(worker.own, { toPrimary: true, required: false }, NOWHERE, later).record, undefined)
})

await t.test('a primary that takes nothing makes nobody wait for ever, and what is lost is said as soon as it takes something', async t => {
  const timers = manualTimers()
  const worker = fakeWorker(1)
  const sent: { readonly kind: string, readonly id?: number, readonly lost?: number }[] = []
  worker.process.receive(message => { sent.push(message) })
  const { write, record } = createWorkerAudit(worker.own, REQUIRED, NOWHERE, timers.later)
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

await t.test('workers follow where their primary writes, also one that has just begun, and no line is lost or doubled on the way', async t => {
  const folder = testFolder(t)
  const file = join(folder, 'audit.log')
  const [ofPrimary, ofWorker]: [string[], string[]] = [[], []]
  const audit = await openedAudit({ required: false }, { write: line => { ofPrimary.push(line) } })
  const office = createAuditOffice(audit)
  const worker = fakeWorker(1)
  const output = createWorkerAudit(worker.own, { toPrimary: false, required: false }, { write: line => { ofWorker.push(line) } }, later)
  output.write('one\n')
  t.equal(output.record, undefined)
  t.equal(await audit.aimAt({ file, required: true }), undefined)
  office.join(worker.process)
  await settled()
  output.write('two\n')
  t.equal(await output.record?.('three\n', 'drop'), true)
  t.equal(await readFile(file, 'utf8'), 'two\nthree\n')
  const { record } = output
  const waiting = record?.('four\n', 'keep')
  t.equal(await audit.aimAt({ required: false }), undefined)
  t.equal(await waiting, true, 'nobody waits for what is not required any more')
  await settled()
  t.equal(output.record, undefined)
  output.write('five\n')
  t.same(ofWorker, ['one\n', 'five\n'])
  t.equal(await readFile(file, 'utf8') + ofPrimary.join(''), 'two\nthree\nfour\n')
  office.leave(worker.process)
  await audit.aimAt({ file, required: false })
  await settled()
  output.write('six\n')
  t.equal(ofWorker.at(-1), 'six\n', 'one that has left hears nothing')
  await audit.close()
})
