// What a schema is made of: nodes of JSON Schema (draft-07) with what we say of them
// beside it, each with the TypeScript type of the values that fit. Plain objects, because
// a library that builds and checks them was a third of the time of a start and a sixth of
// the memory of an idle gateway; mistakes.ts checks the few keywords that stand here.

/** What a node says of itself, for validation and documents. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean'
  readonly description?: string
  readonly default?: unknown
  /** What a right value is, as the end of a sentence. */
  readonly expected?: string
  /** Values are never shown. */
  readonly secret?: boolean
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly required?: readonly string[]
  /** A node: a mapping of names that somebody chooses. */
  readonly additionalProperties?: false | SchemaNode
  readonly propertyNames?: { readonly pattern: string }
  readonly items?: SchemaNode
  readonly minItems?: number
  readonly maxItems?: number
  readonly minLength?: number
  /** With the flag u, as JSON Schema recommends. */
  readonly pattern?: string
  readonly minimum?: number
  readonly maximum?: number
  readonly enum?: readonly string[]
  readonly anyOf?: readonly SchemaNode[]
  readonly const?: string
}

/** A node that values of T fit; `holds` is for the compiler alone and never there. */
export interface Node<T> extends SchemaNode { readonly holds?: T }

/** The type of the values that fit. */
export type Fitting<N> = N extends Node<infer T> ? T : never

type Nodes = Readonly<Record<string, Node<unknown>>>
type Says = Omit<SchemaNode, 'type' | 'properties' | 'required' | 'additionalProperties' | 'propertyNames' | 'items'>
type Members<Required extends Nodes, Optional extends Nodes> =
  & { [K in keyof Required]: Fitting<Required[K]> }
  & { [K in keyof Optional]?: Fitting<Optional[K]> }

/** A mapping of these keys and no others. */
export function mapping<Required extends Nodes, Optional extends Nodes = Record<never, never>> (
  required: Required,
  says: Says & { readonly $schema?: string, readonly title?: string } = {},
  optional?: Optional
): Node<Members<Required, Optional>> {
  const names = Object.keys(required)
  return {
    type: 'object',
    ...(names.length === 0 ? {} : { required: names }),
    properties: { ...required, ...optional },
    additionalProperties: false,
    ...says
  }
}

/** A mapping of names that somebody chooses, of this form, to values of one kind. */
export function mappingOf<T> (names: string, values: Node<T>, says: Says): Node<Record<string, T>> {
  return { type: 'object', propertyNames: { pattern: names }, additionalProperties: values, ...says }
}

/** One of several kinds of value. */
export function anyOf<T> (kinds: readonly Node<T>[], says: Says): Node<T> {
  return { anyOf: kinds, ...says }
}

export function list<T> (items: Node<T>, says: Says): Node<T[]> {
  return { type: 'array', items, ...says }
}

export function text (says: Says): Node<string> {
  return { type: 'string', ...says }
}

export function integer (says: Says): Node<number> {
  return { type: 'integer', ...says }
}

export function flag (says: Says): Node<boolean> {
  return { type: 'boolean', ...says }
}

/** Yes, no, or one word for whichever of both fits. */
export function flagOr<const W extends string> (word: W, says: Says): Node<boolean | W> {
  return { anyOf: [{ type: 'boolean' }, { const: word }], ...says, expected: `true, false or ${word}` }
}

/** One of a few words. */
export function oneOf<const V extends string> (values: readonly V[], says: Says): Node<V> {
  return { type: 'string', enum: [...values], ...says, expected: `one of ${values.join(', ')}` }
}

/** A whole number, or one word that stands for one. */
export function integerOr<const W extends string> (
  word: W,
  { minimum, maximum }: { readonly minimum: number, readonly maximum: number },
  says: Says
): Node<number | W> {
  return {
    anyOf: [{ type: 'integer', minimum, maximum }, { const: word }],
    ...says,
    expected: `a whole number from ${minimum} to ${maximum}, or ${word}`
  }
}

/** Every scalar of the schema with its path, in order; lists count as one. */
export function leaves (
  node: SchemaNode,
  path: readonly string[] = []
): { path: readonly string[], node: SchemaNode }[] {
  if (node.properties === undefined) return [{ path, node }]
  return Object.entries(node.properties).flatMap(([name, child]) => leaves(child, [...path, name]))
}
