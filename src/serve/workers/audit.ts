// Who writes the file of the audit log, when there are several workers? The primary alone; it
// tells them when there is one, is none any more, or somebody has to wait for it.
// Workers send it their lines, so many bytes at a time as may be on their way; what is beyond
// is counted, and said as soon as there is room again. Who waits for the disk is told by the primary.
import { LONGEST_WAIT, MOST_AUDIT_BYTES } from '../../observe/audit/audit-file.ts'
import type { AuditOutput, IfNot } from '../../observe/audit/auditing.ts'
import type { Later } from '../../lib/timers.ts'
import type { AuditAim, OpenedAudit } from '../audit.ts'
import type { Member, Office } from './member.ts'
import type { AuditMessage, Channel, ToPrimary, ToWorker, WorkerAudit } from './messages.ts'

/** Milliseconds above the primary's own limit: its answer is on its way. */
const ON_ITS_WAY = 2_000

interface SentLines {
  readonly size: number
  readonly answered: (ok: boolean) => void
}

/** What a worker has to know of it. */
export function aimOfWorker ({ file, required }: AuditAim): WorkerAudit {
  return { toPrimary: file !== undefined, required }
}

/**
 * The audit log as a worker sees it.
 * @param first where it goes until the primary says otherwise
 * @param stream the log's
 */
export function createWorkerAudit (
  channel: Channel<ToWorker, ToPrimary>,
  first: WorkerAudit,
  stream: Pick<AuditOutput, 'write'>,
  later: Later
): AuditOutput {
  let aim = first
  const sent = new Map<number, SentLines>()
  let last = 0
  let size = 0
  let lost = 0
  let gathered: string[] = []
  channel.receive(message => {
    if (message.kind === 'audit_aim') aim = message.aim
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
    if (!aim.toPrimary) return stream.write(line)
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

  return {
    write,
    get record () { return aim.required ? record : undefined }
  }
}

/**
 * Writes what the workers send, wherever it goes by now. Who waits for the disk while nothing
 * is required any more waits for nothing.
 */
export function createAuditOffice (
  { output, aim, countLost }: Pick<OpenedAudit, 'output' | 'aim' | 'countLost'>
): Office {
  const members = new Set<Member>()
  const tell = (member: Member): void => { member.send({ kind: 'audit_aim', aim: aimOfWorker(aim.current) }) }
  aim.follow(() => { members.forEach(tell) })
  return {
    join (member) {
      members.add(member)
      tell(member) // it may have changed since it began
      member.receive(message => {
        if (message.kind !== 'audit') return
        const { id, lines, record, lost } = message
        countLost(lost)
        const done = (ok: boolean): void => { member.send({ kind: 'audited', id, ok }) }
        if (record === undefined || output.record === undefined) {
          for (const line of lines.split(/(?<=\n)/)) if (line !== '') output.write(line)
          done(true)
        } else void output.record(lines, record).then(done)
      })
    },
    leave (member) { members.delete(member) }
  }
}
