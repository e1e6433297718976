// Where in the chart is a file? Its name less the chart's folder: below one folder,
// once, in one spelling.
import type { Header } from 'tar-stream'
import { Fault } from './fault.ts'

/** The path below the chart's folder; undefined for what is no file of the chart. @throws Fault */
export type Places = (entry: Pick<Header, 'name' | 'type'>) => string | undefined

// PATH_MAX of Linux, and a bound for all names together: they are kept to find the second of two.
const LONGEST_NAME = 4096
const MOST_NAMES = 1024 * 1024
// U+FFFD stands for bytes that are not UTF-8.
// eslint-disable-next-line no-control-regex
const UNSAFE_PART = /^\.{0,2}$|[\\\x00-\x1f\x7f\ufffd]/
// What Helm refuses besides (helm v3.21.4, pkg/chart/loader/archive.go, LoadArchiveFiles).
const REFUSED_BY_HELM = /^(?:\.\.|[A-Za-z]:\/)/

/** For one archive. */
export function createPlaces (): Places {
  const seen = new Map<string, Header['type']>()
  let length = 0
  let root: string | undefined
  return ({ name, type }) => {
    if (name.length > LONGEST_NAME) throw tooLong()
    const parts = (type === 'directory' ? name.replace(/\/$/, '') : name).split('/')
    if (parts.some(part => UNSAFE_PART.test(part))) {
      throw new Fault('unsafe_name', 'the archive has an entry with an absolute, dot or backslash name')
    }
    root ??= parts[0]
    const path = parts.slice(1).join('/')
    if (parts[0] !== root || (path === '' && type === 'file')) {
      throw new Fault('several_roots', 'the archive must hold one folder with the chart, and nothing beside it')
    }
    if (root === 'Chart.yaml' || REFUSED_BY_HELM.test(path)) {
      throw new Fault('unsafe_name', 'the archive has a name that Helm refuses')
    }
    const before = seen.get(path)
    if (before !== undefined && (before === 'file' || type === 'file')) throw twice(path)
    // On disks that take both for one, it would lie in the other's place.
    if (path !== 'Chart.yaml' && path.toLowerCase() === 'chart.yaml') {
      throw new Fault('several_chart_yaml', 'the archive has a Chart.yaml in other letters')
    }
    length += path.length
    if (length > MOST_NAMES) throw tooLong()
    seen.set(path, type)
    return type === 'directory' ? undefined : path
  }
}

function tooLong (): Fault {
  return new Fault('too_large', 'the names of the files in the archive are too long')
}

function twice (path: string): Fault {
  return path === 'Chart.yaml'
    ? new Fault('several_chart_yaml', 'the archive has two Chart.yaml')
    : new Fault('unsafe_name', 'the archive has the same file twice')
}
