// What in these values is not as the schema says? One line for each mistake: the key,
// the value unless it is or may hold a secret, what was expected, and the environment
// variable when it comes from there.
import Value from 'typebox/value'
import { Settings } from 'typebox/system'
import { leaves, type SchemaNode } from './schema.ts'
import type { TSchema } from 'typebox'
import { isMapping, type Mapping } from './yaml.ts'

export interface Mistake {
  /** The key that it is about, such as policy[0].actions. */
  readonly key: string
  readonly sentence: string
}

const LONGEST_SHOWN = 100

/** Keys that the schema does not have, at any depth. Their values are not shown: a misspelt secret is one too. */
export function unknownKeys (value: unknown, node: SchemaNode, key = ''): Mistake[] {
  if (Array.isArray(value)) return value.flatMap((each, i) => node.items === undefined ? [] : unknownKeys(each, node.items, `${key}[${i}]`))
  const known = node.properties
  if (!isMapping(value) || known === undefined) return []
  return Object.entries(value).flatMap(([name, child]) => {
    if (Object.hasOwn(known, name)) return unknownKeys(child, known[name] as SchemaNode, join(key, name))
    const near = nearest(name, Object.keys(known))
    return [{ key: join(key, name), sentence: `unknown key${near === undefined ? `; known here: ${Object.keys(known).join(', ')}` : `: did you mean ${near}?`}` }]
  })
}

/** Values that are not what their key expects. */
export function schemaMistakes (values: Mapping, schema: TSchema): Mistake[] {
  Settings.Set({ maxErrors: Number.MAX_SAFE_INTEGER }) // TypeBox stops at 8
  const found = new Map<string, Mistake>()
  for (const { keyword, instancePath, params } of Value.Errors(schema, values)) {
    if (keyword === 'additionalProperties' || keyword === 'boolean') continue // unknownKeys says it better
    const { key, node, value } = resolve(values, schema as SchemaNode, instancePath.split('/').slice(1))
    const missing = keyword === 'required' ? (params as { requiredProperties: string[] }).requiredProperties : []
    const what = missing.length > 0 ? `without ${missing.join(' and ')} it` : show(value, node)
    found.set(key, { key, sentence: `${what} is not ${node.expected ?? 'a mapping of keys to values'}` })
  }
  return [...found.values()]
}

/** The key in people's notation, what the schema says of it, and its value. */
function resolve (value: unknown, node: SchemaNode, parts: readonly string[]): { key: string, node: SchemaNode, value: unknown } {
  let key = ''
  for (const part of parts) {
    const list = Array.isArray(value)
    value = (value as Mapping)[part]
    node = (list ? node.items : node.properties?.[part]) as SchemaNode
    key = list ? `${key}[${part}]` : join(key, part)
  }
  return { key, node, value }
}

function show (value: unknown, node: SchemaNode): string {
  if (leaves(node).some(({ node: { secret } }) => secret === true)) return 'this value'
  if (typeof value === 'string') return showText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Object.keys(value).length === 0) return JSON.stringify(value)
  return Array.isArray(value) ? 'a list' : 'a mapping'
}

/** A text in quotes, without what a URL may hold of secrets. */
export function showText (text: string): string {
  const harmless = text.replace(/^([a-z]+:\/\/)?.*@/is, '$1…@').replace(/(:\/\/[^?]*\?).*$/s, '$1…')
  return JSON.stringify(harmless.length > LONGEST_SHOWN ? `${harmless.slice(0, LONGEST_SHOWN)}…` : harmless)
}

/** The one of these names that was probably meant. */
export function nearest (name: string, names: readonly string[]): string | undefined {
  let best: string | undefined
  let limit = name.length < 4 ? 1 : 2
  for (const each of names) {
    const far = distance(each.toLowerCase(), name.toLowerCase())
    if (far > limit) continue
    best = each
    limit = far - 1
  }
  return best
}

/** Levenshtein's, for short words. */
function distance (a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 2) return Infinity
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (const [i, letter] of [...a].entries()) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) next.push(Math.min((next[j] as number) + 1, (row[j + 1] as number) + 1, (row[j] as number) + Number(letter !== b[j])))
    row = next
  }
  return row[b.length] as number
}

function join (key: string, name: string): string {
  const shown = /^[\w$<.-]{1,60}$/.test(name) ? name : JSON.stringify(name.slice(0, 60))
  return key === '' ? shown : `${key}.${shown}`
}
