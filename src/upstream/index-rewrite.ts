<<<<<<< HEAD
// What does an index say to clients of this gateway? The upstream's bytes, with two things
// put right: links that lead here (index-links.ts), and `serverInfo.contextPath`, from
// which cm-push makes the address that it pushes to. A version without a link that leads
// here is left out, and said. Nothing else is touched, and no key is added: Helm parses an
// index strictly (helm/helm v3.21.4, pkg/repo/index.go, loadIndex).
import { rewriteBlocks, type Rewritten } from './index-blocks.ts'
import { rewriteDocument } from './index-document.ts'
import { rewriteJson } from './index-json.ts'
import type { IndexPlace } from './index-links.ts'
import { NoIndex } from './index-values.ts'
import type { LeftOut } from './left-out.ts'
=======
// What does an index say to clients of this gateway? The upstream's bytes, with two
// things put right: URLs that lead here (index-links.ts), and `serverInfo.contextPath`,
// from which cm-push makes the address that it pushes to. Nothing else is touched, and
// no key is added: Helm parses an index strictly (helm/helm v3.21.4, pkg/repo/index.go,
// loadIndex).
import { isMap, isScalar, isSeq, visit, type Document, type YAMLMap } from 'yaml'
import { parseBounded } from '../lib/bounded-yaml.ts'
import { localUrl, type IndexPlace } from './index-links.ts'
>>>>>>> 508cb6b (Take in what part 2 finished)

export type RewriteResult =
  | { readonly ok: true, readonly body: Buffer, /** for a warning each */ readonly leftOut: readonly LeftOut[] }
  | { readonly ok: false, /** for the log */ readonly cause: string }

<<<<<<< HEAD
=======
/** A parser of YAML takes seconds for more than this, while nobody else is answered. */
const MOST_PARSED = 2 * 1024 * 1024
const BOUNDS = { tokens: 600_000, levels: 100 }

class Fault extends Error {}

>>>>>>> 508cb6b (Take in what part 2 finished)
/** @param raw an answer 200 to a request for index.yaml */
export function rewriteIndex (raw: Buffer, place: IndexPlace): RewriteResult {
  try {
    const text = raw.toString('utf8')
    const rewritten = rewrite(text, place)
    return { ok: true, body: rewritten.text === text ? raw : Buffer.from(rewritten.text), leftOut: rewritten.leftOut }
  } catch (error) {
    if (error instanceof NoIndex) return { ok: false, cause: error.message }
    return { ok: false, cause: 'what the upstream calls its index.yaml is not YAML' }
  }
}

