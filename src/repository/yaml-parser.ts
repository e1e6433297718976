// Which nodes does a YAML text have? A port of parserc.go and of the first half of decode.go
// (go.yaml.in/yaml v2.4.3): the tree of the first document, with each alias at what it stands
// for. It works in steps, since the text is a stranger's and may be long.
import type { Steps } from '../lib/steps.ts'
import { YamlFault, YamlScanner, type YamlToken, type YamlTokenType } from './yaml-scanner.ts'
import { readYamlText } from './yaml-text.ts'

export interface YamlNode {
  readonly kind: 'scalar' | 'sequence' | 'mapping' | 'alias'
  /** The long form; '' for none. */
  readonly tag: string
  readonly value: string
  /** A scalar without quotes, or with the tag `!`. */
  readonly implicit: boolean
  readonly children: YamlNode[]
  readonly alias?: YamlNode
  /** It has a name by which it may be used again. */
  readonly anchored: boolean
}

/** What all YAML of one chart may have together. */
export interface YamlBudget {
  nodes: number
  /** Characters that aliases may still repeat. */
  repeated: number
}

type YamlEvent = NodeEvent | { readonly type: EndEvent }
type EndEvent = 'sequence-end' | 'mapping-end' | 'stream-start' | 'stream-end' | 'document-start' | 'document-end'
type NodeEvent =
  | { readonly type: 'alias' | 'sequence' | 'mapping', readonly anchor: string }
  | (Pick<YamlNode, 'tag' | 'value' | 'implicit'> & { readonly type: 'scalar', readonly anchor: string })

/**
 * Go ends at 10,000 levels of each kind. Nobody writes a hundred; whoever works with the nodes
 * calls itself for each.
 */
export const MOST_YAML_LEVELS = 1000

/** Nodes that are made without asking whether to go on. */
const NODES_IN_A_ROW = 256

/** The first document; undefined when there is none. Throws YamlFault. */
export function * parseGoYaml (bytes: Buffer, budget: YamlBudget): Steps<YamlNode | undefined> {
  const parser = new YamlParser(new YamlScanner(readYamlText(bytes)))
  parser.next() // the stream
  if (parser.next().type === 'stream-end') return undefined
  const anchors = new Map<string, YamlNode>()
  const open: YamlNode[] = []
  let root: YamlNode | undefined
  let made = 0
  while (root === undefined || open.length > 0) {
    const event = parser.next()
    if (event.type === 'sequence-end' || event.type === 'mapping-end') {
      open.pop()
      continue
    }
    if (--budget.nodes < 0) throw new YamlFault('more YAML than a chart has')
    if (++made % NODES_IN_A_ROW === 0) yield
    const node = nodeOf(event as NodeEvent, anchors)
    open.at(-1)?.children.push(node)
    root ??= node
    if (node.kind === 'sequence' || node.kind === 'mapping') {
      open.push(node)
      if (open.length > MOST_YAML_LEVELS) throw new YamlFault(`exceeded max depth of ${MOST_YAML_LEVELS}`)
    }
  }
  parser.next() // the end of the document, behind which nobody looks
  return root
}

function nodeOf (event: NodeEvent, anchors: Map<string, YamlNode>): YamlNode {
  const { type, anchor } = event
  if (type === 'alias') {
    const alias = anchors.get(anchor)
    if (alias === undefined) throw new YamlFault(`unknown anchor '${anchor}' referenced`)
    return { kind: 'alias', tag: '', value: anchor, implicit: false, children: [], alias, anchored: false }
  }
  const anchored = anchor !== ''
  const node: YamlNode = type === 'scalar'
    ? { kind: 'scalar', tag: event.tag, value: event.value, implicit: event.implicit, children: [], anchored }
    : { kind: type, tag: '', value: '', implicit: false, children: [], anchored }
  if (anchored) anchors.set(anchor, node)
  return node
}

type YamlState =
  | 'streamStart' | 'implicitDocumentStart' | 'documentStart' | 'documentContent' | 'documentEnd' | 'blockNode'
  | 'blockSequenceEntry' | 'indentlessEntry' | 'blockMappingKey' | 'blockMappingValue'
  | 'flowSequenceFirst' | 'flowSequenceEntry' | 'flowPairKey' | 'flowPairValue' | 'flowPairEnd'
  | 'flowMappingFirst' | 'flowMappingKey' | 'flowMappingValue' | 'flowMappingEmptyValue'

const DEFAULT_TAGS = [['!', '!'], ['!!', 'tag:yaml.org,2002:']] as const

class YamlParser {
  private readonly scanner: YamlScanner
  private state: YamlState = 'streamStart'
  private readonly states: YamlState[] = []
  private readonly tags = new Map<string, string>()

