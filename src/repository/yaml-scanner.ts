// Which tokens does Go's YAML reader see? A port of scannerc.go (go.yaml.in/yaml v2.4.3), the
// scanner of libyaml with what Go changed in it: every rule and every word of what is wrong,
// so that a file means the same here as in Helm. Each part of a text is looked at once. Levels
// are counted by whoever takes the tokens, of which some hundred are made ahead.
import { octetsOf, type YamlText } from './yaml-text.ts'

export type YamlTokenType =
  | 'stream-start' | 'stream-end' | 'version' | 'tag-directive' | 'document-start' | 'document-end'
  | 'block-sequence' | 'block-mapping' | 'block-end'
  | 'flow-sequence' | 'flow-sequence-end' | 'flow-mapping' | 'flow-mapping-end'
  | 'block-entry' | 'flow-entry' | 'key' | 'value' | 'alias' | 'anchor' | 'tag' | 'scalar'

export interface YamlToken {
  readonly type: YamlTokenType
  /** Where it begins; the first line is 0. */
  readonly line: number
  /** The text of a scalar, the name of an anchor, the handle of a tag; `1.1` of a version. */
  readonly value: string
  /** The rest of a tag; what a handle stands for. */
  readonly suffix: string
  /** A scalar without quotes, on one line or more. */
  readonly plain: boolean
}

/** What is wrong, in go-yaml's words. */
export class YamlFault extends Error {}

/** A place where the key of a mapping may begin, before there is a colon to say so. */
interface SimpleKey {
  possible: boolean
  readonly required: boolean
  readonly token: number
  readonly index: number
  readonly line: number
  readonly column: number
}

const LONGEST_SIMPLE_KEY = 1024

const TAB = 0x09
const LF = 0x0a
const CR = 0x0d
const SPACE = 0x20
const DOUBLE_QUOTE = 0x22
const HASH = 0x23
const PERCENT = 0x25
const QUOTE = 0x27
const PLUS = 0x2b
const COMMA = 0x2c
const DASH = 0x2d
const DOT = 0x2e
const COLON = 0x3a
const BANG = 0x21
const QUESTION = 0x3f
const BACKSLASH = 0x5c
const MARK = 0xfeff
const EVERYTHING = 2 ** 30

/** Characters that no plain scalar begins with, but for `-?:` before something else than a space. */
const INDICATORS = new Set([...'-?:,[]{}#&*!|>\'"%@`'].map(each => each.charCodeAt(0)))
const FLOW_ENDS = new Set([...',?[]{}'].map(each => each.charCodeAt(0)))
const BEHIND_ANCHOR = new Set([...'?:,]}%@`'].map(each => each.charCodeAt(0)))
const IN_URI = new Set([...';/?:@&=+$,.!~*\'()[]%'].map(each => each.charCodeAt(0)))

const ESCAPED: Readonly<Record<string, string>> = {
  0: '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  '\t': '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  ' ': ' ',
  '"': '"',
  "'": "'",
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029'
}
const HEX_ESCAPES: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

function isBlank (code: number): boolean {
  return code === SPACE || code === TAB
}

function isBreak (code: number): boolean {
  if (code <= 0x7e) return code === LF || code === CR
  return code === 0x85 || code === 0x2028 || code === 0x2029
}

function isBlankOrEnd (code: number): boolean {
  return code <= SPACE ? code === SPACE || code === 0 || code === TAB || isBreak(code) : isBreak(code)
}

function isBreakOrEnd (code: number): boolean {
  return code === 0 || isBreak(code)
}

function isDigit (code: number): boolean {
  return code >= 0x30 && code <= 0x39
}

/** A letter, a digit, `_` or `-`. */
function isWord (code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x5a) || (code >= 0x61 && code <= 0x7a) || code === 0x5f ||
    code === DASH
}

function isHex (code: number): boolean {
  return isDigit(code) || (code >= 0x41 && code <= 0x46) || (code >= 0x61 && code <= 0x66)
}

/** The column of a block scalar's text; 0 while it is not known. */
interface BlockIndent { column: number }

/** Line breaks behind each other, however many there are. */
class BreakRun {
  private text = ''
  private feeds = 0

  add (lineBreak: string): void {
    if (lineBreak === '\n') this.feeds++
    else {
      this.text += '\n'.repeat(this.feeds) + lineBreak
      this.feeds = 0
    }
  }

