// Has a file changed? Looks at stamps a few times a second, where watching one inode would
// miss a link in the path that is exchanged. What could not be read is tried again, and
// somebody may ask for a look at once.
import { stampsOf, type Stamps } from './files.ts'

export interface Watch {
  /** Reads every file again, whether it has changed or not, and resolves when what can be used is in force. */
  lookNow (): Promise<void>
  close (): void
}

/** Milliseconds; below a second, which is how long a removed account may still be let in. */
const LOOK_EVERY = 300
/** Looks between two tries at most: some seconds. */
const LONGEST_PAUSE = 16

/** What was seen. */
export interface Glance {
  /** Files that are not as they were. */
  readonly changed: ReadonlySet<string>
  /** Of all files that are watched, before anything is read. */
  readonly stamps: Stamps
  /** What could not be read last time is to be tried again. */
  readonly again: boolean
  /** Everything is to be read: somebody asked. */
  readonly asked: boolean
}

/** What was made of it. */
export interface Stand {
  /** The files that count from now on, as they were when they were read. */
  readonly stamps: Stamps
  /** Something could not be read, and another try may do. */
  readonly again: boolean
}

/**
 * Calls `look` whenever one of the files is not as it was, or there is another reason; one call at a time.
 * @param before the stamps of what is in force, taken before it was read
 */
export function watchFiles (before: Stamps, look: (glance: Glance) => Promise<Stand>): Watch {
  let stamps = before
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let running: Promise<void> = Promise.resolve()
  let waiting: Promise<void> | undefined
  /** How often it was tried in vain, and looks until the next try. */
  let [failures, pause] = [0, 0]

  async function glance (asked: boolean): Promise<void> {
    const now = await stampsOf([...stamps.keys()])
    const changed = new Set([...now].filter(([file, stamp]) => stamps.get(file) !== stamp).map(([file]) => file))
    const again = failures > 0 && --pause <= 0
    if (closed || !(asked || again || changed.size > 0)) return
    const stand = await look({ changed, stamps: now, again, asked })
    stamps = stand.stamps
    if (changed.size > 0 || !stand.again) failures = 0
    if (!stand.again) return
    pause = Math.min(2 ** failures, LONGEST_PAUSE)
    failures++
  }

  function wait (): void {
    if (closed) return
    timer = setTimeout(() => {
      running = running.then(async () => { await glance(false) }).finally(wait)
    }, LOOK_EVERY).unref()
  }

  wait()
  return {
    async lookNow () {
      // Who asks while others wait for theirs asks for the same.
      waiting ??= running = running.then(async () => {
        waiting = undefined
        await glance(true)
      })
      await waiting
    },
    close () {
      closed = true
      clearTimeout(timer)
    }
  }
}
