// What is on each line of an index in the form in which ChartMuseum writes one (block
// style, two columns a level; go.yaml.in/yaml v2.4.3, emitterc.go)? Read once from top to
// bottom: where the charts, their versions and their links are. What charts say of
// themselves stands in columns further right than the keys that are looked for, so no text
// of theirs can be taken for one. Any other form of YAML is no index of this form.
import { isPlainLink } from './index-links.ts'
import { ODD_LINE_END, readScalar } from './index-scalar.ts'

/** Lines from one up to another, which is the next one's first. */
export interface Span {
  readonly from: number
  to: number
}

export interface ChartLines {
  /** The line of its key. */
  readonly at: number
  /** The first line of its first version. */
  first: number
  /** Its name is written `? name`, as Go does with long ones, and its versions stand two columns further right. */
  readonly isLong: boolean
  versions: number
}

/** A version that needs another look. */
export interface VersionLines extends Span {
  readonly chart: ChartLines
  /** Links that are not plain. */
  readonly links: Span[]
  /** Links that are. */
  plain: number
  hasUrls: boolean
  /** Some readers take its lines in another way. */
  isDoubtful: boolean
}

export interface IndexLines {
  readonly lines: string[]
  readonly charts: readonly ChartLines[]
  /** Those with something else than plain links, in order. */
  readonly odd: readonly VersionLines[]
  /** Lines of links that are plain. */
  readonly plainLinks: readonly number[]
  /** Lines with a key `<<` that is meant as a text: Go writes it as the key of a merge. */
  readonly merges: readonly number[]
  /** The line of serverInfo. */
  readonly serverInfo: number | undefined
}

/** Columns of the keys of a version. */
export function keyColumnOf ({ isLong }: ChartLines): number {
  return isLong ? 6 : 4
}

/** @returns undefined for an index in another form */
export function readLines (text: string): IndexLines | undefined {
  if (!/^apiVersion: \S+\nentries:(?: \{\})?\n/.test(text)) return undefined
  const reader = new IndexLineReader(text)
  return reader.read() ? reader : undefined
}

/** The number of spaces in front; -1 for a line with nothing else. */
function columnOf (line: string): number {
  let column = 0
  while (line.charCodeAt(column) === 0x20) column++
  return column === line.length ? -1 : column
}

const SECTION = /^(apiVersion|entries|generated|serverInfo):(?: |$)/
const KEY = /([A-Za-z]+):(?: |$)/y
const LIKE_URLS = /urls/iy

class IndexLineReader implements IndexLines {
  readonly lines: string[]
  readonly charts: ChartLines[] = []
  readonly odd: VersionLines[] = []
  readonly plainLinks: number[] = []
  readonly merges: number[] = []
  serverInfo: number | undefined
  private readonly hasOddEnds: boolean
  private readonly hasMerges: boolean
  private section = ''
  private chart: ChartLines | undefined
  /** The lines of a long name that has not come to its end. */
  private longName: string[] | undefined
  private version: VersionLines | undefined
  /** The keys of the version stand here. */
  private keyColumn = 4
  /** The key of the version that was read last. */
  private key = ''
  /** The link that was read last, if it was no line before this one's. */
  private link: Span | undefined

  constructor (text: string) {
    this.lines = text.split('\n')
    this.hasOddEnds = ODD_LINE_END.test(text)
    this.hasMerges = text.includes('<<:')
  }

  read (): boolean {
    for (let i = 0; i < this.lines.length; i++) {
      const line = this.lines[i] as string
      const isKnown = this.hasOddEnds && ODD_LINE_END.test(line)
        ? this.readOddLine(i, line)
        : this.readLine(i, line, columnOf(line))
      if (!isKnown) return false
    }
    this.endVersion(this.lines.length)
    return this.longName === undefined
  }

  private readLine (i: number, line: string, column: number): boolean {
    if (column < 0) return this.key !== 'urls' || i === this.lines.length - 1
    if (this.version !== undefined && column >= this.keyColumn) {
      return column === this.keyColumn ? this.readKey(i, line) : this.readContent(i, line, column)
    }
    if (column === 0) return this.readSection(i, line)
    if (this.section === 'serverInfo') return line.startsWith('  contextPath: ')
    return this.section === 'entries' && this.readEntries(i, line, column)
  }

  private readSection (i: number, line: string): boolean {
    const section = SECTION.exec(line)?.[1]
    if (section === undefined || this.longName !== undefined) return false
    this.endVersion(i)
    this.chart = undefined
    this.section = section
    if (section === 'serverInfo') this.serverInfo = i
    return true
  }

