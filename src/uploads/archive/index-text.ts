// Can an index say what a chart says of itself? Helm cleans most of it (v3.21.4, pkg/chart/
// metadata.go, Validate), but not all, and ChartMuseum writes what is left with a library
// that fails on some texts (sigs.k8s.io/yaml v1.6.0, JSONToYAML, which reads JSON as YAML):
// from then on it answers nobody of the tenant.
import type { GoYamlNode } from '../../lib/go-yaml-nodes.ts'
import { goYamlValue } from '../../lib/go-yaml-values.ts'

// Characters that YAML does not print, and Go's JSON does not escape.
const UNPRINTED = /[\x7f-\x9f\ufffe\uffff]/
/** A key of YAML in JSON's form has at most 1,024 characters, with its quotes (YAML 1.1 section 7.3.3). */
const LONGEST_KEY = 1_000
/** An empty line that ends as only some readers end one: what follows may be a key to them. */
const ODD_EMPTY_LINE = /\n[\u2028\u2029]/

/**
 * @param node of a Chart.yaml or requirements.yaml
 * @returns what no index can say, as part of a sentence; undefined: nothing
 */
export function unsayableInIndex (node: GoYamlNode): string | undefined {
  const chart = goYamlValue(node)
  return writerFaultOf(uncleaned(chart)) ?? (hasMerge(dependenciesOf(chart)) ? 'a `<<` in its dependencies' : undefined)
}

/** What Helm does not clean, of a Chart.yaml or requirements.yaml. */
function uncleaned (chart: unknown): unknown[] {
  const importValues = dependenciesOf(chart).flatMap(each => valuesOfKey(each, 'import-values'))
  return [...valuesOfKey(chart, 'annotations'), ...valuesOfKey(chart, 'apiversion'), ...importValues]
}

function dependenciesOf (chart: unknown): unknown[] {
  return valuesOfKey(chart, 'dependencies').flatMap(list => Array.isArray(list) ? list as unknown[] : [])
}

/** The values of a key, whatever its letters (encoding/json). */
function valuesOfKey (map: unknown, name: string): unknown[] {
  if (!(map instanceof Map)) return []
  return [...map].flatMap(([key, value]) => String(key).toLowerCase() === name ? [value] : [])
}

/** Go writes the key of a merge without quotes, and folds a text so that a line may begin with one. */
function hasMerge (value: unknown): boolean {
  if (typeof value === 'string') return value.includes('<<:')
  if (value instanceof Map) return [...value].some(([key, item]) => key === '<<' || hasMerge(key) || hasMerge(item))
  return Array.isArray(value) && value.some(hasMerge)
}

function writerFaultOf (value: unknown): string | undefined {
  if (typeof value === 'string') {
    if (UNPRINTED.test(value)) return 'a text with control characters'
    return ODD_EMPTY_LINE.test(value) ? 'a text with empty lines that end in U+2028 or U+2029' : undefined
  }
  if (value instanceof Map) {
    return firstFault([...value].map(([key, item]) => faultOfKey(String(key)) ?? writerFaultOf(item)))
  }
  return Array.isArray(value) ? firstFault(value.map(writerFaultOf)) : undefined
}

function firstFault (faults: readonly (string | undefined)[]): string | undefined {
  return faults.find(fault => fault !== undefined)
}

function faultOfKey (key: string): string | undefined {
  // As Go's JSON has it (encoding/json, HTML escapes).
  const length = JSON.stringify(key).length + 5 * (key.match(/[<>&\u2028\u2029]/g)?.length ?? 0)
  return length > LONGEST_KEY ? `a key of more than ${LONGEST_KEY} characters` : writerFaultOf(key)
}