  isEmpty (): boolean {
    return this.feeds === 0 && this.text === ''
  }

  take (): string {
    const all = this.text + '\n'.repeat(this.feeds)
    this.text = ''
    this.feeds = 0
    return all
  }

  /** Lines become one: the first break is a space, unless there are more. */
  fold (lead: string): string {
    if (lead !== '\n') return lead + this.take()
    return this.isEmpty() ? ' ' : this.take()
  }
}

export class YamlScanner {
  private readonly text: string
  private readonly portions: readonly number[] | undefined
  private readonly fault: string | undefined
  /** Some characters are two units of the text. */
  private readonly wide: boolean
  private at = 0
  /** In characters. */
  private index = 0
  private line = 0
  private column = 0
  /** Up to here the text has been read. */
  private limit = EVERYTHING
  private nextPortion = 0
  /** The byte order mark that is tested for at each line is where the last reading began. */
  private readFrom = 0

  private indent = -1
  private readonly indents: number[] = []
  private flowLevel = 0
  private keyAllowed = true
  private readonly keys: SimpleKey[] = [{ possible: false, required: false, token: 0, index: 0, line: 0, column: 0 }]
  private readonly keyOfToken = new Map<number, number>()

  private readonly queue: YamlToken[] = []
  private head = 0
  /** How many tokens were taken. */
  private taken = 0
  private ready = false

  constructor ({ text, portions, fault }: YamlText) {
    this.text = text
    this.portions = portions
    this.fault = fault
    if (portions !== undefined) this.limit = 0
    this.wide = /[\ud800-\udfff]/.test(text)
    this.push(this.token('stream-start', 0))
  }

  /** The next token, which stays. Throws YamlFault. */
  peek (): YamlToken {
    if (!this.ready) {
      while (this.needsMore()) this.fetch()
      this.ready = true
    }
    return this.queue[this.head] as YamlToken
  }

  /** Takes the token that was looked at. */
  skipToken (): void {
    this.ready = false
    this.taken++
    this.head++
    if (this.head === this.queue.length) {
      this.queue.length = 0
      this.head = 0
    }
  }

  // ---- what is read -----------------------------------------------------------------

  /** The unit of the text so many behind this place; 0 behind the end. */
  private code (ahead = 0): number {
    return this.text.charCodeAt(this.at + ahead) || 0
  }

  /** Has at least so many characters read. */
  private need (count: number): void {
    if (this.at + count > this.limit) this.readOn(count)
  }

  private readOn (count: number): void {
    const portions = this.portions as readonly number[]
    this.readFrom = this.at
    while (this.at + count > this.limit) {
      const end = portions[this.nextPortion++]
      if (end === undefined) {
        if (this.fault !== undefined) throw new YamlFault(this.fault)
        this.limit = Math.max(this.limit, this.text.length) + 1
        return
      }
      this.limit = end
    }
  }

  private skip (): void {
    this.at += this.wide && (this.code() & 0xfc00) === 0xd800 ? 2 : 1
    this.index++
    this.column++
  }

  /** Goes on to a place on the same line. */
  private moveTo (place: number): void {
    let count = place - this.at
    if (this.wide) for (let i = this.at; i < place; i++) if ((this.text.charCodeAt(i) & 0xfc00) === 0xdc00) count--
    this.at = place
    this.index += count
    this.column += count
  }

  /** Goes to the end of the line. */
  private skipLine (): void {
    const { text } = this
    let i = this.at
    for (;; i++) {
      if (i >= this.limit) {
        this.moveTo(i)
        this.need(1)
      }
      const code = text.charCodeAt(i) || 0
      if ((code < SPACE || code > 0x7e) && isBreakOrEnd(code)) break
    }
    this.moveTo(i)
  }

  /** Goes over what is a word of a scalar without quotes. */
  private skipPlain (): void {
    const { text } = this
    const isFlow = this.flowLevel > 0
    let i = this.at
    for (let code = this.code(); !isBlankOrEnd(code);) {
      const next = text.charCodeAt(i + 1) || 0
      if ((code === COLON && isBlankOrEnd(next)) || (isFlow && FLOW_ENDS.has(code))) break
      i++
      if (i + 2 > this.limit) {
        this.moveTo(i)
        this.need(2)
      }
      code = next
    }
    this.moveTo(i)
  }