  constructor (scanner: YamlScanner) {
    this.scanner = scanner
  }

  next (): YamlEvent {
    return this[this.state]()
  }

  private peek (): YamlToken {
    return this.scanner.peek()
  }

  private isNext (...types: readonly YamlTokenType[]): boolean {
    return types.includes(this.peek().type)
  }

  private take (): YamlToken {
    const token = this.peek()
    this.scanner.skipToken()
    return token
  }

  private fail (problem: string, { line }: YamlToken = this.peek()): never {
    throw new YamlFault(line === 0 ? problem : `line ${line}: ${problem}`)
  }

  private goBack (): void {
    this.state = this.states.pop() as YamlState
  }

  private nothing (state: YamlState): YamlEvent {
    this.state = state
    return { type: 'scalar', anchor: '', tag: '', value: '', implicit: true }
  }

  /** A node, and then what `state` says. */
  private nodeBefore (state: YamlState, indentless = false): YamlEvent {
    this.states.push(state)
    return this.node(indentless)
  }

  // ---- documents ---------------------------------------------------------------------

  private streamStart (): YamlEvent {
    this.take()
    this.state = 'implicitDocumentStart'
    return { type: 'stream-start' }
  }

  private implicitDocumentStart (): YamlEvent {
    if (this.isNext('version', 'tag-directive', 'document-start', 'stream-end')) return this.documentStart()
    this.readDirectives()
    this.states.push('documentEnd')
    this.state = 'blockNode'
    return { type: 'document-start' }
  }

  private documentStart (): YamlEvent {
    if (this.isNext('stream-end')) return { type: 'stream-end' }
    this.readDirectives()
    if (!this.isNext('document-start')) this.fail('did not find expected <document start>')
    this.take()
    this.states.push('documentEnd')
    this.state = 'documentContent'
    return { type: 'document-start' }
  }

  private documentContent (): YamlEvent {
    if (this.isNext('version', 'tag-directive', 'document-start', 'document-end', 'stream-end')) {
      return this.nothing(this.states.pop() as YamlState)
    }
    return this.node()
  }

  private documentEnd (): YamlEvent {
    this.peek()
    return { type: 'document-end' }
  }

  private readDirectives (): void {
    let hasVersion = false
    for (; this.isNext('version', 'tag-directive'); this.take()) {
      const { type, value, suffix } = this.peek()
      if (type === 'version') {
        if (hasVersion) this.fail('found duplicate %YAML directive')
        if (value !== '1.1') this.fail('found incompatible YAML document')
        hasVersion = true
      } else {
        if (this.tags.has(value)) this.fail('found duplicate %TAG directive')
        this.tags.set(value, suffix)
      }
    }
    for (const [handle, prefix] of DEFAULT_TAGS) if (!this.tags.has(handle)) this.tags.set(handle, prefix)
  }

  // ---- nodes -------------------------------------------------------------------------

  private blockNode (): YamlEvent {
    return this.node()
  }

  /** Blocks too: inside of brackets the scanner makes no tokens of theirs. */
  private node (indentless = false): YamlEvent {
    if (this.isNext('alias')) {
      this.goBack()
      return { type: 'alias', anchor: this.take().value }
    }
    const { anchor, tag } = this.properties()
    const { type, value, plain } = this.peek()
    switch (type) {
      case 'block-entry':
        if (!indentless) return this.emptyNode(anchor, tag)
        this.state = 'indentlessEntry'
        return { type: 'sequence', anchor }
      case 'scalar':
        this.goBack()
        this.take()
        return { type: 'scalar', anchor, tag, value, implicit: tag === '!' || (tag === '' && plain) }
      case 'flow-sequence':
        this.state = 'flowSequenceFirst'
        return { type: 'sequence', anchor }
      case 'flow-mapping':
        this.state = 'flowMappingFirst'
        return { type: 'mapping', anchor }
      case 'block-sequence':
        this.take()
        this.state = 'blockSequenceEntry'
        return { type: 'sequence', anchor }
      case 'block-mapping':
        this.take()
        this.state = 'blockMappingKey'
        return { type: 'mapping', anchor }
      default: return this.emptyNode(anchor, tag)
    }
  }

  /** Nothing but an anchor or a tag. */
  private emptyNode (anchor: string, tag: string): YamlEvent {
    if (anchor === '' && tag === '') this.fail('did not find expected node content')
    this.goBack()
    return { type: 'scalar', anchor, tag, value: '', implicit: tag === '' }
  }

  /** An anchor and a tag, in any order. */
  private properties (): { readonly anchor: string, readonly tag: string } {
    const before = this.isNext('anchor') ? this.take().value : undefined
    const tag = this.isNext('tag') ? this.take() : undefined
    const anchor = before ?? (tag !== undefined && this.isNext('anchor') ? this.take().value : '')
    return { anchor, tag: tag === undefined ? '' : this.longTag(tag) }
  }

