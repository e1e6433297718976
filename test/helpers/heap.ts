// What does the heap hold that somebody still needs?
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'

let collect: (() => void) | undefined

/** All that nobody needs any more goes. */
export function collectGarbage (): void {
  if (collect === undefined) {
    setFlagsFromString('--expose-gc')
    collect = runInNewContext('gc') as () => void
  }
  collect()
}

/** Bytes that are left then. */
export function heapInUse (): number {
  collectGarbage()
  return process.memoryUsage().heapUsed
}
