// Which name and version does a Chart.yaml give? Helm reads it with sigs.k8s.io/yaml:
// YAML 1.1 with scalars of Go's own, then JSON into a struct. How the rest of it is written
// is its author's affair; name and version must be said once, and be what every reader
// of YAML finds.
import { parseGoYaml, type GoYamlMapping, type GoYamlNode } from '../../lib/go-yaml-nodes.ts'
import type { LineEnds } from '../../lib/go-yaml-scanner.ts'
import { goScalarText } from '../../lib/go-scalars.ts'
import { goYamlText } from '../../lib/go-yaml-text.ts'
import { goKey, goMerged, goTaggedScalar, goTarget, isGoMerge } from '../../lib/go-yaml-values.ts'
import { inTurns, type Steps } from '../../lib/steps.ts'
import { isChartName, isVersion } from '../../words/chart-names.ts'
import { Fault, type ArchiveFault } from './fault.ts'
import { unsayableInIndex } from './index-text.ts'

/** Of a Chart.yaml or requirements.yaml, bytes: looking at them takes some tens of milliseconds, in one go at worst. */
export const LONGEST_CHART_YAML = 1024 * 1024
// Values cost more than bytes: each is an object. 300 dependencies with all their fields are 6,600.
const CHART_YAML_BOUNDS = { values: 50_000, levels: 100, repeated: 1024 * 1024 }

export interface ChartIdentity {
  readonly name: string
  readonly version: string
}

/** The chart's name and version. @throws Fault too_large, invalid_chart_yaml, invalid_name, invalid_version */
export async function readChartYaml (bytes: Buffer): Promise<ChartIdentity> {
  return await inTurns(chartYamlSteps(bytes))
}

/**
 * Helm reads a requirements.yaml into the same place as Chart.yaml, name and version
 * too (helm v3.21.4, pkg/chart/loader/load.go): it may not speak of them.
 * @throws Fault too_large, invalid_chart_yaml
 */
export async function checkRequirements (bytes: Buffer): Promise<void> {
  await inTurns(requirementsSteps(bytes))
}

function * chartYamlSteps (bytes: Buffer): Steps<ChartIdentity> {
  const text = textOf(bytes, 'Chart.yaml')
  const chart = yield * mappingOf(text, 'Chart.yaml')
  if (chart === undefined) throw invalidChartYaml('Chart.yaml is empty: it has no name and no version')
  const { name, version } = saidOnce(chart)
  if (name === undefined || !isChartName(name)) {
    throw new Fault('invalid_name', 'Chart.yaml has no valid name: letters, digits, ".", "_" and "-"')
  }
  if (version === undefined || !isVersion(version)) {
    throw new Fault('invalid_version', 'Chart.yaml has no valid version: a semantic version such as 1.2.3')
  }
  yield // one long text may have taken all of a turn
  yield * compareReadings(text, { name, version })
  yield
  checkIndexText(chart, 'Chart.yaml')
  return { name, version }
}

function * requirementsSteps (bytes: Buffer): Steps<void> {
  const chart = yield * mappingOf(textOf(bytes, 'requirements.yaml'), 'requirements.yaml')
  if (chart === undefined) return
  if (sayingsOf(chart).next().done !== true) {
    throw invalidChartYaml('requirements.yaml has a name or a version, which Helm takes for the chart\'s')
  }
  checkIndexText(chart, 'requirements.yaml')
}

function checkIndexText (chart: GoYamlMapping, file: string): void {
  const unsayable = unsayableInIndex(chart)
  if (unsayable !== undefined) throw invalidChartYaml(`${file} has ${unsayable}, which no index can say`)
}

const UTF8_MARK = '\ufeff'

function textOf (bytes: Buffer, file: string): string {
  if (bytes.length > LONGEST_CHART_YAML) throw tooMuch(file)
  // Helm takes one mark away, and its reader of YAML another.
  const isMarked = bytes.toString('utf8', 0, 3) === UTF8_MARK
  const read = goYamlText(isMarked ? bytes.subarray(3) : bytes)
  if (!read.ok) throw invalidChartYaml(`${file} ${read.problem}`)
  // Go passes over other letters where it finds one (goYamlText).
  if (read.text.includes(UTF8_MARK)) throw invalidChartYaml(`${file} has a byte order mark that is not at its start`)
  return read.text
}

/** The first document, as Go reads it; undefined for nothing. */
function * mappingOf (text: string, file: string, ends?: LineEnds): Steps<GoYamlMapping | undefined> {
  const read = yield * parseGoYaml(text, CHART_YAML_BOUNDS, ends)
  if (!read.ok && read.problem === 'too much') throw tooMuch(file)
  if (!read.ok) throw invalidChartYaml(`${file} is not valid YAML: line ${read.line}: ${read.message}`)
  if (read.node === undefined) return undefined
  const node = goTarget(read.node)
  if (node.kind === 'mapping') return node
  if (node.kind === 'scalar' && goTaggedScalar(node) === null) return undefined
  throw invalidChartYaml(`${file} is not a YAML mapping`)
}