<<<<<<< HEAD
function rewrite (text: string, place: IndexPlace): Rewritten {
  return text.startsWith('{') ? rewriteJson(text, place) : rewriteBlocks(text, place) ?? rewriteDocument(text, place)
=======
function linked (url: string, place: IndexPlace): string {
  const local = localUrl(url, place)
  if (local === undefined) throw new Fault(`the upstream's index sends clients to ${JSON.stringify(url.slice(0, 200))}, which is not in this repository: run ChartMuseum without --chart-url, or with one whose path is its own`)
  return local
}

// Line ends of YAML 1.1, which Go's reader knows and others do not: what is one line to
// these may have a key in its middle for Helm.
const ODD_LINE_END = /\r(?!\n)|[\x85\u2028\u2029]/

/**
 * The form in which ChartMuseum writes an index (block style, two columns a level), line
 * by line; undefined for any other. What charts say of themselves stands in columns
 * further right than the keys that are looked for, so no text of theirs can be taken
 * for one.
 */
function rewriteBlocks (text: string, place: IndexPlace): string | undefined {
  if (!/^apiVersion: \S+\nentries:(?: \{\})?\n/.test(text)) return undefined
  const lines = text.split('\n')
  if (ODD_LINE_END.test(text) && lines.some(hidesKey)) return undefined
  let section = ''
  let inVersion = false
  let inUrls = false
  let serverInfo: number | undefined
  for (const [i, line] of lines.entries()) {
    const column = line.search(/[^ ]/)
    if (column >= 4 && !inVersion) return undefined // a level of more columns: the keys of its versions are elsewhere
    if (column < 0 || column > 4) {
      if (inUrls) return undefined // an URL of several lines
    } else if (column === 4 && inUrls && line.startsWith('    - ')) {
      const url = plainScalar(line.slice(6))
      if (url === undefined) return undefined
      const local = linked(url, place)
      if (local !== url) lines[i] = `    - ${local}`
    } else if (column === 4) {
      inUrls = line === '    urls:'
      if (!inUrls && (/^ {4}["']?urls/i.test(line) || !/^ {4}(?:- |-$|[A-Za-z]+:)/.test(line))) return undefined
    } else {
      inUrls = false
      inVersion = line.startsWith('  - ')
      if (column === 0) {
        const key = /^(apiVersion|entries|generated|serverInfo): ?/.exec(line)?.[1]
        if (key === undefined) return undefined
        section = key
        if (key === 'serverInfo') serverInfo = i
      } else if (column !== 2 || !isSecondLevel(section, line)) return undefined
    }
  }
  return withServerInfo(lines, serverInfo, place.basePath)
}

/** True when a key may begin behind an odd line end; in a text of a chart's the indentation of that text follows. */
function hidesKey (line: string): boolean {
  return line.split(ODD_LINE_END).some((part, i) => i > 0 && /^ {0,4}[^ ]/.test(part))
}

/** A chart's name, the first key of a version, or the one key of serverInfo. */
function isSecondLevel (section: string, line: string): boolean {
  if (section === 'serverInfo') return line.startsWith('  contextPath: ')
  return section === 'entries' && /^ {2}(?:- (?!urls)[A-Za-z]+:|["']?[A-Za-z0-9._-]+["']?:$)/i.test(line)
}

/** A YAML scalar on one line; undefined where more than a look is needed. */
function plainScalar (text: string): string | undefined {
  if (/^[A-Za-z0-9./][^\s#'"]*$/.test(text)) return text
  const quoted = /^"([^"\\]*)"$/.exec(text) ?? /^'([^']*)'$/.exec(text)
  return quoted?.[1]
}

/** The lines with our own context path; serverInfo is the last key in ChartMuseum's order. */
function withServerInfo (lines: string[], at: number | undefined, basePath: string): string | undefined {
  if (at === undefined) return basePath === '' ? lines.join('\n') : undefined
  const block = lines.slice(at).filter(line => line !== '')
  const known = block[0] === 'serverInfo: {}' ? block.length === 1 : block[0] === 'serverInfo:' && block.length === 2
  if (!known) return undefined
  return [...lines.slice(0, at), ...basePath === '' ? ['serverInfo: {}'] : ['serverInfo:', `  contextPath: ${basePath}`], ''].join('\n')
}

interface JsonIndex {
  entries?: Record<string, { urls?: unknown[] | null }[] | null>
  serverInfo?: { contextPath?: string }
}

/** ChartMuseum's --json-index. */
function rewriteJson (text: string, place: IndexPlace): string {
  const index = JSON.parse(text) as JsonIndex
  if (typeof index.entries !== 'object') throw new Fault("the upstream's index has no entries")
  refuseOtherSpellings(index)
  for (const version of Object.values(index.entries).flatMap(versions => versions ?? [])) {
    refuseOtherSpellings(version)
    const urls = version.urls?.map(url => linked(String(url), place))
    if (urls !== undefined) version.urls = urls
  }
  if ((index.serverInfo?.contextPath ?? '') !== place.basePath) index.serverInfo = place.basePath === '' ? {} : { contextPath: place.basePath }
  // Always what was read: of a key that is there twice, Go's JSON takes both.
  return JSON.stringify(index)
}

/** Go's JSON takes a key in any letters for the one that it wants, an \u017f for an s too (encoding/json, foldName). */
function refuseOtherSpellings (value: object): void {
  const odd = Object.keys(value).find(key => /^(?:urls|entries|serverInfo)$/iu.test(key) && !['urls', 'entries', 'serverInfo'].includes(key))
  if (odd !== undefined) throw new Fault(`the upstream's index has a key ${odd}, which some readers take for another one`)
}

/** Any other form of YAML, by a parser. */
function rewriteYaml (text: string, place: IndexPlace): string {
  if (text.length > MOST_PARSED) throw new Fault(`the upstream's index is not written as ChartMuseum writes one, and too long to be parsed (${text.length} characters)`)
  // The keys of a mapping are compared with each other below: here that takes time by the square of their number.
  const document = parseBounded(text, BOUNDS, { version: '1.1', logLevel: 'error', uniqueKeys: false, prettyErrors: false })
  if (document === undefined) throw new Fault("the upstream's index is not written as ChartMuseum writes one, and too deep or too long to be parsed")
  const entries = document.errors.length === 0 && isMap(document.contents) ? document.get('entries', true) : undefined
  if (!isMap(entries) && !(isScalar(entries) && entries.value === null)) throw new Fault("what the upstream calls its index.yaml has no entries: it is another page, or another program's")
  if (ODD_LINE_END.test(text)) throw new Fault("the upstream's index has line ends that readers take differently")
  visit(document, {
    Alias () { throw new Fault("the upstream's index has aliases, which it does not need") },
    Map (_key, node) {
      const keys = node.items.map(({ key }) => isScalar(key) ? String(key.value) : '')
      if (new Set(keys).size < keys.length || keys.includes('')) throw new Fault("the upstream's index has a key twice, or one that is no text")
      refuseOtherSpellings(Object.fromEntries(keys.map(key => [key, true])))
    },
    Pair (_key, { key }) { if (isScalar(key) && (key.source === '<<' || typeof key.value === 'symbol')) throw new Fault("the upstream's index has merge keys, which it does not need") }
  })
  let changed = isMap(entries) && relinkAll(document, entries, place)
  if ((document.getIn(['serverInfo', 'contextPath']) ?? '') !== place.basePath) {
    changed = true
    document.set('serverInfo', document.createNode(place.basePath === '' ? {} : { contextPath: place.basePath }))
  }
  return changed ? document.toString({ lineWidth: 0 }) : text
}

function relinkAll (document: Document, entries: YAMLMap, place: IndexPlace): boolean {
  let changed = false
  for (const { value: versions } of entries.items) {
    if (!isSeq(versions)) throw new Fault("the upstream's index has a chart without a list of versions")
    for (const version of versions.items) {
      const urls = isMap(version) ? version.get('urls', true) : undefined
      if (!isSeq(urls)) continue
      for (const [i, item] of urls.items.entries()) {
        const url = String(isScalar(item) ? item.value : item)
        const local = linked(url, place)
        if (local === url && isScalar(item)) continue
        changed = true
        urls.items[i] = document.createNode(local)
      }
    }
  }
  return changed
>>>>>>> 508cb6b (Take in what part 2 finished)
}
