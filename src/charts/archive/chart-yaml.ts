// What does a Chart.yaml say? Read as Go's sigs.k8s.io/yaml reads it (YAML 1.1, then
// JSON into a struct). YAML has many ways to say one thing, and readers that differ in
// them: name and version must be plain keys with plain values.
import { isMap, isScalar, Lexer, parseDocument, type Document, type Pair, type Scalar } from 'yaml'
import { isChartName, isVersion } from '../names.ts'
import { Fault } from './fault.ts'

// Parsing takes time for every line and token, and more for every level.
const MOST_LINES = 20_000
const MOST_TOKENS = 50_000
const MOST_LEVELS = 64
const MOST_ALIASES = 100

export interface ChartYaml {
  readonly name: string
  readonly version: string
  readonly metadata: Readonly<Record<string, unknown>>
}

/** The chart's name, version and everything else. @throws Fault invalid_chart_yaml, invalid_name, invalid_version */
export function readChartYaml (bytes: Buffer): ChartYaml {
  const document = parseYaml(bytes, 'Chart.yaml')
  if (!isMap(document.contents)) throw invalid('Chart.yaml is not a YAML mapping')
  checkKeys(document.contents.items as Pair[])
  const metadata = toPlain(document)
  const { name, version } = metadata
  if (typeof name !== 'string' || !isChartName(name)) throw new Fault('invalid_name', 'Chart.yaml has no valid name: letters, digits, ".", "_" and "-"')
  if (typeof version !== 'string' || !isVersion(version)) throw new Fault('invalid_version', 'Chart.yaml has no valid version: a semantic version such as 1.2.3, in quotes when it looks like a number')
  return { name, version, metadata }
}

/**
 * Helm reads a requirements.yaml into the same place as Chart.yaml, name and version
 * too (helm v3.21.4, pkg/chart/loader/load.go): it may not speak of them.
 * @throws Fault invalid_chart_yaml
 */
export function checkRequirements (bytes: Buffer): void {
  const { contents } = parseYaml(bytes, 'requirements.yaml')
  if (contents === null || (isScalar(contents) && contents.value === null)) return
  if (!isMap(contents)) throw invalid('requirements.yaml is not a YAML mapping')
  for (const { key } of contents.items as Pair[]) {
    if (!isPlainText(key) || isMeant(key.value, 'name') || isMeant(key.value, 'version') || key.value === '<<') throw invalid('requirements.yaml has more than dependencies: a name, a version or a key that is no text')
  }
}

function parseYaml (bytes: Buffer, file: string): Document.Parsed {
  const text = bytes.toString('utf8')
  if (isTooMuch(text)) throw invalid(`${file} is too large or too deep`)
  if (text.includes('\ufffd')) throw invalid(`${file} is not UTF-8`)
  // The keys of a mapping are compared with each other by checkKeys, not here: that
  // takes time by the square of their number.
  const document = parseDocument(text, { version: '1.1', uniqueKeys: false, logLevel: 'error', prettyErrors: false })
  // The parser's own words quote the file.
  if (document.errors.length > 0) throw invalid(`${file} is not valid YAML`)
  return document
}

/** A look at the tokens first: they come one by one, and a parser only then takes them all. */
function isTooMuch (text: string): boolean {
  let lines = 0
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) if (++lines > MOST_LINES) return true
  let tokens = 0
  let brackets = 0
  let aliases = 0
  let inLine = 0
  for (const token of new Lexer().lex(text)) {
    if (token === '[' || token === '{') brackets++
    else if (token === ']' || token === '}') brackets--
    else if (token === '-' || token === '?' || token === ':') inLine++
    else if (token.startsWith('*')) aliases++
    else if (token.startsWith('\n')) inLine = 0
    if (++tokens > MOST_TOKENS || aliases > MOST_ALIASES || brackets > MOST_LEVELS || (brackets <= 0 && inLine > MOST_LEVELS)) return true
  }
  return false
}

function toPlain (document: Document.Parsed): Record<string, unknown> {
  try {
    return document.toJS({ maxAliasCount: MOST_ALIASES }) as Record<string, unknown>
  } catch {
    throw invalid('Chart.yaml has aliases that lead nowhere or too far')
  }
}

/** One `name`, one `version`, each said in the one way that all readers understand. */
function checkKeys (pairs: readonly Pair[]): void {
  const seen = new Set<string>()
  for (const { key, value } of pairs) {
    if (!isPlainText(key) || key.value === '<<') throw invalid('Chart.yaml has a key that is no plain text')
    if (seen.has(key.value)) throw invalid('Chart.yaml has a key twice')
    seen.add(key.value)
    for (const name of ['name', 'version']) {
      if (!isMeant(key.value, name)) continue
      if (key.value !== name) throw invalid(`Chart.yaml has a key that some take for ${name}`)
      if (value !== null && !isPlainText(value)) throw new Fault(name === 'name' ? 'invalid_name' : 'invalid_version', `Chart.yaml has a ${name} that is no plain text: put it in quotes`)
    }
  }
}

/** Go's encoding/json takes a key for a field whatever the case of its letters, of U+017F and U+212A too. */
function isMeant (key: string, field: string): boolean {
  return key.replaceAll('\u017f', 's').replaceAll('\u212a', 'k').toLowerCase() === field
}

// What Go takes for a number where YAML 1.1 does not.
const LIKE_A_NUMBER = /^[-+]?(?:0[xXoObB][0-9A-Fa-f_]+|[0-9][0-9_]*(?:\.[0-9_]*)?(?:[eE][-+]?[0-9]+)?)$/

function isPlainText (node: unknown): node is Scalar<string> {
  return isScalar(node) && typeof node.value === 'string' && node.tag === undefined && node.anchor === undefined && !(node.type === 'PLAIN' && LIKE_A_NUMBER.test(node.value))
}

function invalid (detail: string): Fault {
  return new Fault('invalid_chart_yaml', detail)
}
