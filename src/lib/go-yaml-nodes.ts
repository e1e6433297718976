// What is in a YAML document to Go? The first document of a text as nodes, with the grammar
// of go.yaml.in/yaml v2.4.4 (parserc.go) over its scanner. In steps, because a text may be
// long, and with an end to levels and values, because each is a piece of memory; what an
// alias repeats counts again.
import { GoYamlFault, GoYamlScanner, type GoTokenKind, type LineEnds } from './go-yaml-scanner.ts'
import type { Steps } from './steps.ts'

export type GoYamlNode = GoYamlScalar | GoYamlSequence | GoYamlMapping | GoYamlAlias

export interface GoYamlScalar {
  readonly kind: 'scalar'
  /** As it is written, without quotes. */
  readonly text: string
  /** As it is meant (`tag:yaml.org,2002:str`); empty without one. */
  readonly tag: string
  /** Without quotes and without a tag: it may be a number. */
  readonly isPlain: boolean
}

export interface GoYamlSequence {
  readonly kind: 'sequence'
  readonly items: readonly GoYamlNode[]
}

export interface GoYamlMapping {
  readonly kind: 'mapping'
  readonly pairs: readonly (readonly [key: GoYamlNode, value: GoYamlNode])[]
}

export interface GoYamlAlias {
  readonly kind: 'alias'
  readonly target: GoYamlScalar | GoYamlSequence | GoYamlMapping
}

export interface GoYamlBounds {
  /** Texts, lists and mappings, with those that aliases repeat. */
  readonly values: number
  /** Lists and mappings inside of each other; each takes some of the stack. */
  readonly levels: number
  /** Characters that aliases repeat: whoever looks at what is read looks at them again each time. */
  readonly repeated: number
}

export type GoYamlResult =
  | { readonly ok: true, /** nothing is in an empty text */ readonly node: GoYamlNode | undefined }
  | { readonly ok: false, readonly problem: 'too much' }
  | { readonly ok: false, readonly problem: 'fault', /** Go's words */ readonly message: string, readonly line: number }

/** Reads the first document of a text (goYamlText). @param ends what ends a line */
export function * parseGoYaml (
  text: string,
  bounds: GoYamlBounds,
  ends: LineEnds = 'YAML 1.1'
): Steps<GoYamlResult> {
  try {
    return { ok: true, node: yield * new GoYamlParser(text, bounds, ends).document() }
  } catch (error) {
    if (error instanceof TooMuch) return { ok: false, problem: 'too much' }
    /* c8 ignore next -- nothing else is thrown */
    if (!(error instanceof GoYamlFault)) throw error
    return { ok: false, problem: 'fault', message: error.message, line: error.line }
  }
}

class TooMuch extends Error {}

const EMPTY: GoYamlScalar = { kind: 'scalar', text: '', tag: '', isPlain: true }
const DEFAULT_HANDLES: readonly (readonly [string, string])[] = [['!', '!'], ['!!', 'tag:yaml.org,2002:']]
/** Directives of one document; nobody writes more than two. */
const MOST_HANDLES = 100
/** Between two places where everybody else may have a turn, values. */
const STRIDE = 256

/** How much a node holds, itself included. */
interface Extent {
  readonly values: number
  readonly levels: number
  readonly characters: number
}

type Composite = GoYamlSequence | GoYamlMapping

interface Properties {
  readonly anchor: string | undefined
  readonly tag: string
}

class GoYamlParser {
  private readonly scanner: GoYamlScanner
  private readonly bounds: GoYamlBounds
  private readonly handles = new Map<string, string>()
  private readonly anchors = new Map<string, GoYamlScalar | Composite>()
  /** Of lists and mappings that have come to their end. */
  private readonly extents = new Map<GoYamlNode, Extent>()
  private values = 0
  private characters = 0
  private repeated = 0
  private valuesOfTurn = 0
  /** The level of the deepest list or mapping in the one that is read. */
  private deepest = 0

  constructor (text: string, bounds: GoYamlBounds, ends: LineEnds) {
    this.scanner = new GoYamlScanner(text, ends)
    this.bounds = bounds
  }

  /** The first document; what is behind it is looked at no further than its first token. */
  * document (): Steps<GoYamlNode | undefined> {
    this.expect('stream start', 'did not find expected <stream-start>')
    if (this.isNext('stream end')) return undefined
    const isExplicit = this.isNext('version directive', 'tag directive', 'document start')
    this.takeDirectives()
    if (isExplicit) this.expect('document start', 'did not find expected <document start>')
    const isEmpty = isExplicit &&
      this.isNext('version directive', 'tag directive', 'document start', 'document end', 'stream end')
    const node = isEmpty ? EMPTY : yield * this.node(1, true)
    this.scanner.peek()
    return node
  }

