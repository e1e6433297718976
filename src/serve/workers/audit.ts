// Who writes the file of the audit log, when there are several workers? The primary alone.
// Workers send it their lines, so many bytes at a time as may be on their way; what is beyond
// is counted, and said as soon as there is room again. Who waits for the disk is told by the primary.
import type { AuditFile } from '../../observe/audit/audit-file.ts'
import { LONGEST_WAIT, MOST_AUDIT_BYTES } from '../../observe/audit/audit-file.ts'
import type { AuditOutput, IfNot } from '../../observe/audit/auditing.ts'
import type { Later } from '../../lib/timers.ts'
import type { Office } from './member.ts'
import type { AuditMessage, Channel, ToPrimary, ToWorker } from './messages.ts'

/** Milliseconds above the primary's own limit: its answer is on its way. */
const ON_ITS_WAY = 2_000

interface SentLines {
  readonly size: number
  readonly answered: (ok: boolean) => void
}

/** The audit log as a worker sees it. @param required whether somebody waits for the disk */
export function createWorkerAudit (
  channel: Channel<ToWorker, ToPrimary>,
  required: boolean,
  later: Later
): AuditOutput {
  const sent = new Map<number, SentLines>()
  let last = 0
  let size = 0
  let lost = 0
  let gathered: string[] = []
  channel.receive(message => {
    if (message.kind !== 'audited') return
    const lines = sent.get(message.id)
    sent.delete(message.id)
    size -= lines?.size ?? 0
    lines?.answered(message.ok)
    // Nobody knows when the next line comes.
    if (lost > 0 && size === 0) send({ lines: '' }, 0, () => {})
  })

  function send (
    message: Pick<AuditMessage, 'lines' | 'record'>,
    bytes: number,
    answered: (ok: boolean) => void
  ): void {
    const id = ++last
    sent.set(id, { size: bytes, answered })
    channel.send({ kind: 'audit', id, ...message, lost })
    lost = 0
  }

  /** False when there is no room for it. */
  function hasRoom (line: string): boolean {
    const bytes = Buffer.byteLength(line)
    if (size + bytes > MOST_AUDIT_BYTES) return false
    size += bytes
    return true
  }

  function sendGathered (): void {
    const lines = gathered.join('')
    gathered = []
    if (lines !== '') send({ lines }, Buffer.byteLength(lines), () => {})
  }

  function write (line: string): void {
    if (!hasRoom(line)) {
      lost++
      return
    }
    if (gathered.push(line) === 1) setImmediate(sendGathered) // all of one turn of the event loop in one message
  }

  async function record (line: string, ifNot: IfNot): Promise<boolean> {
    if (!hasRoom(line)) {
      if (ifNot === 'keep') lost++
      return false
    }
    sendGathered() // what came before stands before it
    return await new Promise(resolve => {
      const endWait = later(LONGEST_WAIT + ON_ITS_WAY, () => { resolve(false) })
      send({ lines: line, record: ifNot }, Buffer.byteLength(line), ok => {
        endWait()
        resolve(ok)
      })
    })
  }

  return { write, ...(required ? { record } : {}) }
}

/** Writes what the workers send. */
export function createAuditOffice (file: AuditFile): Office {
  return {
    join (member) {
      member.receive(message => {
        if (message.kind !== 'audit') return
        const { id, lines, record, lost } = message
        file.countLost(lost)
        const done = (ok: boolean): void => { member.send({ kind: 'audited', id, ok }) }
        if (record === undefined) {
          for (const line of lines.split(/(?<=\n)/)) if (line !== '') file.write(line)
          done(true)
        } else void file.record(lines, record).then(done)
      })
    },
    leave () {}
  }
}
