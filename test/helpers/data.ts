// Recordings and other data of the tests, which stay in test/data: the tests run as what
// tsc makes of them, in dist/test.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from './processes.ts'

/** @param name of a file in test/data, or of a folder, with a slash at its end */
export function dataUrl (name: string): URL {
  return pathToFileURL(join(ROOT, 'test/data', name))
}
