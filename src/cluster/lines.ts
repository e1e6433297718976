// Whose line of log is it? A pipe that several processes write to tears lines of more than
// 4096 bytes (PIPE_BUF, pipe(7)); so each worker has a pipe of its own, and the primary
// passes on what is whole.
import type { Readable } from 'node:stream'

/** Passes on one or more whole lines at a time; a line without an end gets one when the source ends. */
export function passLines (source: Readable, write: (lines: string) => void): void {
  let begun: Buffer[] = []
  source.on('data', (chunk: Buffer) => {
    const end = chunk.lastIndexOf('\n') + 1
    if (end > 0) {
      write(Buffer.concat([...begun, chunk.subarray(0, end)]).toString())
      begun = []
    }
    if (end < chunk.length) begun.push(chunk.subarray(end))
  })
  source.on('end', () => { if (begun.length > 0) write(`${Buffer.concat(begun).toString()}\n`) })
}
