// How do lines come into the file of the audit log? Appended, whole, one write at a time, in
// the order in which they came; those who wait for the disk share one fdatasync. Nobody else
// waits: up to a bound lines are kept in memory, beyond it they are counted, and that is said
// once when it begins and once when it is over.
import { writeSync } from 'node:fs'
import type { FileHandle } from 'node:fs/promises'
import type { Later } from '../../lib/timers.ts'
import type { AuditOutput, IfNot } from './auditing.ts'
import { Backlog, type WaitingLine } from './backlog.ts'
import { codeOf, openToAppend, type OpenFile } from './open-file.ts'

/** Bytes that wait at most. */
export const MOST_AUDIT_BYTES = 4 * 1024 * 1024
/** After a loss lines are kept again when no more wait than this: many lines between two losses. */
const ROOM_AGAIN = MOST_AUDIT_BYTES / 2
/** Milliseconds after which what failed is tried again, and what a slow reader did not take. */
const RETRY = 500
const RETRY_READER = 20
const SLOW_READER = 'EAGAIN'
/** Milliseconds that somebody waits for the disk. */
export const LONGEST_WAIT = 10_000
/** Milliseconds that the end of the process gives to it. */
export const LAST_WAIT = 2_000

export interface AuditFileOptions {
  readonly file: string
  /** The same file. */
  readonly opened: OpenFile
  readonly log: { error (fields: object, message: string): void, info (fields: object, message: string): void }
  /** The line that says, where they are missing, how many. */
  readonly lostLine: (lines: number) => string
  readonly later: Later
}

interface NextFile {
  readonly file: string
  readonly opened: OpenFile
}

export class AuditFile implements Required<AuditOutput> {
  private readonly options: AuditFileOptions
  private readonly backlog = new Backlog()
  private handle: FileHandle
  private file: string
  /** Another file, which is to take the place of this one. */
  private next: NextFile | undefined
  /** Lines that were lost since the start, and those of them of which no line says so yet. */
  private lostLines = 0
  private unsaid = 0
  private failing = false
  private isRenamed = false
  private isRemoved = false
  private isClosed = false
  /** Lines of which nobody knows yet whether the file takes them. */
  private writing: readonly WaitingLine[] = []
  private running: Promise<void> | undefined
  private resting: (() => void) | undefined

  constructor (options: AuditFileOptions) {
    this.options = options
    const { file, opened: { handle, isCut } } = options
    this.file = file
    this.handle = handle
    this.backlog.startOver(isCut)
  }

  write (text: string): void {
    this.take({ bytes: Buffer.from(text), ifNot: 'keep', settle: undefined })
  }

  async record (text: string, ifNot: IfNot): Promise<boolean> {
    return await new Promise(resolve => {
      const line: WaitingLine = { bytes: Buffer.from(text), ifNot, settle }
      const endWait = this.options.later(LONGEST_WAIT, () => {
        line.settle = undefined
        if (ifNot === 'drop') this.backlog.takeBack(line)
        resolve(false)
      })
      function settle (onDisk: boolean): void {
        endWait()
        resolve(onDisk)
      }
      this.take(line)
    })
  }

  /** How many lines were lost since the start. */
  lost (): number { return this.lostLines }

  /** Counts what was lost on the way here. */
  countLost (lines: number): void {
    if (lines === 0) return
    this.lostLines += lines
    this.unsaid += lines
    this.sayFailing('no room')
    this.start()
  }

  /** Opens the file again by its name, because the old one was renamed. */
  reopen (): void {
    this.isRenamed = true
    this.start()
  }

  /**
   * Goes on in another file: what is being written is the last of this one, and all that waits is in the other.
   * @param opened the same file
   */
  moveTo (file: string, opened: OpenFile): void {
    const before = this.next
    this.next = { file, opened }
    void before?.opened.handle.close()
    this.resting?.()
    this.resting = undefined
    this.start()
  }

  /**
   * Writes what waits, as far as the disk takes it in time, and closes the file.
   * @returns the lines that it did not take and that are still of use; of a disk that hangs
   *   also those that it may yet take: better twice than nowhere
   */
  async close (): Promise<string> {
    this.start()
    await this.whileFor(LAST_WAIT, () => this.isBusy())
    this.isClosed = true
    this.resting?.()
    // A try that has begun just now is soon over, unless the disk hangs.
    await this.whileFor(RETRY, () => this.running !== undefined)
    if (this.running === undefined) await this.handle.close()
    await this.next?.opened.handle.close()
    if (this.unsaid > 0) this.sayLost()
    this.backlog.startOver(false)
    this.backlog.wrote([...this.writing, ...this.backlog.take().lines], 0, true)
    const { bytes, lines } = this.backlog.take()
    this.backlog.wrote(lines, bytes.length, false)
    return bytes.toString().trimStart() // in front there may be the end of somebody's line
  }

  /** For the end of a process that waits for nothing. */
  writeLast (): void {
    const { bytes, lines } = this.backlog.take()
    this.backlog.wrote(lines, bytes.length, true)
    try {
      if (bytes.length > 0) writeSync(this.handle.fd, bytes)
    } catch {} // nobody is left who could be told
  }

