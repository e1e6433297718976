// What does a Go value get from this YAML? sigs.k8s.io/yaml v1.6.0 (yaml.go, fields.go) makes
// JSON of it, in which numbers and truths are written out where a string is wanted, and
// encoding/json (Go 1.26, decode.go) reads that: names of fields in any letters, keys in their
// order, into what may be there already. Errors are their words.
import type { Steps } from '../lib/steps.ts'
import { goScalarText } from '../lib/go-scalars.ts'
import { compareBytes, type GoStruct, type GoValue } from './go-json.ts'
import { isRfcTime } from './go-time.ts'
import { isInt64, readGoYaml, type YamlMapping, type YamlResult, type YamlValue } from './go-yaml.ts'
import type { YamlBudget } from './yaml-parser.ts'

/** A type of Go, as far as charts have them. */
export type GoType = 'string' | 'bool' | 'any' | 'time' | GoCollection | GoStructType

interface GoCollection {
  readonly kind: 'list' | 'map'
  readonly of: GoType
  readonly name: string
}

export interface GoStructType {
  readonly kind: 'struct'
  readonly name: string
  readonly fields: Readonly<Record<string, GoType>>
}

/** Any mapping, with text for keys. */
export const ANY_MAP: GoType = { kind: 'map', of: 'any', name: 'map[string]interface {}' }

export type Unmarshalled =
  | { readonly ok: true, readonly value: GoValue }
  | { readonly ok: false, readonly message: string }

/** @param before what is there already, whose fields stay where the file does not say otherwise */
export function * unmarshalYaml (
  bytes: Buffer,
  type: GoType,
  budget: YamlBudget,
  before: GoValue = null
): Steps<Unmarshalled> {
  return unmarshalValue(yield * readGoYaml(bytes, budget), type, before)
}

/** The same of a file that is read. */
export function unmarshalValue (read: YamlResult, type: GoType, before: GoValue = null): Unmarshalled {
  if (!read.ok) return { ok: false, message: `error converting YAML to JSON: ${read.message}` }
  let json: GoValue
  try {
    json = new JsonMaker().make(read.value, type)
  } catch (error) {
    return { ok: false, message: `error converting YAML to JSON: ${messageOf(error)}` }
  }
  try {
    // Nothing leaves what is there as it was.
    return { ok: true, value: json === null ? before : decode(json, type, before, { struct: '', path: [] }) }
  } catch (error) {
    return { ok: false, message: `error unmarshaling JSON: while decoding JSON: ${messageOf(error)}` }
  }
}

class UnmarshalFault extends Error {}

function messageOf (error: unknown): string {
  if (error instanceof UnmarshalFault) return error.message
  /* c8 ignore next 2 -- nothing else is thrown */
  throw error
}

// ---- to JSON ---------------------------------------------------------------------------

/** convertToJSONableObject and json.Marshal; what is used twice is made once. */
class JsonMaker {
  private readonly made = new Map<YamlValue, GoValue>()

  make (value: YamlValue, type: GoType | undefined): GoValue {
    if (typeof value !== 'object' || value === null) return jsonScalar(value, type)
    const isShared = typeof type !== 'object'
    const known = isShared ? this.made.get(value) : undefined
    if (known !== undefined) return known
    const json = value instanceof Map
      ? this.mapping(value as YamlMapping, type)
      : (value as readonly YamlValue[]).map(item => this.make(item, typeIn(type, 'list')))
    if (isShared) this.made.set(value, json)
    return json
  }

  private mapping (value: YamlMapping, type: GoType | undefined): ReadonlyMap<string, GoValue> {
    const json = new Map<string, GoValue>()
    for (const [key, item] of value) {
      const name = keyText(key)
      json.set(name, this.make(item, typeIn(type, 'map', name)))
    }
    return json
  }
}

/** The type of what is in a list or under a key, where there is one. */
function typeIn (type: GoType | undefined, kind: 'list' | 'map', key = ''): GoType | undefined {
  if (typeof type !== 'object') return undefined
  if (type.kind === 'struct') return kind === 'map' ? type.fields[fieldOf(type.fields, key) ?? ''] : undefined
  return type.kind === kind ? type.of : undefined
}

