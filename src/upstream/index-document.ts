// What does an index in a form that ChartMuseum does not write say to clients of this
// gateway? YAML by a parser, for whatever program or person wrote it; only up to a size.
import { isMap, isScalar, isSeq, visit, type Document, type Node, type Pair, type YAMLMap } from 'yaml'
import { parseBounded } from '../lib/bounded-yaml.ts'
import type { Rewritten } from './index-blocks.ts'
import type { IndexPlace } from './index-links.ts'
import { ODD_LINE_END } from './index-scalar.ts'
import { NoIndex, decideVersions, otherSpelling, type IndexVersion } from './index-values.ts'

/** A parser of YAML takes seconds for more than this, while nobody else is answered. */
const MOST_PARSED = 2 * 1024 * 1024
const INDEX_BOUNDS = { tokens: 600_000, levels: 100 }

/** @throws NoIndex, and what the parser throws */
export function rewriteDocument (text: string, place: IndexPlace): Rewritten {
  if (text.length > MOST_PARSED) {
    throw new NoIndex("the upstream's index is not written as ChartMuseum writes one, " +
      `and too long to be parsed (${text.length} characters)`)
  }
  // Keys are compared with each other below, and by their texts: the parser does it by the square of their number.
  const document = parseBounded(text, INDEX_BOUNDS, {
    version: '1.1',
    logLevel: 'error',
    uniqueKeys: false,
    prettyErrors: false
  })
  if (document === undefined) {
    throw new NoIndex("the upstream's index is not written as ChartMuseum writes one, " +
      'and too deep or too long to be parsed')
  }
  const entries = document.errors.length === 0 && isMap(document.contents) ? document.get('entries', true) : undefined
  if (!isMap(entries) && !(isScalar(entries) && entries.value === null)) {
    throw new NoIndex('what the upstream calls its index.yaml has no entries: ' +
      "it is another page, or another program's")
  }
  if (ODD_LINE_END.test(text)) throw new NoIndex("the upstream's index has line ends that readers take differently")
  const { isChanged, leftOut } = isMap(entries)
    ? rewriteEntries(document, entries, place)
    : { isChanged: false, leftOut: [] }
  const fault = documentFaultOf(document)
  if (fault !== undefined) throw new NoIndex(`the upstream's index has ${fault}`)
  const isMoved = (document.getIn(['serverInfo', 'contextPath']) ?? '') !== place.basePath
  if (isMoved) {
    const serverInfo = place.basePath === '' ? {} : { contextPath: place.basePath }
    document.set('serverInfo', document.createNode(serverInfo))
  }
  return { text: isChanged || isMoved ? document.toString({ lineWidth: 0 }) : text, leftOut }
}

/** What makes readers differ; undefined: nothing. */
function documentFaultOf (node: Document | Node): string | undefined {
  let fault: string | undefined
  const found = (what: string): symbol => {
    fault = what
    return visit.BREAK
  }
  visit(node, {
    Alias: () => found('aliases, which it does not need'),
    Map (_key, { items }) {
      if (!items.every(({ key }) => isScalar(key))) return found('a key that is no text')
      const keys = items.map(({ key }) => String(key))
      const odd = otherSpelling(keys)
      if (odd !== undefined) return found(`a key ${odd}, which some readers take for another one`)
      return new Set(keys).size < keys.length ? found('a key twice') : undefined
    },
    Pair (_key, { key }) {
      return isScalar(key) && isMerge(key) ? found('merge keys, which it does not need') : undefined
    }
  })
  return fault
}

/** A version, and what takes it out of its chart. */
interface VersionNode { readonly version: IndexVersion, readonly node: unknown, readonly chart: Pair }

function rewriteEntries (
  document: Document,
  entries: YAMLMap,
  place: IndexPlace
): Pick<Rewritten, 'leftOut'> & { isChanged: boolean } {
  const places = entries.items.flatMap(chart => placesOf(chart))
  const { decisions, leftOut } = decideVersions(places.map(({ version }) => version), place)
  const gone = new Set(places.flatMap(({ node }, i) => decisions[i] === 'nothing' ? [node] : []))
  for (const [i, { node }] of places.entries()) {
    const decision = decisions[i]
    if (isMap(node) && typeof decision === 'object') node.set('urls', document.createNode(decision.links))
  }
  const emptied = new Set<unknown>()
  for (const chart of entries.items) {
    if (gone.has(chart)) emptied.add(chart)
    if (!isSeq(chart.value)) continue
    const { length } = chart.value.items
    chart.value.items = chart.value.items.filter(item => !gone.has(item))
    if (length > 0 && chart.value.items.length === 0) emptied.add(chart)
  }
  entries.items = entries.items.filter(chart => !emptied.has(chart))
  return { isChanged: decisions.some(decision => decision !== 'as it is'), leftOut }
}

/** The versions of a chart; one whose versions are no list, or whose name is no text, is one that nobody can read. */
function placesOf (chart: Pair): VersionNode[] {
  const { key, value } = chart
  const name = isScalar(key) ? String(key.value) : ''
  if (isSeq(value) && isScalar(key) && !isMerge(key)) {
    return value.items.map(node => ({ version: readVersionNode(node, name), node, chart }))
  }
  if (isNull(value)) return []
  return [{ version: { words: { name, version: '' }, urls: 'unreadable' }, node: chart, chart }]
}

function isMerge (key: { readonly source?: string, readonly value: unknown }): boolean {
  return key.source === '<<' || typeof key.value === 'symbol'
}

function readVersionNode (node: unknown, chart: string): IndexVersion {
  const words = { name: scalarTextOf(node, 'name') ?? chart, version: scalarTextOf(node, 'version') ?? '' }
  if (isNull(node)) return { words, urls: 'none' }
  if (!isMap(node) || documentFaultOf(node) !== undefined) return { words, urls: 'unreadable' }
  const urls = node.get('urls', true) as unknown
  if (urls === undefined || isNull(urls)) return { words, urls: 'none' }
  return { words, urls: isSeq(urls) ? urls.items.map(item => isScalar(item) ? item.value : item) : 'unreadable' }
}

/** The text of a scalar as it is written. */
function scalarTextOf (node: unknown, key: string): string | undefined {
  const value = isMap(node) ? node.get(key, true) as unknown : undefined
  return isScalar(value) ? value.source : undefined
}

function isNull (node: unknown): boolean {
  return node === null || (isScalar(node) && node.value === null)
}