  // ---- tokens

  private isNext (...kinds: readonly GoTokenKind[]): boolean {
    return kinds.includes(this.scanner.peek().kind)
  }

  /** Takes a token where it is of this kind. */
  private has (kind: GoTokenKind): boolean {
    if (!this.isNext(kind)) return false
    this.scanner.take()
    return true
  }

  private expect (kind: GoTokenKind, problem: string): void {
    if (!this.has(kind)) throw this.fault(problem)
  }

  private fault (problem: string): GoYamlFault {
    return new GoYamlFault(problem, this.scanner.peek().line)
  }

  private takeDirectives (): void {
    let hasVersion = false
    while (this.isNext('version directive', 'tag directive')) {
      const { kind, value, suffix } = this.scanner.peek()
      if (kind === 'version directive') {
        if (hasVersion) throw this.fault('found duplicate %YAML directive')
        if (value !== '1.1') throw this.fault('found incompatible YAML document')
        hasVersion = true
      } else {
        if (this.handles.has(value)) throw this.fault('found duplicate %TAG directive')
        this.handles.set(value, suffix)
        if (this.handles.size > MOST_HANDLES) throw new TooMuch()
      }
      this.scanner.take()
    }
    for (const [handle, prefix] of DEFAULT_HANDLES) if (!this.handles.has(handle)) this.handles.set(handle, prefix)
  }

  // ---- nodes

  private * node (level: number, isBlock: boolean, takesIndentless = false): Steps<GoYamlNode> {
    this.count(1)
    if (this.values - this.valuesOfTurn >= STRIDE) {
      this.valuesOfTurn = this.values
      yield
    }
    if (this.isNext('alias')) return this.alias(level)
    const { anchor, tag } = this.takeProperties()
    const items: GoYamlNode[] = []
    const pairs: [GoYamlNode, GoYamlNode][] = []
    const { kind } = this.scanner.peek()
    if (takesIndentless && kind === 'block entry') {
      return yield * this.composite({ kind: 'sequence', items }, this.indentless(items, level + 1), anchor, level)
    }
    if (kind === 'scalar') return this.scalar(anchor, tag)
    if (kind === 'flow sequence start') {
      return yield * this.composite({ kind: 'sequence', items }, this.flowSequence(items, level + 1), anchor, level)
    }
    if (kind === 'flow mapping start') {
      return yield * this.composite({ kind: 'mapping', pairs }, this.flowMapping(pairs, level + 1), anchor, level)
    }
    if (isBlock && kind === 'block sequence start') {
      return yield * this.composite({ kind: 'sequence', items }, this.blockSequence(items, level + 1), anchor, level)
    }
    if (isBlock && kind === 'block mapping start') {
      return yield * this.composite({ kind: 'mapping', pairs }, this.blockMapping(pairs, level + 1), anchor, level)
    }
    if (anchor === undefined && tag === '') throw this.fault('did not find expected node content')
    return this.named({ ...EMPTY, tag, isPlain: tag === '' }, anchor)
  }

  private alias (level: number): GoYamlAlias {
    const name = this.scanner.peek().value
    const target = this.anchors.get(name)
    if (target === undefined) throw this.fault('unknown anchor referenced')
    if (target.kind === 'scalar') this.repeat(target.text.length)
    else {
      const extent = this.extents.get(target)
      if (extent === undefined) throw this.fault('anchor value contains itself')
      this.count(extent.values)
      this.repeat(extent.characters)
      this.deepen(level + extent.levels - 1)
    }
    this.scanner.take()
    return { kind: 'alias', target }
  }

  private count (values: number): void {
    this.values += values
    if (this.values > this.bounds.values) throw new TooMuch()
  }

  private repeat (characters: number): void {
    this.characters += characters
    this.repeated += characters
    if (this.repeated > this.bounds.repeated) throw new TooMuch()
  }

  private deepen (level: number): void {
    if (level > this.bounds.levels) throw new TooMuch()
    this.deepest = Math.max(this.deepest, level)
  }

  /** An anchor, a tag, or both in either order. */
  private takeProperties (): Properties {
    let anchor = this.takeAnchor()
    const tag = this.takeTag()
    if (anchor === undefined && tag !== '') anchor = this.takeAnchor()
    return { anchor, tag }
  }