  /** Waits while it holds, and no longer than so many milliseconds. */
  private async whileFor (limit: number, holds: () => boolean): Promise<void> {
    const end = performance.now() + limit
    while (holds() && performance.now() < end) {
      await new Promise<void>(resolve => { setTimeout(resolve, RETRY_READER) })
    }
  }

  private isBusy (): boolean {
    return this.running !== undefined || this.resting !== undefined
  }

  private take (line: WaitingLine): void {
    const { backlog } = this
    if (this.unsaid > 0 && backlog.size <= ROOM_AGAIN) this.sayLost()
    // Once one is lost so are those behind it, so that the line that says so stands where they are missing.
    if (this.unsaid > 0 || backlog.size + line.bytes.length > MOST_AUDIT_BYTES) {
      if (line.ifNot === 'keep') this.countLost(1)
      line.settle?.(false)
      return
    }
    backlog.add(line)
    this.start()
  }

  /** Writes, unless that is done already; what comes in one turn of the event loop goes out in one write. */
  private start (): void {
    if (this.isBusy() || this.isClosed) return
    this.running = new Promise<void>(resolve => { setImmediate(resolve) })
      .then(async () => await this.writeOut())
      .then(pause => {
        this.running = undefined
        if (this.isClosed) return
        if (pause !== undefined) this.rest(pause)
        else if (this.backlog.size > 0 || this.isRenamed || this.next !== undefined) this.start()
      })
  }

  private rest (pause: number): void {
    this.resting = this.options.later(pause, () => {
      this.resting = undefined
      this.start()
    })
  }

  /** Writes all that waits; after how many milliseconds the rest is tried again, if there is one. */
  private async writeOut (): Promise<number | undefined> {
    if (this.next !== undefined) await this.move(this.next)
    if (this.backlog.isWaitedFor() && await this.wasRemoved()) this.isRemoved = true
    const code = this.isRenamed || this.isRemoved ? await this.exchange() : undefined
    if (this.isRemoved) {
      this.backlog.wrote(this.backlog.take().lines, 0, true)
      return this.sayFailing(code as string)
    }
    while (this.backlog.size > 0 || this.unsaid > 0) {
      if (this.unsaid > 0 && this.backlog.size <= ROOM_AGAIN) this.sayLost()
      const code = await this.writeBatch()
      if (code === SLOW_READER) return RETRY_READER
      if (code !== undefined) return this.sayFailing(code)
    }
    if (code !== undefined) return this.sayFailing(code)
    this.sayOver()
    return undefined
  }

  /** One write of all that waits; the system's word for what keeps the rest out. */
  private async writeBatch (): Promise<string | undefined> {
    const { bytes, lines } = this.backlog.take()
    this.writing = lines
    let code: string | undefined
    let written = 0
    try {
      while (written < bytes.length) written += (await this.handle.write(bytes, written)).bytesWritten
    } catch (error) {
      code = codeOf(error)
    }
    this.writing = []
    const whole = this.backlog.wrote(lines, written, code !== undefined && code !== SLOW_READER)
    const waiting = whole.filter(({ settle }) => settle !== undefined)
    if (waiting.length === 0) return code
    const syncing = await this.handle.datasync().then(() => undefined, codeOf)
    for (const { settle } of waiting) settle?.(syncing === undefined)
    return code ?? syncing
  }

  /** Somebody took the file away: what is written into it is on no disk that anybody can read (NFS says ESTALE). */
  private async wasRemoved (): Promise<boolean> {
    return await this.handle.stat().then(({ nlink }) => nlink === 0, () => true)
  }

  private async move ({ file, opened }: NextFile): Promise<void> {
    const before = this.file
    this.file = file
    this.next = undefined
    await this.takeOver(opened)
    this.options.log.info({ file, before }, 'the audit log goes on in another file')
  }

  /** What keeps the file from being opened by its name: then the old one still is. */
  private async exchange (): Promise<string | undefined> {
    const { file, options: { log } } = this
    try {
      await this.takeOver(await openToAppend(file))
      log.info({ file }, 'the audit log was opened again')
      return undefined
    } catch (error) {
      return codeOf(error)
    }
  }

  /** What is open takes the place of what was, which gets nothing any more. */
  private async takeOver ({ handle, isCut }: OpenFile): Promise<void> {
    const old = this.handle
    this.handle = handle
    this.isRenamed = this.isRemoved = false
    this.backlog.startOver(isCut)
    await old.close()
  }

  private sayLost (): void {
    const bytes = Buffer.from(this.options.lostLine(this.unsaid))
    this.unsaid = 0
    this.backlog.add({ bytes, ifNot: 'keep', settle: undefined })
  }

  private sayFailing (code: string): number {
    if (this.failing) return RETRY
    this.failing = true
    const { file, options: { log } } = this
    log.error({ file, code, lost: this.lostLines }, 'the audit log cannot be written, or not fast enough: ' +
      'lines wait in memory, and are lost when there is no more room')
    return RETRY
  }

  private sayOver (): void {
    if (!this.failing) return
    this.failing = false
    const { file, options: { log } } = this
    log.error({ file, lost: this.lostLines }, 'the audit log is written again; so many lines were lost since the start')
  }
}