  private skipBreak (): void {
    this.readBreak()
  }

  /** A line break, as it stands in a scalar. */
  private readBreak (): string {
    const code = this.code()
    const size = code === CR && this.code(1) === LF ? 2 : 1
    this.at += size
    this.index += size
    this.column = 0
    this.line++
    return code === 0x2028 ? '\u2028' : code === 0x2029 ? '\u2029' : '\n'
  }

  private slice (from: number): string {
    return this.text.slice(from, this.at)
  }

  private fail (problem: string): never {
    throw new YamlFault(this.line === 0 ? problem : `line ${this.line + 1}: ${problem}`)
  }

  // ---- the queue of tokens -----------------------------------------------------------

  private token (type: YamlTokenType, line: number, value = '', suffix = '', plain = false): YamlToken {
    return { type, line, value, suffix, plain }
  }

  private push (token: YamlToken): void {
    this.queue.push(token)
  }

  /** @param place among those that are not yet taken; one that has gone is behind all others */
  private insert (place: number, token: YamlToken): void {
    if (place < 0) this.queue.push(token)
    else this.queue.splice(this.head + place, 0, token)
  }

  /** Takes one character for a token. */
  private pushIndicator (type: YamlTokenType): void {
    this.push(this.token(type, this.line))
    this.skip()
  }

  /** Is there no token yet, or one that may still turn out to be a key? */
  private needsMore (): boolean {
    if (this.head === this.queue.length) return true
    if (this.keyOfToken.size === 0) return false
    const key = this.keys[this.keyOfToken.get(this.taken) ?? -1]
    return key !== undefined && this.isValid(key)
  }

  private fetch (): void {
    this.need(1)
    this.skipToNextToken()
    this.unrollIndent(this.column)
    this.need(4)
    const code = this.code()
    if (code === 0) return this.fetchStreamEnd()
    if (this.column === 0) {
      if (code === PERCENT) return this.fetchDirective()
      const indicator = this.documentIndicator()
      if (indicator !== undefined) return this.fetchDocumentIndicator(indicator)
    }
    switch (code) {
      case 0x5b: return this.fetchFlowStart('flow-sequence')
      case 0x7b: return this.fetchFlowStart('flow-mapping')
      case 0x5d: return this.fetchFlowEnd('flow-sequence-end')
      case 0x7d: return this.fetchFlowEnd('flow-mapping-end')
      case COMMA: return this.fetchFlowEntry()
      case 0x2a: return this.fetchAnchor('alias')
      case 0x26: return this.fetchAnchor('anchor')
      case BANG: return this.fetchTag()
      case QUOTE: return this.fetchQuoted(true)
      case DOUBLE_QUOTE: return this.fetchQuoted(false)
    }
    const isFlow = this.flowLevel > 0
    const beforeBlank = isBlankOrEnd(this.code(1))
    if (code === DASH && beforeBlank) return this.fetchBlockEntry()
    if (code === QUESTION && (isFlow || beforeBlank)) return this.fetchKey()
    if (code === COLON && (isFlow || beforeBlank)) return this.fetchValue()
    if ((code === 0x7c || code === 0x3e) && !isFlow) return this.fetchBlockScalar(code === 0x7c)
    if (!(isBlankOrEnd(code) || INDICATORS.has(code)) || code === DASH ||
      (!isFlow && (code === QUESTION || code === COLON))) {
      return this.fetchPlain()
    }
    this.fail('found character that cannot start any token')
  }

  // ---- keys and levels ---------------------------------------------------------------

  private isValid (key: SimpleKey): boolean {
    if (!key.possible) return false
    if (key.line === this.line && key.index + LONGEST_SIMPLE_KEY >= this.index) return true
    if (key.required) this.fail("could not find expected ':'")
    this.giveUp(key)
    return false
  }

  private saveKey (): void {
    if (!this.keyAllowed) return
    this.removeKey()
    const token = this.nextToken()
    this.keys[this.keys.length - 1] = {
      possible: true,
      required: this.flowLevel === 0 && this.indent === this.column,
      token,
      index: this.index,
      line: this.line,
      column: this.column
    }
    this.keyOfToken.set(token, this.keys.length - 1)
  }

