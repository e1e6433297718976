// What does the file say, before anybody asks whether it may? YAML to plain values; a
// fault names its line and never quotes the file, which holds secrets. Every step takes a
// time that grows as the file does: the library's own way to values compares each key with
// all others, looks through all anchors for each alias, and writes a key that is a mapping
// out as text once for each level that it is in.
import {
  Composer, isAlias, isMap, isScalar, isSeq, LineCounter, Parser,
  type Alias, type Document, type Node, type YAMLMap, type YAMLParseError, type YAMLWarning
} from 'yaml'
import { beyondLevels } from '../lib/yaml-levels.ts'

export type Mapping = Record<string, unknown>

/** Where something stands in a file; both count from 1. */
export interface FilePlace { readonly line: number, readonly column: number }

/**
 * Where the key or the item stands that lies at a path, such as ['policy', 2]; of what is not
 * there, what it would be in.
 */
export type PlaceOf = (path: readonly (string | number)[]) => FilePlace

export type FromFile =
  | {
    readonly value: Mapping
    /** one line each */
    readonly mistakes: readonly string[]
    readonly placeOf: PlaceOf
    /** no word, or comments alone; `{}` is one */
    readonly isBlank: boolean
  }
  | { /** there is nothing to go on with */ readonly value: undefined, readonly mistakes: readonly string[] }

const DEEPEST_YAML = 20
/** Values that all aliases of a file may stand for together. */
const MOST_ALIASED = 100_000

export function isMapping (value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a YAML text whose root is a mapping; an empty one is an empty mapping. @param file its name, for mistakes */
export function parseYaml (file: string, text: string): FromFile {
  const lines = new LineCounter()
  const placeAt = (position: number | undefined): FilePlace => {
    if (position === undefined) return { line: 1, column: 1 }
    const { line, col } = lines.linePos(position)
    return { line, column: col }
  }
  const place = (position: number | undefined, sentence: string): string =>
    `${showPlace(file, placeAt(position))}: ${sentence}`
  const tokens = [...new Parser(lines.addNewLine).parse(text)]
  const deep = beyondLevels(tokens, DEEPEST_YAML)
  if (deep !== undefined) return unusable([place(deep.offset, TOO_DEEP)])
  const composed = new Composer({ uniqueKeys: false }).compose(tokens, true, text.length)
  const [document, second] = composed as Iterable<Document.Parsed> as [Document.Parsed, Document.Parsed?]
  // What comes after a first fault is mostly its consequence: after one bracket that is not
  // closed nothing is where it seems to be.
  const [first] = document.errors
  if (first !== undefined) return unusable([place(first.pos[0], yamlSentence(first))])
  if (second !== undefined) {
    return unusable([place(second.range[0], 'The file is one document; here a second one begins')])
  }
  // A warning is a tag that nobody resolves: its value is not what was meant.
  if (document.warnings.length > 0) {
    return unusable(document.warnings.map(each => place(each.pos[0], yamlSentence(each))))
  }
  const mistakes: string[] = []
  let value: unknown
  try {
    value = valuesOf(document.contents, (node, sentence) => { mistakes.push(place(startOf(node), sentence)) })
  } catch (error) {
    const { node, message } = error as TooMuch // and nothing else
    return unusable([...mistakes, place(startOf(node), message)])
  }
  const isBlank = value === undefined || value === null
  const said = isBlank ? {} : value
  if (!isMapping(said)) return unusable([...mistakes, `${file}: the file is not a mapping of keys to values`])
  return { value: said, mistakes, placeOf: path => placeAt(startOf(nearestNode(document.contents, path))), isBlank }
}

/** As editors and compilers write it: file, line and column. */
export function showPlace (file: string, { line, column }: FilePlace): string {
  return `${file}:${line}:${column}`
}

/** A key in people's notation, such as users[2].name, as a path in the document. */
export function pathOfKey (key: string): (string | number)[] {
  return key.split(/[.[\]]+/).filter(part => part !== '').map(part => /^\d+$/.test(part) ? Number(part) : part)
}

/** The key or the item at a path, or the last one on the way there. */
function nearestNode (root: Node | null, path: readonly (string | number)[]): Node | undefined {
  let found: Node | undefined
  let inside = root
  for (const part of path) {
    if (isSeq<Node | null>(inside)) {
      inside = inside.items[part as number] ?? null
      found = inside ?? found
    } else if (isMap<Node, Node | null>(inside)) {
      const pair = inside.items.find(({ key }) => isScalar(key) && String(key.value) === String(part))
      found = pair?.key ?? found
      inside = pair?.value ?? null
    }
  }
  return found
}

function unusable (mistakes: readonly string[]): FromFile {
  return { value: undefined, mistakes }
}

function startOf (node: Node | undefined): number | undefined {
  return node?.range?.[0]
}

/** The parser's words without what they quote after a colon. */
function yamlSentence ({ code, message }: YAMLParseError | YAMLWarning): string {
  switch (code) {
    case 'BAD_DQ_ESCAPE': return 'Invalid escape sequence in a double-quoted text'
    default: return message.replace(/(?<=[\w)]): .*$/s, '')
  }
}

