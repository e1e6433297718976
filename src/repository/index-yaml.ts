// How does ChartMuseum write index.yaml? Byte for byte as sigs.k8s.io/yaml v1.6.0 over
// go.yaml.in/yaml v2.4.3 (encode.go, emitterc.go, sorter.go): keys sorted with numbers
// by value, lists not indented, quotes only where another reader would see something
// else, block text for lines, folded behind column 80. Helm parses the result strictly.
import { goFloat, resolveGoScalar } from '../lib/go-scalars.ts'
import type { GoStruct, GoValue } from './go-json.ts'
import { isYamlTime } from './go-time.ts'

/** One entry of a chart's list, indented to its place in the index: two columns more below a long name. */
export function entryYaml (entry: GoStruct): string {
  const indent = isLong(String(entry['name'])) ? 6 : 4
  return `${' '.repeat(indent - 2)}- ${writeMapping(sortedEntries(entry), indent)}\n`
}

export interface IndexParts {
  /** Charts in any order, each with the texts of its entries, the newest first. */
  readonly charts: Iterable<readonly [name: string, entries: readonly string[]]>
  readonly generated: Date
  readonly contextPath: string
}

/** A whole index.yaml. */
export function indexYaml ({ charts, generated, contextPath }: IndexParts): string {
  const sorted = [...charts].sort(([a], [b]) => compareKeys(a, b))
  const parts = ['apiVersion: v1\n', sorted.length === 0 ? 'entries: {}\n' : 'entries:\n']
  for (const [name, entries] of sorted) {
    if (isLong(name)) parts.push(`  ${key(name, 2)} `, entries.join('').trimStart())
    else parts.push(`  ${key(name, 2)}\n`, ...entries)
  }
  const seconds = new Date(Math.round(generated.getTime() / 1000) * 1000).toISOString().replace('.000Z', 'Z')
  parts.push(
    `generated: "${seconds}"\n`,
    contextPath === '' ? 'serverInfo: {}\n' : `serverInfo:\n  contextPath: ${writeScalar(contextPath, 4, 15)}\n`
  )
  return parts.join('')
}

function sortedEntries (value: GoStruct): [string, GoValue][] {
  return Object.entries(value).sort(([a], [b]) => compareKeys(a, b))
}

/** A block mapping whose first key is already at its column. */
function writeMapping (entries: readonly [string, GoValue][], indent: number): string {
  return entries.map(([name, value]) => {
    const before = key(name, indent)
    if (isLong(name)) return `${before} ${itemOf(value, indent + 2)}`
    return before + writeValue(value, indent, indent + lengthOf(before) + 1)
  }).join('\n' + ' '.repeat(indent))
}

/** A long key, or one of several lines, cannot stand before a colon. */
function isLong (name: string): boolean {
  return Buffer.byteLength(name) > 128 || BREAK.test(name)
}

function key (name: string, indent: number): string {
  return isLong(name)
    ? `? ${writeScalar(name, indent + 2, indent + 2)}\n${' '.repeat(indent)}:`
    : `${writeScalar(name, indent, NEVER_FOLDED)}:`
}

/**
 * What stands behind the colon.
 * @param column where a scalar begins
 */
function writeValue (value: GoValue, indent: number, column: number): string {
  const below = '\n' + ' '.repeat(indent)
  if (typeof value !== 'object' || value === null) return ' ' + plain(value, indent, column)
  if (Array.isArray(value)) {
    if (value.length === 0) return ' []'
    return (value as readonly GoValue[]).map(item => `${below}- ${itemOf(item, indent + 2)}`).join('')
  }
  const entries = sortedEntries(value as GoStruct)
  return entries.length === 0 ? ' {}' : `${below}  ${writeMapping(entries, indent + 2)}`
}

/** What stands behind the dash of a list. */
function itemOf (value: GoValue, indent: number): string {
  if (typeof value !== 'object' || value === null) return plain(value, indent - 2, indent)
  if (Array.isArray(value)) {
    if (value.length === 0) return '[]'
    const items = (value as readonly GoValue[]).map(item => `- ${itemOf(item, indent + 2)}`)
    return items.join('\n' + ' '.repeat(indent))
  }
  const entries = sortedEntries(value as GoStruct)
  return entries.length === 0 ? '{}' : writeMapping(entries, indent)
}