  private removeKey (): void {
    const key = this.keys.at(-1) as SimpleKey
    if (!key.possible) return
    if (key.required) this.fail("could not find expected ':'")
    this.giveUp(key)
  }

  private giveUp (key: SimpleKey): void {
    key.possible = false
    this.keyOfToken.delete(key.token)
  }

  /** The number of the token that comes next. */
  private nextToken (): number {
    return this.taken + this.queue.length - this.head
  }

  /** @param place where the token goes that opens the level; undefined: behind all others */
  private rollIndent (column: number, type: YamlTokenType, line: number, place?: number): void {
    if (this.flowLevel > 0 || this.indent >= column) return
    this.indents.push(this.indent)
    this.indent = column
    const token = this.token(type, line)
    if (place === undefined) this.push(token)
    else this.insert(place - this.taken, token)
  }

  private unrollIndent (column: number): void {
    if (this.flowLevel > 0) return
    while (this.indent > column) {
      this.push(this.token('block-end', this.line))
      this.indent = this.indents.pop() as number
    }
  }

  // ---- one token each ----------------------------------------------------------------

  private fetchStreamEnd (): void {
    if (this.column !== 0) {
      this.column = 0
      this.line++
    }
    this.unrollIndent(-1)
    this.removeKey()
    this.keyAllowed = false
    this.push(this.token('stream-end', this.line))
  }

  private fetchDirective (): void {
    this.unrollIndent(-1)
    this.removeKey()
    this.keyAllowed = false
    this.push(this.scanDirective())
  }

  private fetchDocumentIndicator (type: YamlTokenType): void {
    this.unrollIndent(-1)
    this.removeKey()
    this.keyAllowed = false
    this.push(this.token(type, this.line))
    for (let i = 0; i < 3; i++) this.skip()
  }

  private fetchFlowStart (type: YamlTokenType): void {
    this.saveKey()
    this.keys.push({ possible: false, required: false, token: this.nextToken(), index: 0, line: 0, column: 0 })
    this.flowLevel++
    this.keyAllowed = true
    this.pushIndicator(type)
  }

  private fetchFlowEnd (type: YamlTokenType): void {
    this.removeKey()
    if (this.flowLevel > 0) {
      this.flowLevel--
      // An empty collection is no key any more after this: `[]: a` is a list, and then something else.
      this.keyOfToken.delete((this.keys.pop() as SimpleKey).token)
    }
    this.keyAllowed = false
    this.pushIndicator(type)
  }

  private fetchFlowEntry (): void {
    this.removeKey()
    this.keyAllowed = true
    this.pushIndicator('flow-entry')
  }

  private fetchBlockEntry (): void {
    if (this.flowLevel === 0) {
      if (!this.keyAllowed) this.fail('block sequence entries are not allowed in this context')
      this.rollIndent(this.column, 'block-sequence', this.line)
    }
    this.removeKey()
    this.keyAllowed = true
    this.pushIndicator('block-entry')
  }

  private fetchKey (): void {
    if (this.flowLevel === 0) {
      if (!this.keyAllowed) this.fail('mapping keys are not allowed in this context')
      this.rollIndent(this.column, 'block-mapping', this.line)
    }
    this.removeKey()
    this.keyAllowed = this.flowLevel === 0
    this.pushIndicator('key')
  }

  private fetchValue (): void {
    const key = this.keys.at(-1) as SimpleKey
    if (this.isValid(key)) {
      this.insert(key.token - this.taken, this.token('key', key.line))
      this.rollIndent(key.column, 'block-mapping', key.line, key.token)
      this.giveUp(key)
      this.keyAllowed = false
    } else {
      if (this.flowLevel === 0) {
        if (!this.keyAllowed) this.fail('mapping values are not allowed in this context')
        this.rollIndent(this.column, 'block-mapping', this.line)
      }
      this.keyAllowed = this.flowLevel === 0
    }
    this.pushIndicator('value')
  }

  private fetchAnchor (type: 'alias' | 'anchor'): void {
    this.saveKey()
    this.keyAllowed = false
    this.push(this.scanAnchor(type))
  }

  private fetchTag (): void {
    this.saveKey()
    this.keyAllowed = false
    this.push(this.scanTag())
  }

  private fetchBlockScalar (literal: boolean): void {
    this.removeKey()
    this.keyAllowed = true
    this.push(this.scanBlockScalar(literal))
  }

