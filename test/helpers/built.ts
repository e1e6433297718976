// Where is a module that runs? t.mockImport looks for it from where its caller was written.
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ROOT } from './processes.ts'

/** @param file in src, such as lib/clock.ts */
export function builtUrl (file: string): string {
  return pathToFileURL(join(ROOT, 'dist/src', file.replace(/\.ts$/, '.js'))).href
}
