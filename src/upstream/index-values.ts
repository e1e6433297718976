// Which versions of an index that a parser has read are passed on? The decisions of
// index-links.ts over values, for an index as JSON and for YAML in any form; the two say
// how a version is read, and do what is decided.
import { FilesHere, localUrl, readLink, type EntryWords, type IndexPlace, type Link } from './index-links.ts'
import { leftOut, linkLeftOut, type LeftOut } from './left-out.ts'

/** It is no index, or one of which nobody can be sure. Its message is for the log. */
export class NoIndex extends Error {}

/** A version, as far as it matters here. */
export interface IndexVersion {
  readonly words: EntryWords
  /** 'none' says that it has none; 'unreadable', that readers may find others in it than we do. */
  readonly urls: readonly unknown[] | 'none' | 'unreadable'
}

/** What is passed on of a version: its links, all of it as it is, or nothing. */
export type LinkDecision = { readonly links: readonly string[] } | 'as it is' | 'nothing'

/** Decides all versions of an index, in order. */
export function decideVersions (
  versions: readonly IndexVersion[],
  place: IndexPlace
): { decisions: LinkDecision[], leftOut: LeftOut[] } {
  const read = versions.map(({ words, urls }) => ({ words, urls, links: linksOf(words, urls, place) }))
  const files = new FilesHere()
  for (const { text, link } of read.flatMap(({ links }) => links ?? [])) {
    if (link.kind === 'local') files.add(text, link.file)
  }
  const left: LeftOut[] = []
  const decisions = read.map(({ words, urls, links }): LinkDecision => {
    if (urls === 'none') return 'as it is'
    if (links === undefined) {
      left.push(leftOut('unreadable', words))
      return 'nothing'
    }
    const kept = links.flatMap(({ text, link }) => {
      const file = files.fileOf(text, link)
      if (file !== undefined) return [localUrl(file)]
      left.push(linkLeftOut(link, words, text))
      return []
    })
    if (kept.length === 0 && links.length > 0) return 'nothing'
    return kept.length === links.length && kept.every((url, i) => url === links[i]?.text) ? 'as it is' : { links: kept }
  })
  return { decisions, leftOut: left }
}

function linksOf (
  words: EntryWords,
  urls: IndexVersion['urls'],
  place: IndexPlace
): { text: string, link: Link }[] | undefined {
  if (urls === 'none') return []
  if (urls === 'unreadable' || !urls.every(url => typeof url === 'string')) return undefined
  return urls.map(text => ({ text, link: readLink(text, words, place) }))
}

/** Go's JSON takes a key in any letters for the one that it wants, an \u017f for an s too (encoding/json, foldName). */
export function otherSpelling (keys: readonly string[]): string | undefined {
  return keys.find(key =>
    /^(?:urls|entries|serverInfo)$/iu.test(key) && !['urls', 'entries', 'serverInfo'].includes(key))
}