  private takeAnchor (): string | undefined {
    const { kind, value } = this.scanner.peek()
    if (kind !== 'anchor') return undefined
    this.scanner.take()
    return value
  }

  private takeTag (): string {
    const { kind, value, suffix } = this.scanner.peek()
    if (kind !== 'tag') return ''
    const prefix = value === '' ? '' : this.handles.get(value)
    if (prefix === undefined) throw this.fault('found undefined tag handle')
    this.scanner.take()
    return prefix + suffix
  }

  private scalar (anchor: string | undefined, tag: string): GoYamlScalar {
    const { value, isPlain } = this.scanner.peek()
    this.characters += value.length
    this.scanner.take()
    return this.named({ kind: 'scalar', text: value, tag, isPlain: isPlain && tag === '' }, anchor)
  }

  private named<T extends GoYamlScalar | Composite> (node: T, anchor: string | undefined): T {
    if (anchor !== undefined) this.anchors.set(anchor, node)
    return node
  }

  /** A list or mapping, which has its name before it has anything in it. */
  private * composite<T extends Composite> (
    node: T,
    filling: Steps<void>,
    anchor: string | undefined,
    level: number
  ): Steps<T> {
    this.named(node, anchor)
    const { values, characters, deepest } = this
    this.deepest = 0
    this.deepen(level)
    yield * filling
    this.extents.set(node, {
      values: this.values - values,
      levels: this.deepest - level + 1,
      characters: this.characters - characters
    })
    this.deepest = Math.max(this.deepest, deepest)
    return node
  }

  private * blockSequence (items: GoYamlNode[], level: number): Steps<void> {
    this.scanner.take()
    while (this.has('block entry')) {
      items.push(this.isNext('block entry', 'block end') ? EMPTY : yield * this.node(level, true))
    }
    this.expect('block end', 'did not find expected \'-\' indicator')
  }

  private * indentless (items: GoYamlNode[], level: number): Steps<void> {
    while (this.has('block entry')) {
      const isEmpty = this.isNext('block entry', 'key', 'value', 'block end')
      items.push(isEmpty ? EMPTY : yield * this.node(level, true))
    }
  }

  private * blockMapping (pairs: [GoYamlNode, GoYamlNode][], level: number): Steps<void> {
    this.scanner.take()
    while (this.has('key')) {
      const key = yield * this.blockPart(level)
      pairs.push([key, this.has('value') ? yield * this.blockPart(level) : EMPTY])
    }
    this.expect('block end', 'did not find expected key')
  }

  private * blockPart (level: number): Steps<GoYamlNode> {
    return this.isNext('key', 'value', 'block end') ? EMPTY : yield * this.node(level, true, true)
  }

  private * flowSequence (items: GoYamlNode[], level: number): Steps<void> {
    this.scanner.take()
    while (!this.isNext('flow sequence end')) {
      if (items.length > 0) {
        this.expect('flow entry', 'did not find expected \',\' or \']\'')
        if (this.isNext('flow sequence end')) break
      }
      if (this.has('key')) {
        const pairs: [GoYamlNode, GoYamlNode][] = []
        items.push(yield * this.composite({ kind: 'mapping', pairs }, this.pair(pairs, level + 1), undefined, level))
      } else items.push(yield * this.node(level, false))
    }
    this.scanner.take()
  }

  /** A mapping of one pair, without brackets in a list. */
  private * pair (pairs: [GoYamlNode, GoYamlNode][], level: number): Steps<void> {
    let key: GoYamlNode = EMPTY
    if (this.isNext('value', 'flow entry', 'flow sequence end')) this.scanner.take() // as Go does, whatever it is
    else key = yield * this.node(level, false)
    const hasValue = this.has('value') && !this.isNext('flow entry', 'flow sequence end')
    pairs.push([key, hasValue ? yield * this.node(level, false) : EMPTY])
  }

  private * flowMapping (pairs: [GoYamlNode, GoYamlNode][], level: number): Steps<void> {
    this.scanner.take()
    while (!this.isNext('flow mapping end')) {
      if (pairs.length > 0) {
        this.expect('flow entry', 'did not find expected \',\' or \'}\'')
        if (this.isNext('flow mapping end')) break
      }
      const isPair = this.has('key')
      const key = isPair && this.isNext('value', 'flow entry', 'flow mapping end')
        ? EMPTY
        : yield * this.node(level, false)
      const hasValue = isPair && this.has('value') && !this.isNext('flow entry', 'flow mapping end')
      pairs.push([key, hasValue ? yield * this.node(level, false) : EMPTY])
    }
    this.scanner.take()
  }
}