  private longTag (token: YamlToken): string {
    const { value: handle, suffix } = token
    if (handle === '') return suffix
    const prefix = this.tags.get(handle)
    const tag = prefix === undefined ? '' : prefix + suffix
    return tag === '' ? this.fail('found undefined tag handle', token) : tag
  }

  // ---- collections -------------------------------------------------------------------

  private blockSequenceEntry (): YamlEvent {
    if (this.isNext('block-entry')) {
      this.take()
      return this.isNext('block-entry', 'block-end')
        ? this.nothing('blockSequenceEntry')
        : this.nodeBefore('blockSequenceEntry')
    }
    if (!this.isNext('block-end')) this.fail("did not find expected '-' indicator")
    return this.collectionEnd('sequence-end')
  }

  private indentlessEntry (): YamlEvent {
    if (!this.isNext('block-entry')) {
      this.goBack()
      return { type: 'sequence-end' }
    }
    this.take()
    return this.isNext('block-entry', 'key', 'value', 'block-end')
      ? this.nothing('indentlessEntry')
      : this.nodeBefore('indentlessEntry')
  }

  private blockMappingKey (): YamlEvent {
    if (this.isNext('key')) {
      this.take()
      return this.isNext('key', 'value', 'block-end')
        ? this.nothing('blockMappingValue')
        : this.nodeBefore('blockMappingValue', true)
    }
    if (!this.isNext('block-end')) this.fail('did not find expected key')
    return this.collectionEnd('mapping-end')
  }

  private blockMappingValue (): YamlEvent {
    if (!this.isNext('value')) return this.nothing('blockMappingKey')
    this.take()
    return this.isNext('key', 'value', 'block-end')
      ? this.nothing('blockMappingKey')
      : this.nodeBefore('blockMappingKey', true)
  }

  private flowSequenceFirst (): YamlEvent {
    this.take()
    return this.flowSequenceItem()
  }

  private flowSequenceEntry (): YamlEvent {
    if (!this.isNext('flow-sequence-end')) {
      if (!this.isNext('flow-entry')) this.fail("did not find expected ',' or ']'")
      this.take()
    }
    return this.flowSequenceItem()
  }

  private flowSequenceItem (): YamlEvent {
    if (this.isNext('flow-sequence-end')) return this.collectionEnd('sequence-end')
    if (!this.isNext('key')) return this.nodeBefore('flowSequenceEntry')
    this.take()
    this.state = 'flowPairKey'
    return { type: 'mapping', anchor: '' }
  }

  /** `[a: b]` is a list of one mapping. */
  private flowPairKey (): YamlEvent {
    if (!this.isNext('value', 'flow-entry', 'flow-sequence-end')) return this.nodeBefore('flowPairValue')
    // So does go-yaml: the colon goes with the key that is not there.
    this.take()
    return this.nothing('flowPairValue')
  }

  private flowPairValue (): YamlEvent {
    if (this.isNext('value')) {
      this.take()
      if (!this.isNext('flow-entry', 'flow-sequence-end')) return this.nodeBefore('flowPairEnd')
    }
    return this.nothing('flowPairEnd')
  }

  private flowPairEnd (): YamlEvent {
    this.peek()
    this.state = 'flowSequenceEntry'
    return { type: 'mapping-end' }
  }

  private flowMappingFirst (): YamlEvent {
    this.take()
    return this.flowMappingItem()
  }

  private flowMappingKey (): YamlEvent {
    if (!this.isNext('flow-mapping-end')) {
      if (!this.isNext('flow-entry')) this.fail("did not find expected ',' or '}'")
      this.take()
    }
    return this.flowMappingItem()
  }

  private flowMappingItem (): YamlEvent {
    if (this.isNext('flow-mapping-end')) return this.collectionEnd('mapping-end')
    if (!this.isNext('key')) return this.nodeBefore('flowMappingEmptyValue')
    this.take()
    return this.isNext('value', 'flow-entry', 'flow-mapping-end')
      ? this.nothing('flowMappingValue')
      : this.nodeBefore('flowMappingValue')
  }

  private flowMappingValue (): YamlEvent {
    if (this.isNext('value')) {
      this.take()
      if (!this.isNext('flow-entry', 'flow-mapping-end')) return this.nodeBefore('flowMappingKey')
    }
    return this.nothing('flowMappingKey')
  }

  private flowMappingEmptyValue (): YamlEvent {
    this.peek()
    return this.nothing('flowMappingKey')
  }

  private collectionEnd (type: 'sequence-end' | 'mapping-end'): YamlEvent {
    this.take()
    this.goBack()
    return { type }
  }
}
