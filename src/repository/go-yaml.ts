// How does Go read this YAML? As go.yaml.in/yaml v2.4.3 does below sigs.k8s.io/yaml, into no
// type (decode.go, resolve.go): scalars in a way of its own, merges that win over what stands
// before them, and of two equal keys the last one. What aliases stand for is made once, and
// counted as often as it is used.
import type { Steps } from '../lib/steps.ts'
import { resolveGoScalar, type GoScalar } from '../lib/go-scalars.ts'
import { isYamlTime } from './go-time.ts'
import { readSimpleYaml } from './simple-yaml.ts'
import { MOST_YAML_LEVELS, parseGoYaml, type YamlBudget, type YamlNode } from './yaml-parser.ts'
import { YamlFault } from './yaml-scanner.ts'

/** A mapping is a Map, an integer a bigint, so that nothing of the text is lost. */
export type YamlValue = GoScalar | readonly YamlValue[] | YamlMapping
export type YamlMapping = ReadonlyMap<GoScalar, YamlValue>

export type YamlResult =
  | { readonly ok: true, readonly value: YamlValue }
  | { readonly ok: false, /** go-yaml's words */ readonly message: string }

/** Nodes of all YAML in one chart: a hundred times what the largest published charts have. */
const MOST_NODES = 250_000
/** Characters that aliases repeat in all of it: whoever looks at what is read looks at them again each time. */
const MOST_REPEATED = 1024 * 1024
/** Up to this size it is tried whether a text is plain, which takes one step. */
const SIMPLE_SIZE = 64 * 1024

/** For all YAML of one chart and its subcharts. */
export function yamlBudget (): YamlBudget {
  return { nodes: MOST_NODES, repeated: MOST_REPEATED }
}

/** The first document of a file; null when there is none. */
export function * readGoYaml (bytes: Buffer, budget: YamlBudget): Steps<YamlResult> {
  const simple = bytes.length > SIMPLE_SIZE ? undefined : readSimpleYaml(bytes.toString('utf8'))
  return simple === undefined ? yield * readWholeYaml(bytes, budget) : { ok: true, value: simple }
}

/** The same, the long way. */
export function * readWholeYaml (bytes: Buffer, budget: YamlBudget): Steps<YamlResult> {
  try {
    const root = yield * parseGoYaml(bytes, budget)
    return { ok: true, value: root === undefined ? null : new YamlDecoder(budget).value(root) }
  } catch (error) {
    if (error instanceof YamlFault) return { ok: false, message: `yaml: ${error.message}` }
    /* c8 ignore next 2 -- nothing else is thrown */
    throw error
  }
}

/** What was made of a node with a name. */
interface NamedValue {
  readonly value: YamlValue
  readonly operations: number
  readonly characters: number
  readonly height: number
}

class YamlDecoder {
  private readonly named = new Map<YamlNode, NamedValue>()
  private readonly open = new Set<YamlNode>()
  private readonly budget: YamlBudget
  private operations = 0
  private aliasOperations = 0
  private aliases = 0
  private characters = 0
  private level = 0
  private deepest = 0

  constructor (budget: YamlBudget) { this.budget = budget }

  value (node: YamlNode): YamlValue {
    if (!node.anchored) return this.content(node)
    const { operations, characters, deepest } = this
    this.deepest = this.level
    this.open.add(node)
    const value = this.content(node)
    this.open.delete(node)
    this.named.set(node, {
      value,
      operations: this.operations - operations,
      characters: this.characters - characters,
      height: this.deepest - this.level
    })
    this.deepest = Math.max(deepest, this.deepest)
    return value
  }

  private content (node: YamlNode): YamlValue {
    this.count(1, node.value.length)
    switch (node.kind) {
      case 'alias': return this.alias(node)
      case 'scalar': return scalarValue(node)
      case 'sequence': return this.below(() => node.children.map(child => this.value(child)))
      case 'mapping': return this.mapping(node, new Map())
    }
  }

  private alias ({ alias, value: name }: YamlNode): YamlValue {
    const target = alias as YamlNode
    if (this.open.has(target)) throw new YamlFault(`anchor '${name}' value contains itself`)
    this.aliases++
    const found = this.named.get(target)
    if (found !== undefined) {
      this.count(found.operations, found.characters)
      this.reach(this.level + found.height)
    }
    const value = found === undefined ? this.value(target) : found.value
    this.aliases--
    return value
  }

  /** Does what is a level down. */
  private below<T> (work: () => T): T {
    this.reach(++this.level)
    const made = work()
    this.level--
    return made
  }

  private reach (level: number): void {
    this.deepest = Math.max(this.deepest, level)
    if (level > MOST_YAML_LEVELS) throw new YamlFault(`exceeded max depth of ${MOST_YAML_LEVELS}`)
  }