function jsonScalar (value: Exclude<YamlValue, object> | null, type: GoType | undefined): GoValue {
  if (value === null || typeof value === 'string') return value
  if (type === 'string') return goScalarText(value)
  if (typeof value === 'bigint') return Number(value)
  if (typeof value === 'number' && !Number.isFinite(value)) {
    throw new UnmarshalFault(`json: unsupported value: ${goScalarText(value)}`)
  }
  return value
}

function keyText (key: string | boolean | bigint | number | null): string {
  if (typeof key === 'string') return key
  if (key === null || (typeof key === 'bigint' && !isInt64(key))) {
    throw new UnmarshalFault(`unsupported map key of type: ${key === null ? '<nil>' : 'uint64'}`)
  }
  const text = goScalarText(key)
  return { '+Inf': '.inf', '-Inf': '-.inf', NaN: '.nan' }[text] ?? text
}

/** The field that a key names: the same letters before the same letters in another case. */
function fieldOf (fields: Readonly<Record<string, GoType>>, key: string): string | undefined {
  return Object.hasOwn(fields, key) ? key : Object.keys(fields).find(field => fold(field) === fold(key))
}

/** Letters that are one to Go, which knows a long s and the sign for kelvin (encoding/json/fold.go). */
function fold (key: string): string {
  return key.replaceAll('\u017f', 's').toLowerCase()
}

// ---- from JSON -------------------------------------------------------------------------

/** Where it is, for what is said when it does not fit. */
interface DecodePlace {
  readonly struct: string
  readonly path: readonly string[]
}

function decode (json: GoValue, type: GoType, before: GoValue, place: DecodePlace): GoValue {
  if (typeof type === 'string') return decodeScalar(json, type, before, place)
  if (json === null) return null
  switch (type.kind) {
    case 'list': {
      if (!Array.isArray(json)) throw mismatch(json, type.name, place)
      const old = (before ?? []) as readonly GoValue[]
      return (json as readonly GoValue[]).map((item, i) => decode(item, type.of, old[i] ?? null, place))
    }
    case 'map': {
      if (!(json instanceof Map)) throw mismatch(json, type.name, place)
      const map = new Map((before ?? []) as ReadonlyMap<string, GoValue>)
      for (const [key, item] of json as ReadonlyMap<string, GoValue>) map.set(key, decode(item, type.of, null, place))
      return map
    }
    case 'struct': {
      if (!(json instanceof Map)) throw mismatch(json, `chart.${type.name}`, place)
      const struct: Record<string, GoValue> = { ...(before as GoStruct | null) }
      const members = [...json as ReadonlyMap<string, GoValue>].sort(([a], [b]) => compareBytes(a, b))
      for (const [key, item] of members) {
        const field = fieldOf(type.fields, key)
        if (field === undefined) continue
        const below = { struct: type.name, path: [...place.path, field] }
        struct[field] = decode(item, type.fields[field] as GoType, struct[field] ?? null, below)
      }
      return struct
    }
  }
}

function decodeScalar (json: GoValue, type: GoType & string, before: GoValue, place: DecodePlace): GoValue {
  if (type === 'any') return json
  if (json === null) return before ?? (type === 'bool' ? false : '')
  if (type === 'time') return decodeTime(json)
  if (type === 'bool' ? typeof json === 'boolean' : typeof json === 'string') return json
  throw mismatch(json, type, place)
}

function decodeTime (json: GoValue): GoValue {
  if (typeof json !== 'string') throw new UnmarshalFault('Time.UnmarshalJSON: input is not a JSON string')
  if (!isRfcTime(json)) throw new UnmarshalFault(`parsing time ${JSON.stringify(json)} as "2006-01-02T15:04:05Z07:00"`)
  return json
}

function mismatch (json: GoValue, type: string, { struct, path }: DecodePlace): UnmarshalFault {
  const target = path.length === 0 ? 'Go value' : `Go struct field ${struct}.${path.join('.')}`
  return new UnmarshalFault(`json: cannot unmarshal ${kindOfJson(json)} into ${target} of type ${type}`)
}

function kindOfJson (json: GoValue): string {
  if (Array.isArray(json)) return 'array'
  if (typeof json === 'object') return 'object'
  return typeof json === 'boolean' ? 'bool' : typeof json
}
