// Where in the chart is a file? Where Helm puts it (helm v3.21.4, pkg/chart/loader/archive.go,
// LoadArchiveFiles): below the first part of its name, which is whatever it is, over `/`, or
// over `\` where there is one. What is in doubt is which file is the chart's own Chart.yaml:
// of those that anybody takes for it there may be one, and everybody must find it.
import { inQuotes } from '../../lib/printable.ts'
import { Fault } from './fault.ts'
import type { TarEntry } from './tar-walk.ts'

/** The path below the chart's folder; undefined for what is no file of the chart. @throws Fault */
export type Places = (entry: Omit<TarEntry, 'size'>) => string | undefined

/** What says how a chart is called. */
const OWN_FILES = ['Chart.yaml', 'requirements.yaml']

/** For one archive. */
export function createPlaces (): Places {
  const seen = new Set<string>()
  return entry => {
    const { name, otherNames, coveredName, kind } = entry
    for (const each of [name, ...otherNames]) {
      checkDepth(each)
      checkWay(each)
    }
    if (kind === 'device') {
      throw new Fault('forbidden_entry', `the archive has ${shown(name)}, which is neither file, folder nor link`)
    }
    const path = kind === 'folder' ? undefined : placeOf(name)
    for (const own of OWN_FILES) {
      const isMeant = path === own || [name, ...otherNames].some(each => isTakenFor(each, own))
      if (isMeant) checkOwnFile(own, path, entry)
      else if (coveredName !== undefined && isTakenFor(coveredName, own)) throw severalNames(own)
      if (!isMeant) continue
      if (seen.has(own)) throw new Fault('several_chart_yaml', `the archive has two ${own}: leave one of them`)
      seen.add(own)
    }
    return path
  }
}

/** Folders in each other, with more than any disk has: each part of a name costs, and a name may have a megabyte. */
const MOST_PARTS = 2048

/** @throws Fault for a name of too many parts */
function checkDepth (name: string): void {
  let parts = 1
  for (let at = 0; at < name.length; at++) {
    const letter = name.charCodeAt(at)
    if ((letter === 0x2f || letter === 0x5c) && ++parts > MOST_PARTS) {
      throw new Fault('unsafe_name', `the archive has ${shown(name)}, in more than ${MOST_PARTS} folders in each other`)
    }
  }
}

/** @throws Fault for a name that leads somewhere else */
function checkWay (name: string): void {
  if (/^[/\\]/.test(name) || name.split(/[/\\]/).includes('..')) {
    throw new Fault('unsafe_name', `the archive has ${shown(name)}, a name that leads out of its folder`)
  }
}

function placeOf (name: string): string {
  const [root, ...parts] = name.split(name.includes('\\') ? '\\' : '/') as [string, ...string[]]
  const path = parts.join('/')
  const clean = path.split('/').filter(part => part !== '' && part !== '.').join('/')
  if (clean === '') throw new Fault('several_roots', `the archive has ${shown(name)} beside the chart's folder`)
  if (root === 'Chart.yaml' || path.startsWith('/') || /^(?:\.\.|[A-Za-z]:\/)/.test(clean)) {
    throw new Fault('unsafe_name', `the archive has ${shown(name)}, a name that Helm refuses`)
  }
  return clean
}

/** Over both delimiters, and on disks for which large and small letters are the same. */
function isTakenFor (name: string, own: string): boolean {
  const parts = name.split(/[/\\]/).slice(1).filter(part => part !== '' && part !== '.')
  return parts.length === 1 && (parts[0] as string).toLowerCase() === own.toLowerCase()
}

function checkOwnFile (own: string, path: string | undefined, entry: Omit<TarEntry, 'size'>): void {
  const { name, otherNames, kind } = entry
  if (otherNames.length > 0) throw severalNames(own)
  // A link is an empty file to Helm, and requirements.yaml may be one.
  if (kind !== 'file' && !(kind === 'link' && own !== 'Chart.yaml')) {
    throw new Fault('forbidden_entry', `the archive has a ${own} that is no file: pack the file itself`)
  }
  if (path !== own) {
    throw new Fault('several_chart_yaml', `the archive has ${shown(name)}, which some take for its ${own}: rename it`)
  }
}

function severalNames (own: string): Fault {
  return new Fault('several_chart_yaml', `the archive has an entry that is its ${own} to some, and to others is not`)
}

const LONGEST_SHOWN = 100

function shown (name: string): string {
  return inQuotes(name, LONGEST_SHOWN)
}
