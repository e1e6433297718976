// What does an index as JSON say to clients of this gateway? ChartMuseum's --json-index.
import type { Rewritten } from './index-blocks.ts'
import type { IndexPlace } from './index-links.ts'
import { NoIndex, decideVersions, otherSpelling, type LinkDecision, type IndexVersion } from './index-values.ts'

type JsonMapping = Record<string, unknown>

interface JsonIndex {
  entries?: JsonMapping | null
  serverInfo?: { contextPath?: unknown } | null
}

/** @throws NoIndex, and what JSON.parse throws */
export function rewriteJson (text: string, place: IndexPlace): Rewritten {
  const index = JSON.parse(text) as JsonIndex
  const odd = otherSpelling(Object.keys(index))
  if (odd !== undefined) {
    throw new NoIndex(`the upstream's index has a key ${odd}, which some readers take for another one`)
  }
  if (typeof index.entries !== 'object' || Array.isArray(index.entries)) {
    throw new NoIndex("the upstream's index has no entries")
  }
  const charts = Object.entries(index.entries ?? {})
  const versions = charts.flatMap(([name, ofChart]) => {
    return versionsOf(ofChart).map(version => readJsonVersion(name, version))
  })
  const { decisions, leftOut } = decideVersions(versions, place)
  const next = decisions[Symbol.iterator]()
  // Always what was read: of a key that is there twice, Go's JSON takes both.
  if (index.entries !== null) {
    index.entries = Object.fromEntries(charts.flatMap(([name, ofChart]) =>
      rewriteChart(name, ofChart, () => next.next().value as LinkDecision)))
  }
  if ((index.serverInfo?.contextPath ?? '') !== place.basePath) {
    index.serverInfo = place.basePath === '' ? {} : { contextPath: place.basePath }
  }
  return { text: JSON.stringify(index), leftOut }
}

/** A chart whose versions are no list is one version that nobody can read. */
function versionsOf (versions: unknown): readonly unknown[] {
  return versions === null ? [] : Array.isArray(versions) ? versions : [undefined]
}

function readJsonVersion (chart: string, version: unknown): IndexVersion {
  if (version === null) return { words: { name: chart, version: '' }, urls: 'none' }
  if (typeof version !== 'object' || Array.isArray(version)) {
    return { words: { name: chart, version: '' }, urls: 'unreadable' }
  }
  const { name, version: number, urls } = version as JsonMapping
  const words = { name: typeof name === 'string' ? name : chart, version: typeof number === 'string' ? number : '' }
  if (otherSpelling(Object.keys(version)) !== undefined) return { words, urls: 'unreadable' }
  return { words, urls: urls === undefined || urls === null ? 'none' : Array.isArray(urls) ? urls : 'unreadable' }
}

/** A chart with what is passed on of it; none when that is nothing. */
function rewriteChart (name: string, versions: unknown, decide: () => LinkDecision): [string, unknown][] {
  const all = versionsOf(versions)
  if (all.length === 0) return [[name, versions]]
  const kept = all.flatMap(version => {
    const decision = decide()
    if (decision === 'nothing') return []
    return [decision === 'as it is' ? version : { ...version as JsonMapping, urls: decision.links }]
  })
  return kept.length === 0 ? [] : [[name, kept]]
}