  private fetchQuoted (single: boolean): void {
    this.saveKey()
    this.keyAllowed = false
    this.push(this.scanQuoted(single))
  }

  private fetchPlain (): void {
    this.saveKey()
    this.keyAllowed = false
    this.push(this.scanPlain())
  }

  // ---- scanning ----------------------------------------------------------------------

  private skipToNextToken (): void {
    for (;;) {
      this.need(1)
      if (this.column === 0 && this.portions !== undefined && this.text.charCodeAt(this.readFrom) === MARK) this.skip()
      this.need(1)
      while (this.code() === SPACE || ((this.flowLevel > 0 || !this.keyAllowed) && this.code() === TAB)) {
        this.skip()
        this.need(1)
      }
      if (this.code() === HASH) this.skipLine()
      if (!isBreak(this.code())) return
      this.need(2)
      this.skipBreak()
      if (this.flowLevel === 0) this.keyAllowed = true
    }
  }

  private skipBlanks (): void {
    this.need(1)
    while (isBlank(this.code())) {
      this.skip()
      this.need(1)
    }
  }

  /** `---` or `...` at the beginning of a line. */
  private documentIndicator (): 'document-start' | 'document-end' | undefined {
    const code = this.code()
    if (this.column !== 0 || (code !== DASH && code !== DOT)) return undefined
    if (this.code(1) !== code || this.code(2) !== code || !isBlankOrEnd(this.code(3))) return undefined
    return code === DASH ? 'document-start' : 'document-end'
  }

  /** The comment behind a directive or the head of a block scalar, and the end of the line. */
  private skipRestOfLine (): void {
    this.skipBlanks()
    if (this.code() === HASH) this.skipLine()
    if (!isBreakOrEnd(this.code())) this.fail('did not find expected comment or line break')
    if (isBreak(this.code())) {
      this.need(2)
      this.skipBreak()
    }
  }

  private scanWord (): string {
    this.need(1)
    const from = this.at
    while (isWord(this.code())) {
      this.skip()
      this.need(1)
    }
    return this.slice(from)
  }

  private scanDirective (): YamlToken {
    const { line } = this
    this.skip()
    const name = this.scanWord()
    if (name === '') this.fail('could not find expected directive name')
    if (!isBlankOrEnd(this.code())) this.fail('found unexpected non-alphabetical character')
    let token: YamlToken
    if (name === 'YAML') {
      this.skipBlanks()
      const major = this.scanVersionNumber()
      if (this.code() !== DOT) this.fail("did not find expected digit or '.' character")
      this.skip()
      token = this.token('version', line, `${major}.${this.scanVersionNumber()}`)
    } else if (name === 'TAG') {
      this.skipBlanks()
      const handle = this.scanTagHandle(true)
      this.need(1)
      if (!isBlank(this.code())) this.fail('did not find expected whitespace')
      this.skipBlanks()
      const prefix = this.scanTagUri('')
      this.need(1)
      if (!isBlankOrEnd(this.code())) this.fail('did not find expected whitespace or line break')
      token = this.token('tag-directive', line, handle, prefix)
    } else this.fail('found unknown directive name')
    this.skipRestOfLine()
    return token
  }

  private scanVersionNumber (): number {
    this.need(1)
    const from = this.at
    while (isDigit(this.code())) {
      if (this.at - from === 2) this.fail('found extremely long version number')
      this.skip()
      this.need(1)
    }
    if (this.at === from) this.fail('did not find expected version number')
    return Number(this.slice(from))
  }

  private scanAnchor (type: 'alias' | 'anchor'): YamlToken {
    const { line } = this
    this.skip()
    const name = this.scanWord()
    const code = this.code()
    if (name === '' || !(isBlankOrEnd(code) || BEHIND_ANCHOR.has(code))) {
      this.fail('did not find expected alphabetic or numeric character')
    }
    return this.token(type, line, name)
  }