const TOO_DEEP = `more than ${DEEPEST_YAML} levels`

/** Where a text stops being something that a person wrote. */
class TooMuch extends Error {
  readonly node: Node
  constructor (node: Node, sentence: string) {
    super(sentence)
    this.node = node
  }
}

/**
 * Plain values; an alias gets a tree of its own, because defaults that are filled in at one
 * place must not appear at the other.
 * @param fault hears of keys that are there twice, or are no text; the rest still means what it says
 * @throws TooMuch
 */
function valuesOf (root: Node | null, fault: (node: Node, sentence: string) => void): unknown {
  const anchors = new Map<string, Node>()
  const meant = new Map<Alias, Node>()
  const open = new Set<Node>()
  let aliased = 0

  function valueOf (node: Node | null, depth: number, byAlias: boolean): unknown {
    if (node === null) return null
    if (depth > DEEPEST_YAML) throw new TooMuch(node, TOO_DEEP)
    if (byAlias && ++aliased > MOST_ALIASED) {
      throw new TooMuch(node, `aliases that stand for more than ${MOST_ALIASED} values`)
    }
    if (isAlias(node)) return valueOf(targetOf(node), depth, true)
    if (!byAlias) note(node)
    if (isScalar(node)) return node.value
    open.add(node)
    const value = isSeq<Node | null>(node)
      ? node.items.map(item => valueOf(item, depth + 1, byAlias))
      : Object.fromEntries(entriesOf(node as YAMLMap<Node, Node | null>, depth, byAlias))
    open.delete(node)
    return value
  }

  function note (node: Node & { anchor?: string }): void {
    if (node.anchor !== undefined) anchors.set(node.anchor, node)
  }

  /** The last anchor of its name before the alias, also when it is come by through another alias. */
  function targetOf (alias: Alias): Node {
    const target = meant.get(alias) ?? anchors.get(alias.source)
    if (target === undefined) throw new TooMuch(alias, 'an alias of an anchor that is not there before it')
    if (open.has(target)) throw new TooMuch(alias, 'an alias that contains itself')
    meant.set(alias, target)
    return target
  }

  function * entriesOf (
    { items }: YAMLMap<Node, Node | null>,
    depth: number,
    byAlias: boolean
  ): Generator<[string, unknown]> {
    const seen = new Set<string>()
    for (const { key, value } of items) {
      const name = isScalar(key) ? String(key.value ?? '') : undefined
      if (!byAlias) {
        note(key)
        if (name === undefined) fault(key, 'a key is a plain text here')
        else if (seen.has(name)) fault(key, 'Map keys must be unique')
      }
      if (name === undefined) continue
      seen.add(name)
      yield [name, valueOf(value, depth + 1, byAlias)]
    }
  }

  return valueOf(root, 0, false)
}