function tooMuch (file: string): Fault {
  return new Fault('too_large', `the archive has a ${file} that is too large or too deep: ` +
    `more than ${LONGEST_CHART_YAML / 1024 / 1024} MiB, ${CHART_YAML_BOUNDS.values} values ` +
    `or ${CHART_YAML_BOUNDS.levels} levels`)
}

const FIELDS = ['name', 'version'] as const
type Field = typeof FIELDS[number]

interface Saying {
  readonly field: Field
  /** The key, as it is written. */
  readonly key: string
  readonly value: GoYamlNode
}

/** Every place that somebody could take for the name or the version, those in merges too. */
function * sayingsOf (chart: GoYamlMapping): Generator<Saying> {
  for (const [key, value] of chart.pairs) {
    if (isGoMerge(key)) {
      for (const merged of goMerged(value).map(goTarget)) {
        if (merged.kind !== 'mapping') throw invalidChartYaml('Chart.yaml has a merge `<<` of what is no mapping')
        yield * sayingsOf(merged)
      }
      continue
    }
    const text = goKey(key)
    const scalar = goTarget(key)
    if (text === undefined || scalar.kind !== 'scalar') {
      throw invalidChartYaml('Chart.yaml has a key that is nothing, a list or a mapping')
    }
    const field = FIELDS.find(each => isMeant(text, each))
    if (field !== undefined) yield { field, key: scalar.text, value }
  }
}

/** Go's encoding/json takes a key for a field whatever the case of its letters, the long s included. */
function isMeant (key: string, field: Field): boolean {
  return key.length === field.length && key.replaceAll('\u017f', 's').toLowerCase() === field
}

/** @throws Fault when it is said twice, or in a way that only some readers understand */
function saidOnce (chart: GoYamlMapping): Readonly<Record<Field, string | undefined>> {
  const said = new Map<Field, string | undefined>()
  for (const { field, key, value } of sayingsOf(chart)) {
    if (key !== field) {
      throw invalidChartYaml(`Chart.yaml has a key that some take for ${field}, and some do not: write ${field}`)
    }
    if (said.has(field)) throw invalidChartYaml(`Chart.yaml has its ${field} twice: which one is meant?`)
    said.set(field, plainTextOf(value, `invalid_${field}`, field))
  }
  return { name: said.get('name'), version: said.get('version') }
}

const LONGEST_QUOTED = 40

/**
 * The text of a value.
 * @throws Fault when it is something that Go writes in another way: other readers find other text in it
 */
function plainTextOf (node: GoYamlNode, fault: ArchiveFault, field: Field): string | undefined {
  const scalar = goTarget(node)
  const value = scalar.kind === 'scalar' ? goTaggedScalar(scalar) : undefined
  if (scalar.kind !== 'scalar' || value === undefined || value === null) return undefined
  const asGo = goScalarText(value)
  if (asGo === scalar.text) return asGo
  const written = scalar.text.length > LONGEST_QUOTED ? `a ${field} that` : `the ${field} ${scalar.text}, which`
  throw new Fault(fault, `Chart.yaml has ${written} Helm reads as ${asGo}: write it in quotes`)
}

// YAML 1.1 has more line ends than YAML 1.2; and there are readers for which CR alone is none.
const ENDS_OF_SOME = /[\x85\u2028\u2029]/
const LONE_RETURN = /\r(?!\n)/

/** What is text to some readers is a key to others: all must find what Go finds, or nothing. */
function * compareReadings (text: string, identity: ChartIdentity): Steps<void> {
  if (ENDS_OF_SOME.test(text)) yield * compareReading(text, identity, 'YAML 1.2')
  if (LONE_RETURN.test(text)) yield * compareReading(text, identity, 'LF')
}

function * compareReading (text: string, identity: ChartIdentity, ends: LineEnds): Steps<void> {
  yield
  const read = yield * parseGoYaml(text, CHART_YAML_BOUNDS, ends)
  if (!read.ok && read.problem === 'too much') throw tooMuch('Chart.yaml')
  const chart = read.ok && read.node !== undefined ? goTarget(read.node) : undefined
  if (chart?.kind !== 'mapping') return
  const other = saidOnce(chart)
  if (FIELDS.some(field => other[field] !== undefined && other[field] !== identity[field])) {
    throw invalidChartYaml(
      'Chart.yaml has line ends that readers take differently: end its lines with LF or CRLF'
    )
  }
}

function invalidChartYaml (detail: string): Fault {
  return new Fault('invalid_chart_yaml', detail)
}
