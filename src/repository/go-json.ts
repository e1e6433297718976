// How would Go write this as JSON? ChartMuseum's answers are encoding/json's bytes: keys
// of maps in order, `<`, `>` and `&` escaped.

import { compareBytes, goJsonString } from '../lib/go-string.ts'

export { goFloat } from '../lib/go-scalars.ts'
export { compareBytes, goJsonString } from '../lib/go-string.ts'

/** A value as Go has it: a Map is a Go map (keys get sorted), an object a struct (fields stay in order). */
export type GoValue = string | number | boolean | null | readonly GoValue[] | ReadonlyMap<string, GoValue> | GoStruct
export interface GoStruct { readonly [field: string]: GoValue }

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