function plain (value: string | number | boolean | null, indent: number, column: number): string {
  if (typeof value === 'string') return writeScalar(value, indent + 2, column)
  return typeof value === 'number' ? goNumber(value) : String(value)
}

/** A number that went through JSON: whole ones stay, others as Go prints a float. */
function goNumber (value: number): string {
  return Number.isSafeInteger(value) ? String(value) : goFloat(value, 64)
}

// ---- scalars -------------------------------------------------------------------

const IN_BASE_60 = /^[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?$/

/**
 * Would Go's reader see something else than text, or a reader of YAML 1.1 a number in
 * base 60? (resolve.go; isBase60Float of encode.go)
 */
function isResolved (text: string): boolean {
  return typeof resolveGoScalar(text) !== 'string' || isYamlTime(text) || IN_BASE_60.test(text)
}

const WIDTH = 80
const NEVER_FOLDED = -Infinity

/**
 * @param indent the column that further lines get
 * @param column where the first one begins
 */
function writeScalar (text: string, indent: number, column: number): string {
  // Nearly all of them.
  if (/^[A-Za-z][A-Za-z0-9_./-]*$/.test(text) && typeof resolveGoScalar(text) === 'string') return text
  const traits = analyse(text)
  if (text.includes('\n')) {
    return traits.block && column !== NEVER_FOLDED ? literal(text, indent) : doubleQuoted(text, indent, column)
  }
  if (isResolved(text)) return doubleQuoted(text, indent, column)
  if (traits.plain) return folded([...text], false, indent, column)
  return traits.single
    ? `'${folded([...text.replace(/'/g, "''")], true, indent, column + 1)}'`
    : doubleQuoted(text, indent, column)
}

/**
 * Breaks lines at the first single space behind column 80.
 * @param pieces what is written for each character
 * @param quoted a space at either end stays
 */
function folded (pieces: readonly string[], quoted: boolean, indent: number, column: number, escapes = false): string {
  let out = ''
  let at = column
  let spaces = false
  for (const [i, piece] of pieces.entries()) {
    if (at === 0 && !BREAK.test(piece)) { // behind a line separator of the text's own
      out += ' '.repeat(indent)
      at = indent
    }
    const inside = !quoted || (i > 0 && i < pieces.length - 1)
    if (piece === ' ' && !spaces && at > WIDTH && inside && (escapes || pieces[i + 1] !== ' ')) {
      out += '\n' + ' '.repeat(indent)
      at = indent
      if (pieces[i + 1] === ' ') {
        out += '\\'
        at++
      }
    } else {
      out += piece
      at = BREAK.test(piece) ? 0 : at + lengthOf(piece)
    }
    spaces = piece === ' '
  }
  return out
}

/** In characters, as the emitter counts columns. */
function lengthOf (text: string): number {
  return [...text].length
}

// eslint-disable-next-line no-control-regex
const UNPRINTABLE = /[\x00-\x09\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufeff\ufffe\uffff]|[\u{10000}-\u{10ffff}]/u
const BREAK = /[\r\n\u0085\u2028\u2029]/

/** Which styles can hold the text (yaml_emitter_analyze_scalar). */
function analyse (text: string): { plain: boolean, single: boolean, block: boolean } {
  const special = UNPRINTABLE.test(text) || / [\r\n\u0085\u2028\u2029]/.test(text)
  const breakSpace = /[\r\n\u0085\u2028\u2029] /.test(text)
  const indicators = /^(?:---|\.\.\.)/.test(text) ||
    /^[#,[\]{}&*!|>'"%@`]/.test(text) ||
    /^[?:-](?:[ \t]|$)/.test(text) ||
    /:(?:[ \t]|$)/.test(text.slice(1)) ||
    /[ \t\r\n\0\u0085\u2028\u2029]#/.test(text)
  const edges = /^[ \r\n\u0085\u2028\u2029]|[ \r\n\u0085\u2028\u2029]$/.test(text)
  return {
    plain: !special && !breakSpace && !indicators && !edges && !BREAK.test(text),
    single: !special && !breakSpace,
    block: !special && !text.endsWith(' ')
  }
}

/** Every line but the first at its column, and nothing on empty ones. */
function padded (text: string, indent: number): string {
  return text.replace(/([\n\u2028\u2029])(?=[^\n\u2028\u2029])/g, `$1${' '.repeat(indent)}`)
}

function literal (text: string, indent: number): string {
  const hint = /^[ \r\n\u0085\u2028\u2029]/.test(text) ? '2' : ''
  const chomp = !BREAK.test(text.slice(-1)) ? '-' : text.length === 1 || BREAK.test(text.slice(-2, -1)) ? '+' : ''
  const lead = BREAK.test(text.charAt(0)) ? '' : ' '.repeat(indent)
  // The caller ends the line.
  return `|${hint}${chomp}\n${lead}${padded(text, indent)}`.replace(/\n$/, '')
}

const SHORT: Readonly<Record<number, string>> = {
  0: '0',
  7: 'a',
  8: 'b',
  9: 't',
  10: 'n',
  11: 'v',
  12: 'f',
  13: 'r',
  27: 'e',
  34: '"',
  92: '\\',
  0x85: 'N',
  0xa0: '_',
  0x2028: 'L',
  0x2029: 'P'
}

function doubleQuoted (text: string, indent: number, column: number): string {
  const bom = text.startsWith('\ufeff') // then, by a slip of the emitter, every character is escaped
  const pieces = [...text].map(character => {
    const code = character.codePointAt(0) as number
    if (!bom && code !== 34 && code !== 92 && !BREAK.test(character) && !UNPRINTABLE.test(character)) return character
    if (SHORT[code] !== undefined) return `\\${SHORT[code]}`
    return code <= 0xff ? `\\x${hex(code, 2)}` : code <= 0xffff ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`
  })
  return `"${folded(pieces, true, indent, column + 1, true)}"`
}

function hex (code: number, digits: number): string {
  return code.toString(16).toUpperCase().padStart(digits, '0')
}

// ---- the order of keys ------------------------------------------------------------

/** Letters after everything else, runs of digits by their value (sorter.go). */
export function compareKeys (a: string, b: string): number {
  if (a === b) return 0
  const ar = [...a]
  const br = [...b]
  const shorter = Math.min(ar.length, br.length)
  for (let i = 0; i < shorter; i++) {
    const ac = ar[i] as string
    const bc = br[i] as string
    if (ac === bc) continue
    const aLetter = isLetter(ac)
    const bLetter = isLetter(bc)
    if (aLetter && bLetter) return codeOf(ac) - codeOf(bc)
    if (aLetter || bLetter) return bLetter ? -1 : 1
    const lead = ac === '0' || bc === '0' ? leadsNumber(ar, i) : 0n
    const [an, aEnd] = scalarValueAt(ar, i, lead)
    const [bn, bEnd] = scalarValueAt(br, i, lead)
    if (an !== bn) return an < bn ? -1 : 1
    if (aEnd !== bEnd) return aEnd - bEnd
    return codeOf(ac) - codeOf(bc)
  }
  return ar.length - br.length
}

function isLetter (character: string): boolean {
  return /\p{L}/u.test(character)
}

function codeOf (character: string): number {
  return character.codePointAt(0) as number
}

/** 1 when the digits before have one that is not 0: then a 0 counts as a digit of theirs. */
function leadsNumber (characters: readonly string[], at: number): bigint {
  for (let j = at - 1; j >= 0 && /[0-9]/.test(characters[j] as string); j--) if (characters[j] !== '0') return 1n
  return 0n
}

function scalarValueAt (characters: readonly string[], at: number, lead: bigint): [value: bigint, end: number] {
  let value = lead
  let end = at
  for (; end < characters.length && /[0-9]/.test(characters[end] as string); end++) {
    value = BigInt.asIntN(64, value * 10n + BigInt(characters[end] as string))
  }
  return [value, end]
}