  private scanTag (): YamlToken {
    const { line } = this
    let handle = ''
    let suffix: string
    this.need(2)
    if (this.code(1) === 0x3c) {
      this.skip()
      this.skip()
      suffix = this.scanTagUri('')
      if (this.code() !== 0x3e) this.fail("did not find the expected '>'")
      this.skip()
    } else {
      handle = this.scanTagHandle(false)
      if (handle.length > 1 && handle.endsWith('!')) suffix = this.scanTagUri('')
      else {
        suffix = this.scanTagUri(handle)
        // `!` alone is a tag without a handle.
        if (suffix === '') [handle, suffix] = ['', handle]
        else handle = '!'
      }
    }
    this.need(1)
    if (!isBlankOrEnd(this.code())) this.fail('did not find expected whitespace or line break')
    return this.token('tag', line, handle, suffix)
  }

  private scanTagHandle (directive: boolean): string {
    this.need(1)
    if (this.code() !== BANG) this.fail("did not find expected '!'")
    const from = this.at
    this.skip()
    this.scanWord()
    if (this.code() === BANG) this.skip()
    else if (directive && this.at - from > 1) this.fail("did not find expected '!'")
    return this.slice(from)
  }

  /** @param head what of it was read as a handle that it is not; its `!` is none of it */
  private scanTagUri (head: string): string {
    const octets: number[] = []
    this.need(1)
    const from = this.at
    for (let code = this.code(); isWord(code) || IN_URI.has(code); code = this.code()) {
      if (code === PERCENT) this.scanUriEscapes(octets)
      else {
        octets.push(code)
        this.skip()
      }
      this.need(1)
    }
    if (head === '' && this.at === from) this.fail('did not find expected tag URI')
    return head.slice(1) + Buffer.from(octets).toString('utf8')
  }

  /** The octets of one character. */
  private scanUriEscapes (octets: number[]): void {
    let left = 0
    do {
      this.need(3)
      if (this.code() !== PERCENT || !isHex(this.code(1)) || !isHex(this.code(2))) {
        this.fail('did not find URI escaped octet')
      }
      const octet = parseInt(this.text.slice(this.at + 1, this.at + 3), 16)
      if (left === 0) {
        left = octetsOf(octet)
        if (left === 0) this.fail('found an incorrect leading UTF-8 octet')
      } else if ((octet & 0xc0) !== 0x80) this.fail('found an incorrect trailing UTF-8 octet')
      octets.push(octet)
      for (let i = 0; i < 3; i++) this.skip()
    } while (--left > 0)
  }

  private scanBlockScalar (literal: boolean): YamlToken {
    const { line } = this
    this.skip()
    this.need(1)
    let chomp = this.scanChomp()
    const increment = this.scanIncrement()
    if (chomp === 0 && increment > 0) chomp = this.scanChomp()
    this.skipRestOfLine()
    const block = { column: increment === 0 ? 0 : Math.max(this.indent, 0) + increment }
    const breaks = new BreakRun()
    this.scanBlockBreaks(block, breaks)
    this.need(1)
    const pieces: string[] = []
    let lead = ''
    let afterBlank = false
    while (this.column === block.column && this.code() !== 0) {
      const onBlank = isBlank(this.code())
      if (!literal && !afterBlank && !onBlank && lead === '\n') {
        if (breaks.isEmpty()) pieces.push(' ')
      } else pieces.push(lead)
      pieces.push(breaks.take())
      afterBlank = onBlank
      const from = this.at
      this.skipLine()
      pieces.push(this.slice(from))
      this.need(2)
      lead = isBreak(this.code()) ? this.readBreak() : ''
      this.scanBlockBreaks(block, breaks)
    }
    if (chomp !== -1) pieces.push(lead)
    if (chomp === 1) pieces.push(breaks.take())
    return this.token('scalar', line, pieces.join(''))
  }

  private scanChomp (): -1 | 0 | 1 {
    const code = this.code()
    if (code !== PLUS && code !== DASH) return 0
    this.skip()
    this.need(1)
    return code === PLUS ? 1 : -1
  }

  private scanIncrement (): number {
    const code = this.code()
    if (!isDigit(code)) return 0
    if (code === 0x30) this.fail('found an indentation indicator equal to 0')
    this.skip()
    this.need(1)
    return code - 0x30
  }

