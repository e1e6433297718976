// How is a YAML file changed that a person wrote? Through the library's documents, which
// keep comments and order. They lay everything out anew, and so the lines that the change
// does not reach are taken from the file itself.
import { isDeepStrictEqual } from 'node:util'
import {
  isMap, isSeq, parseDocument, visit, YAMLMap, YAMLSeq,
  type Document, type Node, type Range, type ToStringOptions
} from 'yaml'

type StringifyContext = NonNullable<Parameters<YAMLMap['toString']>[0]>

export type Edited =
  | { readonly ok: true, readonly text: string }
  | { readonly ok: false, readonly message: string }

/**
 * @param text one document in YAML without mistakes, whose root is a mapping, or nothing
 * @param change what is to be changed in the document
 * @returns why not, when somebody has to do it by hand
 */
export function editYaml (text: string, change: (document: Document) => void): Edited {
  const document = parseDocument(text)
  if (hasAlias(document)) {
    return {
      ok: false,
      message: 'it has aliases, and what they stand for would change elsewhere too: edit it by hand'
    }
  }
  const layout = layoutOf(text, document)
  const before = print(document, layout)
  change(document)
  return { ok: true, text: keepLines(text, before, print(document, layout)) }
}

function hasAlias (document: Document): boolean {
  let found = false
  visit(document, { Alias: () => { found = true; return visit.BREAK } })
  return found
}

/** As people write: { a: 1 } and [a]. The library has one padding for both. */
function print (document: Document, layout: ToStringOptions): string {
  visit(document, {
    Map (_, node) { node.toString = padded(YAMLMap.prototype, node, ' ') },
    Seq (_, node) { node.toString = padded(YAMLSeq.prototype, node, '') }
  })
  return document.toString(layout)
}

function padded<N extends YAMLMap | YAMLSeq> (prototype: N, node: N, padding: string): N['toString'] {
  return (context, ...rest) => prototype.toString.call(
    node,
    { ...context as StringifyContext, flowCollectionPadding: padding },
    ...rest
  )
}

/** How far the file's lists are indented. */
function layoutOf (text: string, { contents }: Document): ToStringOptions {
  const column = (offset: number): number => offset - text.lastIndexOf('\n', offset - 1) - 1
  const pairs = isMap(contents) ? contents.items : []
  for (const { key, value } of pairs) {
    if (!isSeq(value) || value.flow === true) continue
    const step = column((value.range as Range)[0]) - column(((key as Node).range as Range)[0])
    return { lineWidth: 0, indent: step > 0 ? step : 2, indentSeq: step > 0 }
  }
  return { lineWidth: 0 }
}

/**
 * The new text, with the lines of the old one at its beginning and end that say the same.
 * @param text as the file is
 * @param before the same as the library lays it out
 * @param after what is to be in the file, laid out by the library
 */
function keepLines (text: string, before: string, after: string): string {
  const old = text.split(/\r?\n/)
  const [was, is] = [before.split('\n'), after.split('\n')] as const
  const most = Math.min(was.length, is.length)
  let equal = 0
  while (equal < most - 1 && was[equal] === is[equal]) equal++
  // Without what is behind the last line end: it is no empty line.
  const head = keptLines(old.slice(0, -1).map(bare), was.map(bare), equal)
  equal = 0
  while (equal < most - head.lines && was.at(-1 - equal) === is.at(-1 - equal)) equal++
  const tail = keptLines(old.map(bare).reverse().map(backwards), was.map(bare).reverse().map(backwards), equal)
  const kept = [
    ...old.slice(0, head.ofOld),
    ...is.slice(head.lines, is.length - tail.lines),
    ...old.slice(Math.max(head.ofOld, old.length - tail.ofOld))
  ]
  // Lines that are indented otherwise mean something else there.
  return (isSameYaml(kept.join('\n'), after) ? kept : is).join(text.includes('\r\n') ? '\r\n' : '\n')
}

interface Kept {
  /** Lines of the library's that are kept … */
  readonly lines: number
  /** … and those of the old text that stand for them. */
  readonly ofOld: number
}

/**
 * How many lines at the beginning can stay as they were? The library moves comments and
 * collapses empty lines, and so lines are told by their characters, without blanks.
 * @param equal how many of the library's lines the change does not reach
 */
function keptLines (old: readonly string[], was: readonly string[], equal: number): Kept {
  const same = commonLength(old.join(''), was.join(''))
  const ends = new Map<number, { readonly first: number, last: number }>()
  let length = 0
  for (const [i, line] of old.entries()) {
    length += line.length
    const end = ends.get(length)
    if (end === undefined) ends.set(length, { first: i + 1, last: i + 1 })
    else end.last = i + 1 // an empty line behind it
  }
  length = was.slice(0, equal).join('').length
  for (let lines = equal; lines > 0; lines--) {
    const end = length <= same ? ends.get(length) : undefined
    const line = was[lines - 1] as string
    if (end !== undefined) return { lines, ofOld: line === '' ? end.last : end.first }
    length -= line.length
  }
  return { lines: 0, ofOld: 0 }
}

function bare (line: string): string {
  return line.replace(/\s+/g, '')
}

function backwards (line: string): string {
  return [...line].reverse().join('')
}

function commonLength (one: string, other: string): number {
  let length = 0
  while (length < one.length && one[length] === other[length]) length++
  return length
}

function isSameYaml (one: string, other: string): boolean {
  const document = parseDocument(one)
  return document.errors.length === 0 && isDeepStrictEqual(document.toJS(), parseDocument(other).toJS())
}
