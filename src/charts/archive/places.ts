// Where in the chart is a file? Its name less the chart's folder: below one folder,
// once, in one spelling.
import { Fault } from './fault.ts'
import type { TarEntry } from './tar.ts'

/** The path below the chart's folder; undefined for what is no file of the chart. @throws Fault */
export type Places = (entry: Pick<TarEntry, 'name' | 'type'>) => string | undefined

// Of all names together: they are kept to find the second of two.
const MOST_NAMES = 4 * 1024 * 1024
// eslint-disable-next-line no-control-regex
const UNSAFE_PART = /^\.{0,2}$|[\\\x00-\x1f\x7f]/
// Helm's drivePathPattern (helm v3.21.4, pkg/chart/loader/archive.go).
const DRIVE = /^[A-Za-z]:\//

/** For one archive. */
export function createPlaces (): Places {
  const seen = new Set<string>()
  let length = 0
  let root: string | undefined
  return ({ name, type }) => {
    if (type === 'other') throw new Fault('forbidden_entry', 'the archive has an entry that is neither a file nor a directory')
    const parts = (type === 'directory' ? name.replace(/\/$/, '') : name).split('/')
    if (parts.some(part => UNSAFE_PART.test(part))) throw new Fault('unsafe_name', 'the archive has an entry with an absolute, dot or backslash name')
    root ??= parts[0]
    const path = parts.slice(1).join('/')
    if (parts[0] !== root || (path === '' && type === 'file')) throw new Fault('several_roots', 'the archive must hold one folder with the chart, and nothing beside it')
    if (root === 'Chart.yaml' || DRIVE.test(path)) throw new Fault('unsafe_name', 'the archive has a name that Helm refuses')
    if (type === 'directory') return undefined
    if (seen.has(path)) throw path === 'Chart.yaml' ? new Fault('several_chart_yaml', 'the archive has two Chart.yaml') : new Fault('unsafe_name', 'the archive has the same file twice')
    length += path.length
    if (length > MOST_NAMES) throw new Fault('too_large', 'the names of the files in the archive are too long')
    seen.add(path)
    return path
  }
}
