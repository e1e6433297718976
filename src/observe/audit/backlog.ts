// Which lines wait for the file of the audit log, and how far is one in it? Plain data: what
// is written is one piece of whole lines, and after a write that took a part of it the rest
// is known to the byte.
import type { IfNot } from './auditing.ts'

/** A line on its way. */
export interface WaitingLine {
  readonly bytes: Buffer
  readonly ifNot: IfNot
  /** Tells who waits for the disk; undefined: nobody does. */
  settle: ((onDisk: boolean) => void) | undefined
}

const LINE_END = Buffer.from('\n')

export class Backlog {
  private lines: WaitingLine[] = []
  /** How much of the first line is in the file already. */
  private begun = 0
  /** Bytes that wait, also while they are being written. */
  size = 0

  add (line: WaitingLine): void {
    this.lines.push(line)
    this.size += line.bytes.length
  }

  /** Whether somebody waits for the disk. */
  isWaitedFor (): boolean { return this.lines.some(({ settle }) => settle !== undefined) }

  /** Takes a line back, unless it is being written or in the file in part. */
  takeBack (line: WaitingLine): void {
    const at = this.lines.indexOf(line)
    if (at < 0 || (at === 0 && this.begun > 0)) return
    this.lines.splice(at, 1)
    this.size -= line.bytes.length
  }

  /** All that waits: to be handed back with `wrote`, before the next is taken. */
  take (): { readonly bytes: Buffer, readonly lines: readonly WaitingLine[] } {
    const { lines } = this
    this.lines = []
    return { bytes: Buffer.concat(lines.map(({ bytes }) => bytes)).subarray(this.begun), lines }
  }

  /**
   * After a write.
   * @param lines as they were taken
   * @param written how many of their bytes are in the file
   * @param giveUp who waits for the disk is told that it does not take their line
   * @returns the lines that are whole in the file
   */
  wrote (lines: readonly WaitingLine[], written: number, giveUp: boolean): readonly WaitingLine[] {
    let left = this.begun + written
    let count = 0
    while (count < lines.length && left >= (lines[count] as WaitingLine).bytes.length) {
      left -= (lines[count] as WaitingLine).bytes.length
      count++
    }
    this.begun = left
    const rest = lines.slice(count)
    const kept = giveUp ? rest.filter((line, i) => !isDropped(line) || (i === 0 && left > 0)) : rest
    this.lines = [...kept, ...this.lines]
    this.size -= lengthOf(lines) - lengthOf(kept)
    return lines.slice(0, count)
  }

  /**
   * A file takes the place of another one: what is in that in part is written once more, and whole.
   * @param isCut the last line of the new one lacks its end (it may be the same file, and the line that of before)
   */
  startOver (isCut: boolean): void {
    this.begun = 0
    if (!isCut) return
    this.lines.unshift({ bytes: LINE_END, ifNot: 'keep', settle: undefined })
    this.size += LINE_END.length
  }
}

/** Tells who waits for it, and says whether it is of no more use then. */
function isDropped (line: WaitingLine): boolean {
  const waited = line.settle !== undefined
  line.settle?.(false)
  line.settle = undefined
  return waited && line.ifNot === 'drop'
}

function lengthOf (lines: readonly WaitingLine[]): number {
  return lines.reduce((sum, { bytes }) => sum + bytes.length, 0)
}
