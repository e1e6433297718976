// Which name and version does a Chart.yaml give? Helm reads it with sigs.k8s.io/yaml:
// YAML 1.1 with scalars of Go's own, then JSON into a struct. YAML has many ways to say
// one thing, and readers that differ in them: name and version must be plain keys, with
// plain values that Go leaves as they are written.
import { isMap, isScalar, type Document, type Pair } from 'yaml'
import { parseBounded } from '../../lib/bounded-yaml.ts'
import { goScalarText, resolveGoScalar } from '../../lib/go-scalars.ts'
import { isChartName, isVersion } from '../../words/chart-names.ts'
import { Fault, type ArchiveFault } from './fault.ts'
import { unsayableInIndex } from './index-text.ts'

// Parsing takes time for every byte, token and level; with these bounds some tens of
// milliseconds at most, in which nobody else is answered.
const LONGEST_CHART_YAML = 256 * 1024
const CHART_YAML_BOUNDS = { tokens: 10_000, levels: 100 }
const MOST_ALIASES = 100

export interface ChartIdentity {
  readonly name: string
  readonly version: string
}

/** The chart's name and version. @throws Fault too_large, invalid_chart_yaml, invalid_name, invalid_version */
export function readChartYaml (bytes: Buffer): ChartIdentity {
  const { contents } = parseDocument(bytes, 'Chart.yaml')
  if (!isMap(contents)) throw invalidChartYaml('Chart.yaml is not a YAML mapping')
  const fields = chartFieldsOf(contents.items as Pair[], 'Chart.yaml')
  const name = plainTextOf(fields.get('name'), 'invalid_name', 'name')
  if (name === undefined || !isChartName(name)) {
    throw new Fault('invalid_name', 'Chart.yaml has no valid name: letters, digits, ".", "_" and "-"')
  }
  const version = plainTextOf(fields.get('version'), 'invalid_version', 'version')
  if (version === undefined || !isVersion(version)) {
    throw new Fault('invalid_version', 'Chart.yaml has no valid version: a semantic version such as 1.2.3')
  }
  return { name, version }
}

/**
 * Helm reads a requirements.yaml into the same place as Chart.yaml, name and version
 * too (helm v3.21.4, pkg/chart/loader/load.go): it may not speak of them.
 * @throws Fault too_large, invalid_chart_yaml
 */
export function checkRequirements (bytes: Buffer): void {
  const { contents } = parseDocument(bytes, 'requirements.yaml')
  if (contents === null || (isScalar(contents) && contents.value === null)) return
  if (!isMap(contents)) throw invalidChartYaml('requirements.yaml is not a YAML mapping')
  const fields = chartFieldsOf(contents.items as Pair[], 'requirements.yaml')
  if (fields.has('name') || fields.has('version')) {
    throw invalidChartYaml('requirements.yaml has a name or a version, which Helm takes for the chart\'s')
  }
}

// YAML 1.1 has more line ends than YAML 1.2: what some read as text, Go's reader takes
// for another key. Other control characters it refuses, and a byte order mark in the
// middle is for every reader something else.
// eslint-disable-next-line no-control-regex
const READ_DIFFERENTLY = /\r(?!\n)|[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029]|(?<!^)\ufeff/

function parseDocument (bytes: Buffer, file: string): Document.Parsed {
  const text = bytes.toString('utf8')
  if (text.length > LONGEST_CHART_YAML) throw tooMuch(file)
  if (text.includes('\ufffd')) throw invalidChartYaml(`${file} is not UTF-8`)
  if (READ_DIFFERENTLY.test(text)) {
    throw invalidChartYaml(
      `${file} has control characters, line ends or byte order marks that readers take differently: ` +
      'end its lines with LF or CRLF'
    )
  }
  // The keys of a mapping are compared with each other by chartFieldsOf, not here: that
  // takes time by the square of their number.
  const document = parseBounded(text, CHART_YAML_BOUNDS, {
    version: '1.1',
    uniqueKeys: false,
    logLevel: 'error',
    prettyErrors: false
  })
  if (document === undefined) throw tooMuch(file)
  // The parser's own words quote the file.
  if (document.errors.length > 0) throw invalidChartYaml(`${file} is not valid YAML`)
  try {
    // keys that are mappings would be written out as text, at every level anew
    document.toJS({ maxAliasCount: MOST_ALIASES, mapAsMap: true })
  } catch {
    throw invalidChartYaml(`${file} has aliases that lead nowhere or too far`)
  }
  const unsayable = unsayableInIndex(document)
  if (unsayable !== undefined) throw invalidChartYaml(`${file} has ${unsayable}, which no index can say`)
  return document
}

function tooMuch (file: string): Fault {
  return new Fault('too_large', `the archive has a ${file} that is too large or too deep`)
}

/** The values by their keys, each key said once and in the one way that all readers understand. */
function chartFieldsOf (pairs: readonly Pair[], file: string): Map<string, unknown> {
  const fields = new Map<string, unknown>()
  for (const { key, value } of pairs) {
    const text = readPlain(key)?.asGo
    if (text === undefined || text === '<<') throw invalidChartYaml(`${file} has a key that is no plain text`)
    if (fields.has(text)) throw invalidChartYaml(`${file} has a key twice`)
    const field = ['name', 'version'].find(each => isMeant(text, each))
    if (field !== undefined && field !== text) throw invalidChartYaml(`${file} has a key that some take for ${field}`)
    fields.set(text, value)
  }
  return fields
}

/** Go's encoding/json takes a key for a field whatever the case of its letters, the long s included. */
function isMeant (key: string, field: string): boolean {
  return key.replaceAll('\u017f', 's').toLowerCase() === field
}

/** A scalar as it is written, and as Go writes what it found in it; undefined is nothing. */
interface Plain { readonly written: string, readonly asGo: string | undefined }

/** A scalar without a tag, an anchor or an alias. */
function readPlain (node: unknown): Plain | undefined {
  if (!isScalar(node) || node.tag !== undefined || node.anchor !== undefined) return undefined
  const written = node.source as string
  if (node.type !== 'PLAIN') return { written, asGo: written }
  const value = resolveGoScalar(written)
  return { written, asGo: value === null ? undefined : goScalarText(value) }
}

const LONGEST_QUOTED = 40

/**
 * The text of a value.
 * @throws Fault when it is a number or truth that Go writes in another way: other readers
 * find other text in it
 */
function plainTextOf (node: unknown, fault: ArchiveFault, field: string): string | undefined {
  const plain = readPlain(node)
  if (plain?.asGo === undefined || plain.asGo === plain.written) return plain?.asGo
  const written = plain.written.length > LONGEST_QUOTED ? `a ${field} that` : `the ${field} ${plain.written}, which`
  throw new Fault(fault, `Chart.yaml has ${written} Helm reads as ${plain.asGo}: write it in quotes`)
}

function invalidChartYaml (detail: string): Fault {
  return new Fault('invalid_chart_yaml', detail)
}