  private mapping ({ children }: YamlNode, into: Map<GoScalar, YamlValue>): YamlMapping {
    return this.below(() => {
      for (let i = 0; i < children.length; i += 2) {
        const [name, item] = [children[i] as YamlNode, children[i + 1] as YamlNode]
        if (isMergeKey(name)) {
          this.merge(item, into)
          continue
        }
        const key = this.value(name)
        if (typeof key === 'object' && key !== null) {
          const what = key instanceof Map ? 'a mapping, as {{ … }} without quotes is' : 'a list'
          throw new YamlFault(`invalid map key: ${what}`)
        }
        into.set(Object.is(key, -0) ? '-0' : key, this.value(item)) // a Map has no -0
      }
      return into
    })
  }

  private merge (node: YamlNode, into: Map<GoScalar, YamlValue>): void {
    if (node.kind === 'sequence') {
      // Earlier ones win.
      for (const child of node.children.toReversed()) this.mergeOne(child, into)
    } else this.mergeOne(node, into)
  }

  private mergeOne (node: YamlNode, into: Map<GoScalar, YamlValue>): void {
    if ((node.alias ?? node).kind !== 'mapping') {
      throw new YamlFault('map merge requires map or sequence of maps as the value')
    }
    for (const [key, item] of this.value(node) as YamlMapping) into.set(key, item)
  }

  /** What aliases make of a small text is bounded (decode.go, unmarshal). */
  private count (operations: number, characters: number): void {
    this.operations += operations
    this.characters += characters
    if (this.aliases > 0) {
      this.aliasOperations += operations
      this.budget.repeated -= characters
    }
    const tooMany = this.aliasOperations > 100 && this.operations > 1000 &&
      this.aliasOperations / this.operations > allowedRatio(this.operations)
    if (tooMany || this.budget.repeated < 0) {
      throw new YamlFault('document contains excessive aliasing')
    }
  }
}

const FEW_OPERATIONS = 400_000
const MANY_OPERATIONS = 4_000_000

function allowedRatio (operations: number): number {
  if (operations <= FEW_OPERATIONS) return 0.99
  return 0.99 - 0.89 * (operations - FEW_OPERATIONS) / (MANY_OPERATIONS - FEW_OPERATIONS)
}

function isMergeKey ({ kind, value, implicit, tag }: YamlNode): boolean {
  return kind === 'scalar' && value === '<<' && (implicit || tag === longTag('merge'))
}

function longTag (name: string): string {
  return `tag:yaml.org,2002:${name}`
}

/** A scalar: without a tag, and with one that says what it must be (resolve.go, resolve). */
function scalarValue ({ tag, value: text, implicit }: YamlNode): GoScalar {
  if (tag === '') return implicit ? resolveGoScalar(text) : text
  if (tag === longTag('binary')) return binaryText(text)
  if (tag === longTag('timestamp') && isYamlTime(text)) return text
  const wanted = TAGGED.find(name => longTag(name) === tag)
  if (wanted === undefined) return text
  const found = resolveGoScalar(text)
  const kind = kindOfScalar(found)
  if (kind === wanted) return found
  if (wanted === 'float' && kind === 'int' && isInt64(found as bigint)) return Number(found)
  throw new YamlFault(`cannot decode !!${kind} \`${text}\` as a !!${wanted}`)
}

const TAGGED = ['bool', 'int', 'float', 'null', 'timestamp']

function kindOfScalar (value: GoScalar): string {
  if (value === null) return 'null'
  return { boolean: 'bool', bigint: 'int', number: 'float', string: 'str' }[typeof value as 'string']
}

export function isInt64 (value: bigint): boolean {
  return BigInt.asIntN(64, value) === value
}

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** The octets as text, in which those that are none are replaced one by one, as Go does. */
function binaryText (text: string): string {
  const digits = text.replace(/[\r\n]/g, '')
  if (!BASE64.test(digits)) throw new YamlFault('!!binary value contains invalid base64 data')
  return goText(Buffer.from(digits, 'base64'))
}

/** UTF-8 as Go's JSON writer reads it: each octet that belongs to no character is U+FFFD. */
export function goText (octets: Buffer): string {
  const text = octets.toString('utf8')
  return text.includes('\ufffd') ? Array.from(octets.toString('latin1').matchAll(UTF8), replaced).join('') : text
}

const UTF8 = new RegExp([
  '[\\0-\\x7f]+',
  '[\\xc2-\\xdf][\\x80-\\xbf]',
  '\\xe0[\\xa0-\\xbf][\\x80-\\xbf]',
  '[\\xe1-\\xec\\xee\\xef][\\x80-\\xbf]{2}',
  '\\xed[\\x80-\\x9f][\\x80-\\xbf]',
  '\\xf0[\\x90-\\xbf][\\x80-\\xbf]{2}',
  '[\\xf1-\\xf3][\\x80-\\xbf]{3}',
  '\\xf4[\\x80-\\x8f][\\x80-\\xbf]{2}',
  '[^]'
].join('|'), 'g')

function replaced ([octets]: RegExpMatchArray): string {
  const text = Buffer.from(octets, 'latin1').toString('utf8')
  return octets.length === 1 && octets > '\x7f' ? '\ufffd' : text
}
