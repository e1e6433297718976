// Where does the log go while nobody reads it? Lines wait in memory, up to a bound; what
// is beyond is counted, and said once the log is written again. Nothing here waits for a
// reader: neither a request, nor the end of the process for longer than a moment.
import { constants, fstatSync, openSync, writeSync } from 'node:fs'
import { lineOf } from './log-form.ts'
import type { LogLook } from './log-look.ts'

/** Its file descriptor. */
export const STANDARD_OUTPUT = 1
/** Bytes that wait for a reader at most; a few seconds of a busy log. */
export const MOST_WAITING_BYTES = 4 * 1024 * 1024
/** After a loss lines are kept again when no more wait than this: many lines between two losses. */
const ROOM_AGAIN = MOST_WAITING_BYTES / 2
/** Milliseconds after which a reader that was too slow is tried again. */
const RETRY = 20
/** Milliseconds that the end of the process gives to a reader. */
const LAST_WAIT = 500
const SHORT_WAIT = 10
/** What the system says when a write would wait. */
const TAKES_NO_MORE = 'EAGAIN'

export interface LogSink {
  /** Takes one or more whole lines. */
  write (lines: string): void
  /** How many lines were lost so far. */
  lost (): number
  /** Writes what the reader still takes; for the end of the process, when no timer runs any more. */
  writeLast (): void
}

/**
 * @param write takes bytes, and answers how many it took; throws what keeps it from more, which is tried again
 * @param lostLine the line that says so, when this many were lost
 * @param look what is written of a line; the line itself if left out
 */
export function createLogSink (
  write: (bytes: Uint8Array) => number,
  lostLine: (lines: number) => string,
  look: LogLook = lines => lines
): LogSink {
  let begun: Uint8Array = new Uint8Array() // of which a part may be out
  let lines: string[] = []
  let bytes = 0 // of both
  let lost = 0
  let lostEver = 0
  let planned = false

  /** False when there is no room for it. */
  function keep (text: string, most: number): boolean {
    const size = Buffer.byteLength(text)
    if (bytes + size > most) return false
    lines.push(text)
    bytes += size
    return true
  }

  /** What keeps the rest from being written, as the system has it; undefined when nothing is left. */
  function writeOut (): string | undefined {
    for (;;) {
      if (lost > 0 && bytes <= ROOM_AGAIN) {
        keep(look(lostLine(lost)), Infinity)
        lost = 0
      }
      if (bytes === 0) return undefined
      if (begun.length === 0) {
        begun = Buffer.from(lines.join(''))
        lines = []
      }
      try {
        const taken = write(begun)
        begun = begun.subarray(taken)
        bytes -= taken
      } catch (error) {
        return String((error as NodeJS.ErrnoException).code)
      }
    }
  }

  function writePlanned (): void {
    planned = false
    if (writeOut() === undefined) return
    planned = true
    setTimeout(writePlanned, RETRY).unref()
  }

  return {
    write (text) {
      // Once one is lost so are those behind it, so that the line that says so stands where they are missing.
      if (lost > 0 || !keep(look(text), MOST_WAITING_BYTES)) {
        const lines = text.split('\n').length - 1
        lost += lines
        lostEver += lines
      }
      if (planned) return
      planned = true
      setImmediate(writePlanned) // all of one turn of the event loop in one go
    },
    lost: () => lostEver,
    writeLast () {
      const end = performance.now() + LAST_WAIT
      while (writeOut() === TAKES_NO_MORE && performance.now() < end) {
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, SHORT_WAIT)
      }
    }
  }
}

/** The log on a file descriptor of this process, until that ends. @param look for a person at a terminal */
export function openLog (fd: number, look?: LogLook): LogSink {
  const own = withoutWaiting(fd)
  const sink = createLogSink(bytes => writeSync(own, bytes), lostLine, look)
  process.once('exit', sink.writeLast)
  return sink
}

/**
 * The same open file, so that a write to it fails where it would wait. A pipe or terminal is
 * opened once more: what others share with us stays as it is, and what they do to theirs
 * changes nothing here. A socket cannot be opened again, and Node makes standard output
 * one that does not wait when it is asked for it.
 */
function withoutWaiting (fd: number): number {
  const kind = fstatSync(fd)
  if (kind.isFIFO() || kind.isCharacterDevice()) {
    try {
      return openSync(`/dev/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
    } catch {} // another user's, as in a container that was started by root: what follows does it too
  }
  if (fd === STANDARD_OUTPUT) process.stdout.on('error', () => {})
  return fd
}

function lostLine (lines: number): string {
  return lineOf('error', { lines },
    `${lines} lines of log were lost here, because nobody read the log or it could not be written`)
}
