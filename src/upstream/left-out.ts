// What of an index is not passed on, and what can a person do about it? One record for
// each entry or link that is left out, for one warning; its neighbours are passed on.
import { chartFileOf } from '../words/chart-names.ts'
import { printable } from '../lib/printable.ts'
import type { EntryWords, Link } from './index-links.ts'

/** Why, and what to do. */
export const LEFT_OUT_REASONS = {
  leads_elsewhere: 'its link leads to what is no file of this tenant: upload the chart here, ' +
    'and run ChartMuseum without --chart-url; where it runs without, remove index-cache.yaml ' +
    'from the tenant\'s folder, in which it keeps old links, and restart it',
  unsayable_name: 'no path can say the name of its file: rename the file in the storage, ' +
    'without /, \\, control characters, % before two hexadecimal digits, and with at most 255 bytes',
  unreadable: 'it is written in a way that not all readers take alike: upload the chart again; ' +
    'where the index is not written by ChartMuseum itself, correct it there'
} as const

export type LeftOutReason = keyof typeof LEFT_OUT_REASONS

/** For the log: no text in it has a credential, or ends a line. */
export interface LeftOut {
  readonly chart: string
  readonly version: string
  /** What the link leads to, without a query; or what the file would be called. */
  readonly file: string
  readonly reason: LeftOutReason
}

const LONGEST_WORD = 300

/** @param link undefined: it is not for one of its links that the entry is left out */
export function leftOut (reason: LeftOutReason, { name, version }: EntryWords, link?: string): LeftOut {
  const file = link === undefined ? chartFileOf(name, version) : linkedFileOf(link)
  return { chart: shownWord(name), version: shownWord(version), file: shownWord(file), reason }
}

/** Of one of the links of an entry, which leads to no file here. */
export function linkLeftOut ({ kind }: Link, words: EntryWords, text: string): LeftOut {
  return leftOut(kind === 'elsewhere' ? 'leads_elsewhere' : 'unsayable_name', words, text)
}

function shownWord (text: string): string {
  return printable(text.slice(0, LONGEST_WORD))
}

/**
 * The last segment of a link; but a query may hold a credential, and so may what is before
 * an `@`, where that is not in a file's name.
 */
function linkedFileOf (link: string): string {
  const path = link.split(/[?#]/, 1)[0] as string
  const segment = path.slice(path.lastIndexOf('/') + 1)
  return /[^/]\/[^/]*\.tgz$/.test(path) ? segment : segment.slice(segment.lastIndexOf('@') + 1)
}