  /** A chart's name, or the first line of a version. */
  private readEntries (i: number, line: string, column: number): boolean {
    if (this.longName !== undefined) return this.readLongName(i, line, column)
    const dashColumn = this.chart?.isLong === true ? 4 : 2
    if (column === dashColumn && line.startsWith('- ', column)) return this.startVersion(i, line)
    if (column !== 2) return false
    this.endVersion(i)
    const isLong = line.startsWith('? ', 2)
    if (isLong) this.longName = [line.slice(4)]
    else if (!this.readName(i, line)) return false
    this.chart = { at: i, first: i, isLong, versions: 0 }
    this.charts.push(this.chart)
    return true
  }

  private readName (i: number, line: string): boolean {
    const empty = line.endsWith(': []')
    if (!empty && !line.endsWith(':')) return false
    const name = line.slice(2, empty ? -4 : -1)
    if (name === '<<') this.merges.push(i)
    return readScalar(name) !== undefined
  }

  private readLongName (i: number, line: string, column: number): boolean {
    const name = this.longName as string[]
    if (column === 4) return name.push(line) > 0
    if (!line.startsWith('  : - ')) return false
    this.longName = undefined
    return readScalar(name[0] as string, name.slice(1)) !== undefined && this.startVersion(i, line)
  }

  private startVersion (i: number, line: string): boolean {
    this.endVersion(i)
    const chart = this.chart
    if (chart === undefined) return false
    if (chart.versions++ === 0) chart.first = i
    this.keyColumn = keyColumnOf(chart)
    this.version = { chart, from: i, to: i, links: [], plain: 0, hasUrls: false, isDoubtful: false }
    return this.takeKey(line) && this.key !== 'urls'
  }

  private endVersion (to: number): void {
    const { version } = this
    this.version = undefined
    this.key = ''
    this.link = undefined
    if (version === undefined) return
    version.to = to
    if (version.links.length > 0 || version.isDoubtful) this.odd.push(version)
  }

  /** A key of a version, or an item of a list below one. */
  private readKey (i: number, line: string): boolean {
    if (!line.startsWith('-', this.keyColumn)) return this.takeKey(line)
    if (this.key === 'urls') return line.startsWith('- ', this.keyColumn) && this.startLink(i, line)
    return line.startsWith('- ', this.keyColumn) || line.length === this.keyColumn + 1
  }

  private takeKey (line: string): boolean {
    KEY.lastIndex = this.keyColumn
    const key = KEY.exec(line)?.[1]
    LIKE_URLS.lastIndex = this.keyColumn
    if (key === undefined) return false
    this.link = undefined
    this.key = key
    return !LIKE_URLS.test(line) || this.takeUrls(line.slice(this.keyColumn))
  }

  private takeUrls (text: string): boolean {
    const version = this.version as VersionLines
    if (version.hasUrls) version.isDoubtful = true // which of the two counts is different for each reader
    version.hasUrls = true
    if (text === 'urls: []') this.key = ''
    return text === 'urls: []' || text === 'urls:'
  }

  private startLink (i: number, line: string): boolean {
    const version = this.version as VersionLines
    this.link = { from: i, to: i + 1 }
    if (isPlainLink(line.slice(this.keyColumn + 2))) {
      version.plain++
      this.plainLinks.push(i)
    } else version.links.push(this.link)
    return true
  }

  /** What is further right than the keys of a version. */
  private readContent (i: number, line: string, column: number): boolean {
    if (this.key === 'urls') return this.continueLink(i)
    if (!this.hasMerges) return true
    if (this.key === 'annotations') {
      if (column === this.keyColumn + 2 && line.startsWith('<<:', column)) this.merges.push(i)
    } else if (this.key === 'dependencies' && /^[ ?:-]*<<:/.test(line)) (this.version as VersionLines).isDoubtful = true
    return true
  }

  /** One that goes on below, because it has a space behind column 80. */
  private continueLink (i: number): boolean {
    const { link, version } = this
    if (link === undefined || version === undefined) return false
    if (version.links.at(-1) !== link) {
      version.plain--
      this.plainLinks.pop()
      version.links.push(link)
    }
    link.to = i + 1
    return true
  }

  /**
   * A line that is several to some readers. In a text of a chart's the indentation of that
   * text follows such an end, or its closing quote; else one of the two sees a key.
   */
  private readOddLine (i: number, line: string): boolean {
    const [first = '', ...more] = line.split(ODD_LINE_END)
    const isBlank = columnOf(first) < 0
    if (!isBlank && !this.readLine(i, line, columnOf(line))) return false
    const { version, keyColumn } = this
    if (version === undefined) return false
    const isShort = (part: string): boolean => {
      const column = columnOf(part)
      return column >= 0 && column <= keyColumn && !/^['"]$/.test(part)
    }
    if ((isBlank && first.length <= keyColumn) || more.some(isShort)) version.isDoubtful = true
    return !isBlank || this.key !== 'urls' || this.continueLink(i)
  }
}
