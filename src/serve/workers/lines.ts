// Whose line of log is it? A pipe that several processes write to tears lines of more than
// 4096 bytes (PIPE_BUF, pipe(7)); so each worker has a pipe of its own, and the primary
// passes on what is whole.
import type { Readable } from 'node:stream'

/** Bytes of a line that are kept until its end comes; no line of the gateway's own is nearly as long. */
export const LONGEST_LINE = 1024 * 1024

/** Passes on one or more whole lines at a time; a line gets an end when the source ends, and where it is too long. */
export function passLines (source: Readable, write: (lines: string) => void): void {
  let begun: Buffer[] = []
  let length = 0
  function pass (end: string, ...more: readonly Buffer[]): void {
    write(Buffer.concat([...begun, ...more]).toString() + end)
    begun = []
    length = 0
  }
  source.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf('\n') + 1
    if (end > 0) pass('', chunk.subarray(0, end))
    if (end === chunk.length) return
    begun.push(chunk.subarray(end))
    length += chunk.length - end
    if (length > LONGEST_LINE) pass('\n')
  })
  source.on('end', () => { if (length > 0) pass('\n') })
}