  /** Spaces and breaks before a line of a block scalar, whose column may first be found here. */
  private scanBlockBreaks (block: BlockIndent, breaks: BreakRun): void {
    let deepest = 0
    for (;;) {
      this.need(1)
      while ((block.column === 0 || this.column < block.column) && this.code() === SPACE) {
        this.skip()
        this.need(1)
      }
      deepest = Math.max(deepest, this.column)
      if ((block.column === 0 || this.column < block.column) && this.code() === TAB) {
        this.fail('found a tab character where an indentation space is expected')
      }
      if (!isBreak(this.code())) break
      this.need(2)
      breaks.add(this.readBreak())
    }
    if (block.column === 0) block.column = Math.max(deepest, this.indent + 1, 1)
  }

  private scanQuoted (single: boolean): YamlToken {
    const { line } = this
    const end = single ? QUOTE : DOUBLE_QUOTE
    this.skip()
    const pieces: string[] = []
    for (;;) {
      this.need(4)
      if (this.documentIndicator() !== undefined) this.fail('found unexpected document indicator')
      if (this.code() === 0) this.fail('found unexpected end of stream')
      let folds = false
      let from = this.at
      for (let code = this.code(); !isBlankOrEnd(code); code = this.code()) {
        if (single && code === QUOTE && this.code(1) === QUOTE) {
          pieces.push(this.slice(from), "'")
          this.skip()
          this.skip()
          from = this.at
        } else if (code === end) break
        else if (!single && code === BACKSLASH) {
          pieces.push(this.slice(from))
          folds = isBreak(this.code(1))
          if (folds) {
            this.need(3)
            this.skip()
            this.skipBreak()
          } else pieces.push(this.scanEscape())
          from = this.at
          if (folds) break
        } else this.skip()
        this.need(2)
      }
      pieces.push(this.slice(from))
      this.need(1)
      if (this.code() === end) break
      pieces.push(this.scanSpace(folds))
    }
    this.skip()
    return this.token('scalar', line, pieces.join(''))
  }

  private scanEscape (): string {
    const name = this.text.charAt(this.at + 1)
    const digits = HEX_ESCAPES[name]
    const plain = ESCAPED[name]
    if (digits === undefined && plain === undefined) this.fail('found unknown escape character')
    this.skip()
    this.skip()
    if (digits === undefined) return plain as string
    this.need(digits)
    for (let i = 0; i < digits; i++) {
      if (!isHex(this.code(i))) this.fail('did not find expected hexdecimal number')
    }
    const code = parseInt(this.text.slice(this.at, this.at + digits), 16)
    if ((code >= 0xd800 && code <= 0xdfff) || code > 0x10ffff) this.fail('found invalid Unicode character escape code')
    for (let i = 0; i < digits; i++) this.skip()
    return String.fromCodePoint(code)
  }

  /** Blanks and breaks inside of quotes, as what they stand for. @param folds behind a `\` at the end of a line */
  private scanSpace (folds: boolean): string {
    const breaks = new BreakRun()
    const from = this.at
    let lead = ''
    for (let code = this.code(); isBlank(code) || isBreak(code); code = this.code()) {
      if (isBlank(code)) this.skip()
      else {
        this.need(2)
        if (folds) breaks.add(this.readBreak())
        else lead = this.readBreak()
        folds = true
      }
      this.need(1)
    }
    return folds ? breaks.fold(lead) : this.slice(from)
  }

  private scanPlain (): YamlToken {
    const { line } = this
    const indent = this.indent + 1
    const breaks = new BreakRun()
    let text = ''
    let blanks = ''
    let lead = ''
    let folds = false
    for (;;) {
      this.need(4)
      if (this.documentIndicator() !== undefined || this.code() === HASH) break
      const from = this.at
      this.skipPlain()
      if (this.at > from) {
        text += (folds ? breaks.fold(lead) : blanks) + this.slice(from)
        folds = false
        blanks = ''
      }
      const blanksFrom = this.at
      let code = this.code()
      if (!isBlank(code) && !isBreak(code)) break
      for (; isBlank(code) || isBreak(code); code = this.code()) {
        if (isBlank(code)) {
          if (folds && code === TAB && this.column < indent) {
            this.fail('found a tab character that violates indentation')
          }
          this.skip()
        } else {
          this.need(2)
          if (folds) breaks.add(this.readBreak())
          else lead = this.readBreak()
          folds = true
        }
        this.need(1)
      }
      if (!folds) blanks = this.slice(blanksFrom)
      if (this.flowLevel === 0 && this.column < indent) break
    }
    if (folds) this.keyAllowed = true
    return this.token('scalar', line, text, '', true)
  }
}
