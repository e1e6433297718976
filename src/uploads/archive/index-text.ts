// Can an index say what a chart says of itself? Helm cleans most of it (v3.21.4, pkg/chart/
// metadata.go, Validate), but not all, and ChartMuseum writes what is left with a library
// that fails on some texts (sigs.k8s.io/yaml v1.6.0, JSONToYAML, which reads JSON as YAML):
// from then on it answers nobody of the tenant.
import type { Document } from 'yaml'

// Characters that YAML does not print, and Go's JSON does not escape.
const UNPRINTED = /[\x7f-\x9f\ufffe\uffff]/
/** A key of YAML in JSON's form has at most 1,024 characters, with its quotes (YAML 1.1 section 7.3.3). */
const LONGEST_KEY = 1_000
const MOST_ALIASES = 100

/** @returns what no index can say, as part of a sentence; undefined: nothing */
export function unsayableInIndex (document: Document): string | undefined {
  return faultOf(uncleaned(document.toJS({ mapAsMap: true, maxAliasCount: MOST_ALIASES })))
}

/** What Helm does not clean, of a Chart.yaml or requirements.yaml. */
function uncleaned (chart: unknown): unknown[] {
  if (!(chart instanceof Map)) return []
  const fields = (map: ReadonlyMap<unknown, unknown>, name: string): unknown[] =>
    [...map].flatMap(([key, value]) => String(key).toLowerCase() === name ? [value] : [])
  const dependencies = fields(chart, 'dependencies').flatMap(list => Array.isArray(list) ? list as unknown[] : [])
  return [
    ...fields(chart, 'annotations'),
    ...fields(chart, 'apiversion'),
    ...dependencies.flatMap(each => each instanceof Map ? fields(each, 'import-values') : [])
  ]
}

function faultOf (value: unknown): string | undefined {
  if (typeof value === 'string') return UNPRINTED.test(value) ? 'a text with control characters' : undefined
  if (value instanceof Map) return firstFault([...value].map(([key, item]) => faultOfKey(String(key)) ?? faultOf(item)))
  return Array.isArray(value) ? firstFault(value.map(faultOf)) : undefined
}

function firstFault (faults: readonly (string | undefined)[]): string | undefined {
  return faults.find(fault => fault !== undefined)
}

function faultOfKey (key: string): string | undefined {
  // As Go's JSON has it (encoding/json, HTML escapes).
  const length = JSON.stringify(key).length + 5 * (key.match(/[<>&\u2028\u2029]/g)?.length ?? 0)
  return length > LONGEST_KEY ? `a key of more than ${LONGEST_KEY} characters` : faultOf(key)
}
