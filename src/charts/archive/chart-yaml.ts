// Which name and version does a Chart.yaml give? Helm reads it with sigs.k8s.io/yaml:
// YAML 1.1, then JSON into a struct. YAML has many ways to say one thing, and readers
// that differ in them: name and version must be plain keys with plain values.
import { isMap, isScalar, Lexer, parseDocument, type Document, type Pair } from 'yaml'
import { isChartName, isVersion } from '../names.ts'
import { Fault } from './fault.ts'
import { unsayableInIndex } from './index-text.ts'

// Parsing takes time for every byte and token, and more for every level; with these
// bounds some tens of milliseconds at most, in which nobody else is answered.
const LONGEST = 256 * 1024
const MOST_TOKENS = 10_000
const MOST_LEVELS = 64
const MOST_ALIASES = 100

export interface ChartIdentity {
  readonly name: string
  readonly version: string
}

/** The chart's name and version. @throws Fault too_large, invalid_chart_yaml, invalid_name, invalid_version */
export function readChartYaml (bytes: Buffer): ChartIdentity {
  const { contents } = parseYaml(bytes, 'Chart.yaml')
  if (!isMap(contents)) throw invalid('Chart.yaml is not a YAML mapping')
  const fields = fieldsOf(contents.items as Pair[], 'Chart.yaml')
  const name = textOf(fields.get('name'))
  if (name === undefined || !isChartName(name)) throw new Fault('invalid_name', 'Chart.yaml has no valid name: letters, digits, ".", "_" and "-", in quotes when it looks like a number')
  const version = textOf(fields.get('version'))
  if (version === undefined || !isVersion(version)) throw new Fault('invalid_version', 'Chart.yaml has no valid version: a semantic version such as 1.2.3, in quotes when it looks like a number')
  return { name, version }
}

/**
 * Helm reads a requirements.yaml into the same place as Chart.yaml, name and version
 * too (helm v3.21.4, pkg/chart/loader/load.go): it may not speak of them.
 * @throws Fault too_large, invalid_chart_yaml
 */
export function checkRequirements (bytes: Buffer): void {
  const { contents } = parseYaml(bytes, 'requirements.yaml')
  if (contents === null || (isScalar(contents) && contents.value === null)) return
  if (!isMap(contents)) throw invalid('requirements.yaml is not a YAML mapping')
  const fields = fieldsOf(contents.items as Pair[], 'requirements.yaml')
  if (fields.has('name') || fields.has('version')) throw invalid('requirements.yaml has a name or a version, which Helm takes for the chart\'s')
}

// YAML 1.1 has more line ends than YAML 1.2: what some read as text, Go's reader takes
// for another key. Other control characters it refuses, and a byte order mark in the
// middle is for every reader something else.
// eslint-disable-next-line no-control-regex
const READ_DIFFERENTLY = /\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|(?<!^)\ufeff/

function parseYaml (bytes: Buffer, file: string): Document.Parsed {
  const text = bytes.toString('utf8')
  if (isTooMuch(text)) throw new Fault('too_large', `the archive has a ${file} that is too large or too deep`)
  if (text.includes('\ufffd')) throw invalid(`${file} is not UTF-8`)
  if (READ_DIFFERENTLY.test(text)) throw invalid(`${file} has control characters, line ends or byte order marks that readers take differently: end its lines with LF or CRLF`)
  // The keys of a mapping are compared with each other by fieldsOf, not here: that
  // takes time by the square of their number.
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, logLevel: 'error', prettyErrors: false })
  // The parser's own words quote the file.
  if (document.errors.length > 0) throw invalid(`${file} is not valid YAML`)
  try {
    document.toJS({ maxAliasCount: MOST_ALIASES })
  } catch {
    throw invalid(`${file} has aliases that lead nowhere or too far`)
  }
  const unsayable = unsayableInIndex(document)
  if (unsayable !== undefined) throw invalid(`${file} has ${unsayable}, which no index can say`)
  return document
}

/** A look at the tokens first: they come one by one, and a parser only then takes them all. */
function isTooMuch (text: string): boolean {
  if (text.length > LONGEST) return true
  let tokens = 0
  let brackets = 0
  let inLine = 0
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') brackets++
    else if (token === ']' || token === '}') brackets--
    else if (token === '-' || token === '?' || token === ':') inLine++
    else if (token.startsWith('\n')) inLine = 0
    if (++tokens > MOST_TOKENS || brackets > MOST_LEVELS || (brackets <= 0 && inLine > MOST_LEVELS)) return true
  }
  return false
}

/** The values by their keys, each key said once and in the one way that all readers understand. */
function fieldsOf (pairs: readonly Pair[], file: string): Map<string, unknown> {
  const fields = new Map<string, unknown>()
  for (const { key, value } of pairs) {
    const text = isScalar(key) && typeof key.value === 'string' ? textOf(key) : undefined
    if (text === undefined || text === '<<') throw invalid(`${file} has a key that is no plain text`)
    if (fields.has(text)) throw invalid(`${file} has a key twice`)
    const field = ['name', 'version'].find(each => isMeant(text, each))
    if (field !== undefined && field !== text) throw invalid(`${file} has a key that some take for ${field}`)
    fields.set(text, value)
  }
  return fields
}

/** Go's encoding/json takes a key for a field whatever the case of its letters, the long s included. */
function isMeant (key: string, field: string): boolean {
  return key.replaceAll('\u017f', 's').toLowerCase() === field
}

// What Go takes for a number where YAML 1.1 does not.
const LIKE_A_NUMBER = /^[-+]?(?:0[xXoObB][0-9A-Fa-f_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?)$/
// A number that all print as it was written, such as 1 and 1.2, but not 1.10.
const PRINTS_AS_WRITTEN = /^(?:0|[1-9]\d{0,4})(?:\.\d{0,3}[1-9])?$/

/** The text of a plain value: no tag, no anchor, no alias, nothing that another reader takes for a number and prints differently. */
function textOf (node: unknown): string | undefined {
  if (!isScalar(node) || node.tag !== undefined || node.anchor !== undefined) return undefined
  if (node.type === 'PLAIN' && PRINTS_AS_WRITTEN.test(node.source as string)) return node.source
  return typeof node.value === 'string' && !(node.type === 'PLAIN' && LIKE_A_NUMBER.test(node.value)) ? node.value : undefined
}

function invalid (detail: string): Fault {
  return new Fault('invalid_chart_yaml', detail)
}
