// How would Go write this as JSON? ChartMuseum's answers are encoding/json's bytes: keys
// of maps in order, `<`, `>` and `&` escaped.

export { goFloat } from '../lib/go-scalars.ts'

/** A value as Go has it: a Map is a Go map (keys get sorted), an object a struct (fields stay in order). */
export type GoValue = string | number | boolean | null | readonly GoValue[] | ReadonlyMap<string, GoValue> | GoStruct
export interface GoStruct { readonly [field: string]: GoValue }

const ESCAPES: Readonly<Record<string, string>> = {
  '<': '\\u003c',
  '>': '\\u003e',
  '&': '\\u0026',
  '\u2028': '\\u2028',
  '\u2029': '\\u2029'
}

/** json.Marshal of Go 1.22 and later (encoding/json/encode.go). */
export function goJson (value: GoValue): string {
  if (typeof value === 'string') return goJsonString(value)
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${(value as readonly GoValue[]).map(goJson).join(',')}]`
  const fields = value instanceof Map
    ? [...value as ReadonlyMap<string, GoValue>].sort(([a], [b]) => compareBytes(a, b))
    : Object.entries(value as GoStruct)
  return `{${fields.map(([name, field]) => `${goJsonString(name)}:${goJson(field)}`).join(',')}}`
}

export function goJsonString (value: string): string {
  const json = JSON.stringify(value)
  return /[<>&\u2028\u2029]/.test(json)
    ? json.replace(/[<>&\u2028\u2029]/g, character => ESCAPES[character] as string)
    : json
}

/** The order of Go's strings: by UTF-8 bytes, which is the order of code points. */
export function compareBytes (a: string, b: string): number {
  if (a === b) return 0
  // UTF-16 has another order only where a surrogate meets U+E000 and above.
  return /[\ud800-\uffff]/.test(a + b) ? Buffer.compare(Buffer.from(a), Buffer.from(b)) : a < b ? -1 : 1
}
