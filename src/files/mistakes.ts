// What in these values is not as the schema says? One line for each mistake: the key,
// the value unless it is or may hold a secret, what was expected, and the environment
// variable when it comes from there.
import { leaves, type SchemaNode } from './nodes.ts'
import { isMapping } from './yaml.ts'

export interface Mistake {
  /** The key that it is about, such as policy[0].actions. */
  readonly key: string
  readonly sentence: string
}

const LONGEST_SHOWN = 100
const MOST_SAID = 20

/** The first mistakes of a file, and how many more there are: one slip can make thousands, and nobody reads them. */
export function inWords<M> (file: string, mistakes: readonly M[], line: (mistake: M) => string): string[] {
  const said = mistakes.slice(0, MOST_SAID).map(line)
  return mistakes.length > MOST_SAID ? [...said, `${file}: and ${mistakes.length - MOST_SAID} more`] : said
}

/** Keys that the schema does not have, at any depth. Their values are not shown: a misspelt secret is one too. */
export function unknownKeys (value: unknown, node: SchemaNode, key = ''): Mistake[] {
  if (Array.isArray(value)) {
    return value.flatMap((each, i) => node.items === undefined ? [] : unknownKeys(each, node.items, `${key}[${i}]`))
  }
  const known = node.properties
  if (!isMapping(value) || known === undefined) return []
  return Object.entries(value).flatMap(([name, child]) => {
    if (Object.hasOwn(known, name)) return unknownKeys(child, known[name] as SchemaNode, join(key, name))
    const near = nearest(name, Object.keys(known))
    const hint = near === undefined ? `; known here: ${Object.keys(known).join(', ')}` : `: did you mean ${near}?`
    return [{ key: join(key, name), sentence: `unknown key${hint}` }]
  })
}

/**
 * Values that are not what their key expects, at any depth; what the schema has no key for
 * is unknownKeys' business.
 */
export function schemaMistakes (value: unknown, node: SchemaNode, key = ''): Mistake[] {
  const missing = isMapping(value) ? (node.required ?? []).filter(name => !Object.hasOwn(value, name)) : []
  const what = missing.length > 0
    ? `without ${missing.join(' and ')} it`
    : fitsNode(value, node) ? undefined : show(value, node)
  const own = what === undefined
    ? []
    : [{ key, sentence: `${what} is not ${node.expected ?? 'a mapping of keys to values'}` }]
  return [...own, ...children(value, node, key).flatMap(child => schemaMistakes(child.value, child.node, child.key))]
}

interface SchemaPlace {
  readonly value: unknown
  readonly node: SchemaNode
  /** In people's notation. */
  readonly key: string
}

/** What is in a list or a mapping, with what the schema says of it. */
function children (value: unknown, node: SchemaNode, key: string): SchemaPlace[] {
  const { items, properties, additionalProperties: values, anyOf } = node
  const chosen = anyOf?.find(each => fitsNode(value, each))
  if (chosen !== undefined) return children(value, chosen, key)
  if (typeof values === 'object' && isMapping(value)) {
    return Object.entries(value).map(([name, each]) => ({ value: each, node: values, key: join(key, name) }))
  }
  if (items !== undefined && Array.isArray(value)) {
    return value.map((each: unknown, i) => ({ value: each, node: items, key: `${key}[${i}]` }))
  }
  if (properties === undefined || !isMapping(value)) return []
  return Object.entries(properties).flatMap(([name, node]) => {
    return Object.hasOwn(value, name) ? [{ value: value[name], node, key: join(key, name) }] : []
  })
}

/** True when a value is right in itself, as far as nodes.ts has keywords; what is in it is another question. */
function fitsNode (value: unknown, node: SchemaNode): boolean {
  switch (node.type) {
    case 'object': return isMapping(value) && areNames(Object.keys(value), node)
    case 'array': return Array.isArray(value) && isWithin(value.length, node.minItems, node.maxItems)
    case 'integer': return Number.isInteger(value) && isWithin(value as number, node.minimum, node.maximum)
    case 'boolean': return typeof value === 'boolean'
    case 'string':
      return typeof value === 'string' &&
        isWithin(value.length, node.minLength) &&
        node.enum?.includes(value) !== false &&
        (node.pattern === undefined || new RegExp(node.pattern, 'u').test(value))
    default: return node.anyOf === undefined ? value === node.const : node.anyOf.some(each => fitsNode(value, each))
  }
}

function areNames (names: readonly string[], { propertyNames }: SchemaNode): boolean {
  return propertyNames === undefined || names.every(name => new RegExp(propertyNames.pattern, 'u').test(name))
}

function isWithin (number: number, least = -Infinity, most = Infinity): boolean {
  return least <= number && number <= most
}

function show (value: unknown, node: SchemaNode): string {
  if (leaves(node).some(({ node: { secret } }) => secret === true)) return 'this value'
  if (typeof value === 'string') return showText(value)
  if (typeof value !== 'object' || value === null) return String(value)
  if (Object.keys(value).length === 0) return JSON.stringify(value)
  return Array.isArray(value) ? 'a list' : 'a mapping'
}

/**
 * A mistake for those who may not read the file: without what was written there, which may
 * be a secret in a wrong place, and without the names of keys that there are not.
 */
export function withoutValues (mistake: string): string {
  return mistake
    .replace(/"(?:[^"\\]|\\.)*"/g, '"…"')
    .replace(/(?<=^|: )[^:]*: unknown key.*$/, '"…": unknown key')
    .replace(/(?<=: )[^\s"]+ is not /, '… is not ')
}

/** A text in quotes, without what a URL may hold of secrets. */
export function showText (text: string): string {
  const harmless = withoutQuery(withoutUser(text))
  return JSON.stringify(harmless.length > LONGEST_SHOWN ? `${harmless.slice(0, LONGEST_SHOWN)}…` : harmless)
}

/** Without everything before the last @, but for the scheme. */
function withoutUser (text: string): string {
  const at = text.lastIndexOf('@')
  if (at < 0) return text
  const scheme = /^[a-z]+:\/\//i.exec(text.slice(0, at))?.[0] ?? ''
  return `${scheme}…${text.slice(at)}`
}

function withoutQuery (text: string): string {
  const scheme = text.indexOf('://')
  const query = scheme < 0 ? -1 : text.indexOf('?', scheme)
  return query < 0 ? text : `${text.slice(0, query + 1)}…`
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
    for (let j = 0; j < b.length; j++) {
      next.push(Math.min(
        (next[j] as number) + 1,
        (row[j + 1] as number) + 1,
        (row[j] as number) + Number(letter !== b[j])
      ))
    }
    row = next
  }
  return row[b.length] as number
}

function join (key: string, name: string): string {
  const shown = /^[\w$<.-]{1,60}$/.test(name) ? name : JSON.stringify(name.slice(0, 60))
  return key === '' ? shown : `${key}.${shown}`
}
