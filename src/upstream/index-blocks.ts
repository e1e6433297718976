// What does an index in ChartMuseum's own form say to clients of this gateway? Its lines,
// with links that lead here in the place of others, without the versions that have none,
// and with our own context path. It takes time by the length of the index, and no more.
import { FilesHere, localUrl, readLink, type EntryWords, type IndexPlace, type Link } from './index-links.ts'
import {
  keyColumnOf,
  readLines,
  type ChartLines,
  type IndexLines,
  type Span,
  type VersionLines
} from './index-lines.ts'
import { readScalar } from './index-scalar.ts'
import { leftOut, linkLeftOut, type LeftOut } from './left-out.ts'

export interface Rewritten {
  readonly text: string
  readonly leftOut: readonly LeftOut[]
}

/** @returns undefined for an index in another form */
export function rewriteBlocks (text: string, place: IndexPlace): Rewritten | undefined {
  const index = readLines(text)
  const tail = index === undefined ? undefined : serverInfoFor(index, place.basePath)
  if (index === undefined || tail === undefined) return undefined
  const { lines, merges, odd } = index
  if (merges.length === 0 && odd.length === 0 && tail.isSame) return { text, leftOut: [] }
  // A key in quotes is a text to every reader.
  for (const i of merges) lines[i] = (lines[i] as string).replace('<<:', '"<<":')
  const left = decideBlocks(index, place)
  return { text: [...lines.slice(0, tail.from).filter(line => line !== GONE), ...tail.lines].join('\n'), leftOut: left }
}

/** The last lines, with our own context path; serverInfo is the last key in ChartMuseum's order. */
function serverInfoFor (
  { lines, serverInfo: from }: IndexLines,
  basePath: string
): { from: number, lines: string[], isSame: boolean } | undefined {
  if (from === undefined) return basePath === '' ? { from: lines.length, lines: [], isSame: true } : undefined
  const block = lines.slice(from).filter(line => line !== '')
  const isKnown = block[0] === 'serverInfo: {}' ? block.length === 1 : block[0] === 'serverInfo:' && block.length === 2
  const wanted = [...basePath === '' ? ['serverInfo: {}'] : ['serverInfo:', `  contextPath: ${basePath}`], '']
  return isKnown ? { from, lines: wanted, isSame: wanted.join('\n') === lines.slice(from).join('\n') } : undefined
}

/** A version with something else than plain links, understood. */
interface OddVersion {
  readonly version: VersionLines
  readonly words: EntryWords
  /** Undefined: it cannot be understood. */
  readonly links: readonly OddLink[] | undefined
}

interface OddLink {
  readonly span: Span
  readonly text: string
  readonly link: Link
}

/** Puts what is decided into the lines. */
function decideBlocks (index: IndexLines, place: IndexPlace): LeftOut[] {
  const { lines } = index
  const left: LeftOut[] = []
  const all = index.odd.map(version => understandVersion(lines, version, place))
  const files = filesOf(index, all)
  const dropped = new Map<ChartLines, number>()
  for (const odd of all) {
    if (keepsLinks(lines, odd, files, left)) continue
    lines.fill(GONE, odd.version.from, odd.version.to)
    dropped.set(odd.version.chart, (dropped.get(odd.version.chart) ?? 0) + 1)
  }
  for (const [chart, count] of dropped) {
    if (count === chart.versions) lines.fill(GONE, chart.at, chart.first)
    else if (chart.isLong) beginAgain(lines, chart)
  }
  const isEmpty = index.charts.every(chart => dropped.get(chart) === chart.versions)
  if (index.charts.length > 0 && isEmpty) lines[1] = 'entries: {}'
  return left
}

/** No line has a line end in it, so none is this one. */
const GONE = '\n'

function understandVersion (lines: readonly string[], version: VersionLines, place: IndexPlace): OddVersion {
  const words = versionWords(lines, version)
  const column = keyColumnOf(version.chart)
  const links: OddLink[] = []
  for (const span of version.links) {
    const text = readScalar((lines[span.from] as string).slice(column + 2), lines.slice(span.from + 1, span.to))
    if (text === undefined) return { version, words, links: undefined }
    links.push({ span, text, link: readLink(text, words, place) })
  }
  return { version, words, links: version.isDoubtful ? undefined : links }
}

/** Name and version, where they are written as scalars. */
function versionWords (
  lines: readonly string[],
  { chart, from, to }: Span & { readonly chart: ChartLines }
): EntryWords {
  const column = keyColumnOf(chart)
  const words = { name: '', version: '' }
  for (let i = from; i < to; i++) {
    const [, key, first] = /^(name|version): (.+)$/.exec((lines[i] as string).slice(column)) ?? []
    if (first === undefined || (i > from && (lines[i] as string).charAt(column - 1) !== ' ')) continue
    let end = i + 1
    while (end < to && (lines[end] as string).startsWith(' '.repeat(column + 1))) end++
    words[key as keyof EntryWords] = readScalar(first, lines.slice(i + 1, end)) ?? ''
  }
  return words
}

/** Every file that a link of the index leads to here. */
function filesOf ({ lines, plainLinks }: IndexLines, odd: readonly OddVersion[]): FilesHere {
  const files = new FilesHere()
  for (const i of plainLinks) {
    const file = (lines[i] as string).trimStart().slice('- charts/'.length)
    files.add(file, file)
  }
  for (const { text, link } of odd.flatMap(({ links }) => links ?? [])) {
    if (link.kind === 'local') files.add(text, link.file)
  }
  return files
}

/** Rewrites the links of a version. @returns false when it has none that a client can follow */
function keepsLinks (
  lines: string[],
  { version, words, links }: OddVersion,
  files: FilesHere,
  left: LeftOut[]
): boolean {
  if (links === undefined) {
    left.push(leftOut('unreadable', words))
    return false
  }
  const indent = ' '.repeat(keyColumnOf(version.chart))
  let kept = version.plain
  for (const { span, text, link } of links) {
    lines.fill(GONE, span.from, span.to)
    const file = files.fileOf(text, link)
    if (file !== undefined) {
      lines[span.from] = `${indent}- ${localUrl(file)}`
      kept++
    } else left.push(linkLeftOut(link, words, text))
  }
  return kept > 0
}

/** Where the first version of a chart with a long name has gone, the next one follows its name. */
function beginAgain (lines: string[], { first }: ChartLines): void {
  let next = first
  while (lines[next] === GONE) next++
  if (next > first) lines[next] = `  :${(lines[next] as string).slice(3)}`
}
