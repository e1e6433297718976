// Has a file changed? Looks at times and sizes a few times a second: that also notices
// what Kubernetes does with mounted secrets (a link in the path is exchanged) and what
// editors do (a new file takes the name), where watching one inode would not.
import { stat } from 'node:fs/promises'

export interface Watch {
  /** Reads everything again, changed or not, as soon as what is being read has been read. */
  lookNow (): void
  close (): void
}

/** Below a second, which is how long a removed account may still be let in. */
const LOOK_EVERY = 300

/** What tells one state of a file from another; a missing file has a stamp too. */
export type Stamps = ReadonlyMap<string, string>

export async function stampsOf (files: readonly string[]): Promise<Stamps> {
  return new Map(await Promise.all(files.map(async file => [file, await stampOf(file)] as const)))
}

async function stampOf (file: string): Promise<string> {
  try {
    const { mtimeNs, ctimeNs, size, ino, dev } = await stat(file, { bigint: true })
    return [mtimeNs, ctimeNs, size, ino, dev].join(':')
  } catch (error) {
    return String((error as NodeJS.ErrnoException).code)
  }
}

/**
 * Calls `changed` whenever one of the files is not as it was, one call at a time.
 * @param before the stamps of what is in force, taken before it was read
 * @param changed reads again what comes from the files that it is given, and answers which files count from then on
 */
export function watchFiles (before: Stamps, changed: (files: ReadonlySet<string>) => Promise<readonly string[]>): Watch {
  let stamps = before
  let timer: NodeJS.Timeout | undefined
  let closed = false
  let looking = false
  let everything = false

  async function look (): Promise<void> {
    const all = everything
    everything = false
    const now = await stampsOf([...stamps.keys()])
    const others = new Set([...now].filter(([file, stamp]) => all || stamps.get(file) !== stamp).map(([file]) => file))
    if (closed || others.size === 0) return
    stamps = now
    const files = await changed(others)
    // A file that is new here was read after `now`: what it was then is not known, so it is read once more.
    stamps = new Map(files.map(file => [file, now.get(file) ?? '']))
  }

  function wait (): void {
    if (closed) return
    timer = setTimeout(begin, everything ? 0 : LOOK_EVERY).unref()
  }

  function begin (): void {
    looking = true
    void look().finally(() => {
      looking = false
      wait()
    })
  }

  wait()
  return {
    lookNow () {
      everything = true
      if (looking) return // it follows
      clearTimeout(timer)
      wait()
    },
    close () {
      closed = true
      clearTimeout(timer)
    }
  }
}
