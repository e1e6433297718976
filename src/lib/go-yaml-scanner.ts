// Which tokens does Go see in a YAML text? A port of the scanner of go.yaml.in/yaml v2.4.4
// (scannerc.go), with which Helm and ChartMuseum read every YAML: what it takes for a key, a
// line's end or an error no other library takes so. It looks 1,024 characters ahead at most,
// and each character costs the same, whatever is written around it. Levels it does not count:
// Go ends at 10,000 of them, and who makes something of the tokens long before.

export type GoTokenKind =
  | 'stream start' | 'stream end' | 'version directive' | 'tag directive' | 'document start' | 'document end'
  | 'block sequence start' | 'block mapping start' | 'block end'
  | 'flow sequence start' | 'flow sequence end' | 'flow mapping start' | 'flow mapping end'
  | 'block entry' | 'flow entry' | 'key' | 'value' | 'alias' | 'anchor' | 'tag' | 'scalar'

export interface GoToken {
  readonly kind: GoTokenKind
  /** The line that it begins in; the first one is 1. */
  readonly line: number
  /** The text of a scalar, the name of an anchor, the handle of a tag, the version of a directive. */
  readonly value: string
  /** What is behind the handle of a tag. */
  readonly suffix: string
  /** Of a scalar: without quotes, and no block. */
  readonly isPlain: boolean
}

/**
 * What ends a line: in YAML 1.1, as Go has it, LF, CR, NEL, LS and PS; in YAML 1.2 LF and CR;
 * for whoever reads lines and then YAML, LF.
 */
export type LineEnds = 'YAML 1.1' | 'YAML 1.2' | 'LF'

/** No YAML to Go. Its message is Go's, without a word of the text. */
export class GoYamlFault extends Error {
  readonly line: number

  constructor (problem: string, line: number) {
    super(problem)
    this.line = line
  }
}

/** A place that may turn out to be a key when a `:` comes behind it. */
interface SimpleKey {
  isPossible: boolean
  readonly isRequired: boolean
  readonly token: number
  readonly at: number
  readonly line: number
  readonly column: number
}

/** Of a key without `?`, characters. */
const LONGEST_SIMPLE_KEY = 1024
const NEL = 0x85
const LINE_SEPARATOR = 0x2028
const PARAGRAPH_SEPARATOR = 0x2029
const [TAB, LF, CR, SPACE] = [0x09, 0x0a, 0x0d, 0x20]
/** What no plain scalar begins with. */
const INDICATORS = '-?:,[]{}#&*!|>\'"%@`'
const BEHIND_AN_ANCHOR = '?:,]}%@`'
const IN_A_TAG = /[0-9A-Za-z_\-;/?:@&=+$,.!~*'()[\]]/
const ESCAPES: Readonly<Record<string, string>> = {
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
  '\'': '\'',
  '\\': '\\',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029'
}
/** What goes by in one piece where nothing of it can end or change anything; blanks at its end are looked at again. */
const QUOTED_RUN = /[^'"\\\r\n\x85\u2028\u2029]+/y
const PLAIN_RUN = /[^:#,?[\]{}\r\n\x85\u2028\u2029]+/y
/** Of a comment, or of a line of a block. */
const LINE_RUN = /[^\r\n\x85\u2028\u2029]+/y
const BLANKS = /[ \t]+/y
/** Ends of lines, as every reader of lines has them, and as YAML has them. */
const LINE_FEEDS = /\n+/y
const LINE_ENDS = /[\r\n]+/y
const CODE_LENGTHS: Readonly<Record<string, number>> = { x: 2, u: 4, U: 8 }

export class GoYamlScanner {
  private readonly text: string
  private readonly ends: LineEnds
  private at = 0
  private lineStart = 0
  private line = 1
  private flowLevel = 0
  private indent = -1
  private readonly indents: number[] = []
  private keys: SimpleKey[] = []
  /** The places in `keys` by their token's number. */
  private readonly keysByToken = new Map<number, number>()
  private isKeyAllowed = true
  private hasBegun = false
  /** Found, and not yet taken. */
  private tokens: GoToken[] = []
  private taken = 0

  /** @param text as Go's reader lets it through (goYamlText of go-yaml-text.ts) */
  constructor (text: string, ends: LineEnds) {
    this.text = text
    this.ends = ends
  }

  /** The next token, which stays the next one until it is taken. @throws GoYamlFault */
  peek (): GoToken {
    for (;;) {
      const first = this.tokens[0]
      if (first !== undefined) {
        const key = this.keys[this.keysByToken.get(this.taken) ?? -1]
        if (key === undefined || !this.isStillPossible(key)) return first
      }
      this.fetch()
    }
  }

  /** Takes the next token away. */
  take (): void {
    this.tokens.shift()
    this.taken++
  }

  private fetch (): void {
    if (!this.hasBegun) {
      this.hasBegun = true
      this.keys.push(this.keyHere(false, false))
      return this.put('stream start')
    }
    this.skipToToken()
    this.unroll(this.column())
    if (this.isEnd(this.at)) return this.fetchEnd()
    const character = this.text.charAt(this.at)
    if (this.column() === 0) {
      if (character === '%') return this.fetchDirective()
      const kind = this.documentIndicator()
      if (kind !== undefined) return this.fetchDocumentIndicator(kind)
    }
    const isAlone = this.isBlankOrEnd(this.at + 1)
    switch (character) {
      case '[': return this.fetchFlowStart('flow sequence start')
      case '{': return this.fetchFlowStart('flow mapping start')
      case ']': return this.fetchFlowEnd('flow sequence end')
      case '}': return this.fetchFlowEnd('flow mapping end')
      case ',': return this.fetchIndicator('flow entry', true)
      case '*': return this.fetchAnchor('alias')
      case '&': return this.fetchAnchor('anchor')
      case '!': return this.fetchTag()
      case '\'': return this.fetchQuoted(true)
      case '"': return this.fetchQuoted(false)
      case '-':
        if (isAlone) return this.fetchBlockEntry()
        break
      case '?':
        if (isAlone || this.flowLevel > 0) return this.fetchKey()
        break
      case ':':
        if (isAlone || this.flowLevel > 0) return this.fetchValue()
        break
      case '|':
      case '>':
        if (this.flowLevel === 0) return this.fetchBlockScalar(character === '|')
    }
    // Those three come here only with something behind them.
    if (!this.isBlank(this.at) && (!INDICATORS.includes(character) || '-?:'.includes(character))) {
      return this.fetchPlain()
    }
    throw this.fault('found character that cannot start any token')
  }

  // ---- characters

  private code (at: number): number {
    return at < this.text.length ? this.text.charCodeAt(at) : 0
  }

  /** Go's reader lets no NUL through: there is one behind the end alone. */
  private isEnd (at: number): boolean {
    return at >= this.text.length
  }

  private isBlank (at: number): boolean {
    const code = this.code(at)
    return code === SPACE || code === TAB
  }

  private isBreak (at: number): boolean {
    const code = this.code(at)
    if (code === LF) return true
    if (code === CR) return this.ends !== 'LF' || this.code(at + 1) === LF
    return this.ends === 'YAML 1.1' && (code === NEL || code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR)
  }

  private isBreakOrEnd (at: number): boolean {
    return this.isEnd(at) || this.isBreak(at)
  }

  private isBlankOrEnd (at: number): boolean {
    return this.isBlank(at) || this.isBreakOrEnd(at)
  }

  private column (): number {
    return this.at - this.lineStart
  }

  /** Goes to the next line, and gives the break as it counts in a text. */
  private takeBreak (): string {
    const code = this.code(this.at)
    this.at += code === CR && this.code(this.at + 1) === LF ? 2 : 1
    this.lineStart = this.at
    this.line++
    return code === LINE_SEPARATOR || code === PARAGRAPH_SEPARATOR ? String.fromCharCode(code) : '\n'
  }

  /** Takes what goes by in one piece, without the blanks at its end. */
  private takeRun (run: RegExp): string {
    const start = this.at
    run.lastIndex = start
    if (!run.test(this.text)) return ''
    this.at = run.lastIndex
    while (this.at > start && this.isBlank(this.at - 1)) this.at--
    return this.text.slice(start, this.at)
  }

  /** The same for as many as there are, in the usual forms and without anything in them. */
  private takeEmptyLines (): string {
    const run = this.ends === 'LF' ? LINE_FEEDS : LINE_ENDS
    run.lastIndex = this.at
    if (!run.test(this.text)) return ''
    const written = this.text.slice(this.at, run.lastIndex)
    const breaks = written.includes('\r') ? written.replace(/\r\n?/g, '\n') : written
    this.at = run.lastIndex
    this.lineStart = this.at
    this.line += breaks.length
    return breaks
  }

  private skipLine (): void {
    while (!this.isBreakOrEnd(this.at)) {
      LINE_RUN.lastIndex = this.at
      this.at = LINE_RUN.test(this.text) ? LINE_RUN.lastIndex : this.at + 1
    }
  }

  private takeBlankRun (): string {
    const start = BLANKS.lastIndex = this.at
    BLANKS.test(this.text)
    this.at = BLANKS.lastIndex
    return this.text.slice(start, this.at)
  }

  private skipBlanks (): void {
    while (this.isBlank(this.at)) this.at++
  }

  private skipComment (): void {
    if (this.text.charAt(this.at) === '#') this.skipLine()
  }

  /** Letters, digits, `_` and `-`. */
  private takeWord (): string {
    const start = this.at
    while (/^[0-9A-Za-z_-]$/.test(this.text.charAt(this.at))) this.at++
    return this.text.slice(start, this.at)
  }

  private fault (problem: string, line = this.line): GoYamlFault {
    return new GoYamlFault(problem, line)
  }

  // ---- the queue of tokens

  private token (kind: GoTokenKind, line: number, value = '', suffix = '', isPlain = false): GoToken {
    return { kind, line, value, suffix, isPlain }
  }

  private put (kind: GoTokenKind): void {
    this.tokens.push(this.token(kind, this.line))
  }

  /** Puts a token before the one with that number; behind all where that one was taken already. */
  private insert (number: number, kind: GoTokenKind, line: number): void {
    const place = number - this.taken
    this.tokens.splice(place < 0 ? this.tokens.length : place, 0, this.token(kind, line))
  }

  private nextNumber (): number {
    return this.taken + this.tokens.length
  }

  // ---- keys without `?`

  private keyHere (isPossible: boolean, isRequired: boolean): SimpleKey {
    const { at, line } = this
    return { isPossible, isRequired, token: this.nextNumber(), at, line, column: this.column() }
  }

  private lastKey (): SimpleKey {
    return this.keys.at(-1) as SimpleKey
  }

  private isStillPossible (key: SimpleKey): boolean {
    if (!key.isPossible) return false
    if (key.line === this.line && !this.isTooFar(key.at)) return true
    if (key.isRequired) throw this.fault('could not find expected \':\'')
    key.isPossible = false
    return false
  }

  /** Go counts characters, of which some are two here. */
  private isTooFar (start: number): boolean {
    if (this.at - start <= LONGEST_SIMPLE_KEY) return false
    if (this.at - start > 2 * LONGEST_SIMPLE_KEY) return true
    return [...this.text.slice(start, this.at)].length > LONGEST_SIMPLE_KEY
  }

  private saveKey (): void {
    if (!this.isKeyAllowed) return
    const key = this.keyHere(true, this.flowLevel === 0 && this.indent === this.column())
    this.dropKey()
    this.keys[this.keys.length - 1] = key
    this.keysByToken.set(key.token, this.keys.length - 1)
  }

  private dropKey (): void {
    const key = this.lastKey()
    if (!key.isPossible) return
    if (key.isRequired) throw this.fault('could not find expected \':\'')
    key.isPossible = false
    this.keysByToken.delete(key.token)
  }

  // ---- levels

  private roll (column: number, number: number, kind: GoTokenKind, line: number): void {
    if (this.flowLevel > 0 || this.indent >= column) return
    this.indents.push(this.indent)
    this.indent = column
    this.insert(number, kind, line)
  }

  private unroll (column: number): void {
    if (this.flowLevel > 0) return
    while (this.indent > column) {
      this.put('block end')
      this.indent = this.indents.pop() as number
    }
  }

  // ---- the tokens, each as its fetch… in Go

  private skipToToken (): void {
    for (;;) {
      const takesTabs = this.flowLevel > 0 || !this.isKeyAllowed
      while (takesTabs ? this.isBlank(this.at) : this.code(this.at) === SPACE) this.at++
      this.skipComment()
      if (!this.isBreak(this.at)) return
      this.takeBreak()
      this.takeEmptyLines()
      if (this.flowLevel === 0) this.isKeyAllowed = true
    }
  }

  private fetchEnd (): void {
    // A new line, so that nothing of the last one can be a key any more.
    this.lineStart = this.at
    this.line++
    this.unroll(-1)
    this.dropKey()
    this.isKeyAllowed = false
    this.put('stream end')
  }

  private documentIndicator (): 'document start' | 'document end' | undefined {
    if (!this.isBlankOrEnd(this.at + 3)) return undefined
    if (this.text.startsWith('---', this.at)) return 'document start'
    return this.text.startsWith('...', this.at) ? 'document end' : undefined
  }

  private fetchDocumentIndicator (kind: 'document start' | 'document end'): void {
    this.unroll(-1)
    this.dropKey()
    this.isKeyAllowed = false
    this.put(kind)
    this.at += 3
  }

  private fetchFlowStart (kind: GoTokenKind): void {
    this.saveKey()
    // With the number of the bracket itself, which matters: an empty pair of brackets is no key to Go.
    this.keys.push(this.keyHere(false, false))
    this.flowLevel++
    this.isKeyAllowed = true
    this.put(kind)
    this.at++
  }

  private fetchFlowEnd (kind: GoTokenKind): void {
    this.dropKey()
    if (this.flowLevel > 0) {
      this.flowLevel--
      this.keysByToken.delete(this.lastKey().token)
      this.keys.pop()
    }
    this.isKeyAllowed = false
    this.put(kind)
    this.at++
  }

  private fetchIndicator (kind: GoTokenKind, isKeyAllowed: boolean): void {
    this.dropKey()
    this.isKeyAllowed = isKeyAllowed
    this.put(kind)
    this.at++
  }

  private fetchBlockEntry (): void {
    if (this.flowLevel === 0) {
      if (!this.isKeyAllowed) throw this.fault('block sequence entries are not allowed in this context')
      this.roll(this.column(), this.nextNumber(), 'block sequence start', this.line)
    }
    this.fetchIndicator('block entry', true)
  }

  private fetchKey (): void {
    if (this.flowLevel === 0) {
      if (!this.isKeyAllowed) throw this.fault('mapping keys are not allowed in this context')
      this.roll(this.column(), this.nextNumber(), 'block mapping start', this.line)
    }
    this.fetchIndicator('key', this.flowLevel === 0)
  }

  private fetchValue (): void {
    const key = this.lastKey()
    if (this.isStillPossible(key)) {
      this.insert(key.token, 'key', key.line)
      this.roll(key.column, key.token, 'block mapping start', key.line)
      key.isPossible = false
      this.keysByToken.delete(key.token)
      this.isKeyAllowed = false
    } else {
      if (this.flowLevel === 0) {
        if (!this.isKeyAllowed) throw this.fault('mapping values are not allowed in this context')
        this.roll(this.column(), this.nextNumber(), 'block mapping start', this.line)
      }
      this.isKeyAllowed = this.flowLevel === 0
    }
    this.put('value')
    this.at++
  }

  private fetchDirective (): void {
    this.unroll(-1)
    this.dropKey()
    this.isKeyAllowed = false
    const { line } = this
    this.at++
    const name = this.takeWord()
    if (name === '') throw this.fault('could not find expected directive name')
    if (!this.isBlankOrEnd(this.at)) throw this.fault('found unexpected non-alphabetical character')
    if (name === 'YAML') this.tokens.push(this.token('version directive', line, this.takeYamlVersion()))
    else if (name === 'TAG') this.tokens.push(this.takeTagDirective())
    else throw this.fault('found unknown directive name')
    this.skipRestOfLine()
  }

  private skipRestOfLine (): void {
    this.skipBlanks()
    this.skipComment()
    if (!this.isBreakOrEnd(this.at)) throw this.fault('did not find expected comment or line break')
    if (!this.isEnd(this.at)) this.takeBreak()
  }

  /** Two numbers of two digits at most, as `1.1`. */
  private takeYamlVersion (): string {
    this.skipBlanks()
    const major = this.takeNumber()
    if (this.text.charAt(this.at) !== '.') throw this.fault('did not find expected digit or \'.\' character')
    this.at++
    return `${major}.${this.takeNumber()}`
  }

  private takeNumber (): number {
    const start = this.at
    while (/^\d$/.test(this.text.charAt(this.at))) {
      if (++this.at - start > 2) throw this.fault('found extremely long version number')
    }
    if (this.at === start) throw this.fault('did not find expected version number')
    return Number(this.text.slice(start, this.at))
  }

  private takeTagDirective (): GoToken {
    const { line } = this
    this.skipBlanks()
    const handle = this.takeTagHandle()
    if (!handle.endsWith('!')) throw this.fault('did not find expected \'!\'')
    if (!this.isBlank(this.at)) throw this.fault('did not find expected whitespace')
    this.skipBlanks()
    const prefix = this.takeTagUri('')
    if (!this.isBlankOrEnd(this.at)) throw this.fault('did not find expected whitespace or line break')
    return this.token('tag directive', line, handle, prefix)
  }

  private fetchAnchor (kind: 'alias' | 'anchor'): void {
    this.saveKey()
    this.isKeyAllowed = false
    const { line } = this
    this.at++
    const name = this.takeWord()
    const isEnded = this.isBlankOrEnd(this.at) || BEHIND_AN_ANCHOR.includes(this.text.charAt(this.at))
    if (name === '' || !isEnded) throw this.fault('did not find expected alphabetic or numeric character')
    this.tokens.push(this.token(kind, line, name))
  }

  private fetchTag (): void {
    this.saveKey()
    this.isKeyAllowed = false
    const { line } = this
    const [handle, suffix] = this.takeTag()
    if (!this.isBlankOrEnd(this.at)) throw this.fault('did not find expected whitespace or line break')
    this.tokens.push(this.token('tag', line, handle, suffix))
  }

  /** The handle and the rest: `!!str` is `!!` and `str`, `!a` is `!` and `a`, and `!` is nothing and `!`. */
  private takeTag (): [handle: string, suffix: string] {
    if (this.text.charAt(this.at + 1) === '<') {
      this.at += 2
      const uri = this.takeTagUri('')
      if (this.text.charAt(this.at) !== '>') throw this.fault('did not find the expected \'>\'')
      this.at++
      return ['', uri]
    }
    const handle = this.takeTagHandle()
    if (handle.length > 1 && handle.endsWith('!')) return [handle, this.takeTagUri('')]
    const suffix = this.takeTagUri(handle)
    return suffix === '' ? ['', '!'] : ['!', suffix]
  }

  private takeTagHandle (): string {
    if (this.text.charAt(this.at) !== '!') throw this.fault('did not find expected \'!\'')
    this.at++
    const handle = `!${this.takeWord()}`
    if (this.text.charAt(this.at) !== '!') return handle
    this.at++
    return `${handle}!`
  }

  /** @param head what was taken of it before, with a `!` that is none of it */
  private takeTagUri (head: string): string {
    let uri = head.slice(1)
    let isThere = head !== ''
    for (;;) {
      const character = this.text.charAt(this.at)
      if (character === '%') uri += this.takeUriEscapes()
      else if (IN_A_TAG.test(character)) {
        uri += character
        this.at++
      } else break
      isThere = true
    }
    if (!isThere) throw this.fault('did not find expected tag URI')
    return uri
  }

  /** One character of UTF-8, each octet as `%xx`. */
  private takeUriEscapes (): string {
    const octets: number[] = []
    let length = 1
    while (octets.length < length) {
      const octet = this.text.charAt(this.at) === '%' ? this.hexAt(this.at + 1, 2) : undefined
      if (octet === undefined) throw this.fault('did not find URI escaped octet')
      if (octets.length === 0) length = utf8LengthOf(octet)
      if (length === 0) throw this.fault('found an incorrect leading UTF-8 octet')
      if (octets.length > 0 && (octet & 0xc0) !== 0x80) throw this.fault('found an incorrect trailing UTF-8 octet')
      octets.push(octet)
      this.at += 3
    }
    return length === 1 ? String.fromCharCode(octets[0] as number) : Buffer.from(octets).toString('utf8')
  }

  // ---- scalars

  private fetchBlockScalar (isLiteral: boolean): void {
    this.dropKey()
    this.isKeyAllowed = true
    const { line } = this
    this.at++
    const [chomping, increment] = this.takeBlockHeader()
    this.skipRestOfLine()
    let indent = increment === 0 ? 0 : Math.max(this.indent, 0) + increment
    let breaks: string
    [indent, breaks] = this.takeBlockBreaks(indent)
    let value = ''
    let leadingBreak = ''
    let wasBlank = false
    while (this.column() === indent && !this.isEnd(this.at)) {
      const isBlank = this.isBlank(this.at)
      const folds = !isLiteral && !wasBlank && !isBlank && leadingBreak === '\n'
      value += folds ? (breaks === '' ? ' ' : breaks) : leadingBreak + breaks
      wasBlank = isBlank
      const start = this.at
      this.skipLine()
      value += this.text.slice(start, this.at)
      leadingBreak = this.isEnd(this.at) ? '' : this.takeBreak();
      [indent, breaks] = this.takeBlockBreaks(indent)
    }
    if (chomping !== '-') value += leadingBreak
    if (chomping === '+') value += breaks
    this.tokens.push(this.token('scalar', line, value))
  }

  /** `+` or `-`, and a digit, in this order or the other, or without one of them. */
  private takeBlockHeader (): [chomping: string, increment: number] {
    const [header, before, digit, behind] = /^([-+]?)(\d?)([-+]?)/
      .exec(this.text.slice(this.at, this.at + 3)) as unknown as [string, string, string, string]
    if (digit === '0') throw this.fault('found an indentation indicator equal to 0')
    // Of two the second is none of it.
    const chomping = before === '' ? behind : before
    this.at += before === '' ? header.length : before.length + digit.length
    return [chomping, Number(digit)]
  }

  /** Takes empty lines, and the spaces before the next one; finds the indent when it is 0. */
  private takeBlockBreaks (indent: number): [indent: number, breaks: string] {
    const end = indent === 0 ? Infinity : indent
    let breaks = ''
    let widest = 0
    for (;;) {
      while (this.column() < end && this.code(this.at) === SPACE) this.at++
      widest = Math.max(widest, this.column())
      if (this.column() < end && this.code(this.at) === TAB) {
        throw this.fault('found a tab character where an indentation space is expected')
      }
      if (!this.isBreak(this.at)) break
      breaks += this.takeBreak()
      breaks += this.takeEmptyLines()
    }
    return [indent === 0 ? Math.max(widest, this.indent + 1, 1) : indent, breaks]
  }

  private fetchQuoted (isSingle: boolean): void {
    this.saveKey()
    this.isKeyAllowed = false
    const { line } = this
    this.at++
    let value = ''
    for (;;) {
      if (this.column() === 0 && this.documentIndicator() !== undefined) {
        throw this.fault('found unexpected document indicator')
      }
      if (this.isEnd(this.at)) throw this.fault('found unexpected end of stream')
      const [text, isJoined] = this.takeQuotedWord(isSingle)
      value += text
      if (this.text.charAt(this.at) === (isSingle ? '\'' : '"')) break
      value += this.takeSpace(isJoined)
    }
    this.at++
    this.tokens.push(this.token('scalar', line, value))
  }

  /** Up to a blank or the quote; `isJoined` where an escaped line break ends it. */
  private takeQuotedWord (isSingle: boolean): [text: string, isJoined: boolean] {
    let text = ''
    while (!this.isBlankOrEnd(this.at)) {
      text += this.takeRun(QUOTED_RUN)
      const character = this.text.charAt(this.at)
      if (this.isBlankOrEnd(this.at)) break
      if (isSingle && character === '\'') {
        if (this.text.charAt(this.at + 1) !== '\'') break
        text += character
        this.at += 2
      } else if (!isSingle && character === '"') break
      else if (!isSingle && character === '\\') {
        if (this.isBreak(this.at + 1)) {
          this.at++
          this.takeBreak()
          return [text, true]
        }
        text += this.takeEscape()
      } else {
        text += character
        this.at++
      }
    }
    return [text, false]
  }

  private takeEscape (): string {
    const character = this.text.charAt(this.at + 1)
    const escaped = ESCAPES[character]
    const length = CODE_LENGTHS[character]
    if (escaped === undefined && length === undefined) throw this.fault('found unknown escape character')
    this.at += 2
    if (length === undefined) return escaped as string
    const value = this.hexAt(this.at, length)
    if (value === undefined) throw this.fault('did not find expected hexdecimal number')
    if ((value >= 0xd800 && value <= 0xdfff) || value > 0x10ffff) {
      throw this.fault('found invalid Unicode character escape code')
    }
    this.at += length
    return String.fromCodePoint(value)
  }

  /** A number of so many hexadecimal digits. */
  private hexAt (at: number, length: number): number | undefined {
    let value = 0
    for (let i = at; i < at + length; i++) {
      const digit = '0123456789abcdef'.indexOf(this.text.charAt(i).toLowerCase() || ' ')
      if (digit < 0) return undefined
      value = value * 16 + digit
    }
    return value
  }

  /** Blanks and breaks inside of quotes, as they count. @param isJoined whether an escaped break came before them */
  private takeSpace (isJoined: boolean): string {
    const space = this.takeBlanksAndBreaks(isJoined)
    return space.first === undefined ? space.blanks : folded(space.first, space.breaks)
  }

  /** @param isInside whether blanks at its start are those before a line, and count for nothing */
  private takeBlanksAndBreaks (isInside: boolean, indent = 0): Space {
    let first = isInside ? '' : undefined
    let blanks = ''
    let breaks = ''
    for (;;) {
      if (this.isBlank(this.at)) {
        if (first !== undefined && this.column() < indent && this.code(this.at) === TAB) {
          throw this.fault('found a tab character that violates indentation')
        }
        if (first === undefined) blanks += this.takeBlankRun()
        else this.at++
      } else if (!this.isEnd(this.at) && this.isBreak(this.at)) {
        if (first === undefined) first = this.takeBreak()
        else breaks += this.takeBreak()
        breaks += this.takeEmptyLines()
      } else return { first, blanks, breaks }
    }
  }

  private fetchPlain (): void {
    this.saveKey()
    this.isKeyAllowed = false
    const { line } = this
    const indent = this.indent + 1
    let value = ''
    let space: Space = { first: undefined, blanks: '', breaks: '' }
    for (;;) {
      if (this.column() === 0 && this.documentIndicator() !== undefined) break
      if (this.text.charAt(this.at) === '#') break
      const start = this.at
      while (!this.isBlankOrEnd(this.at) && !this.endsPlain()) if (this.takeRun(PLAIN_RUN) === '') this.at++
      if (this.at > start) {
        value += space.first === undefined ? space.blanks : folded(space.first, space.breaks)
        value += this.text.slice(start, this.at)
        space = { first: undefined, blanks: '', breaks: '' }
      }
      if (this.isEnd(this.at) || !this.isBlankOrEnd(this.at)) break
      space = this.takeBlanksAndBreaks(false, indent)
      if (this.flowLevel === 0 && this.column() < indent) break
    }
    this.tokens.push(this.token('scalar', line, value, '', true))
    if (space.first !== undefined) this.isKeyAllowed = true
  }

  private endsPlain (): boolean {
    const character = this.text.charAt(this.at)
    if (character === ':') return this.isBlankOrEnd(this.at + 1)
    return this.flowLevel > 0 && ',?[]{}'.includes(character)
  }
}

/** What is between two words: blanks, or a first break and more of them. */
interface Space {
  readonly first: string | undefined
  readonly blanks: string
  readonly breaks: string
}

/** One break is a space, unless it is a separator; of more the first is nothing. */
function folded (first: string, breaks: string): string {
  if (first !== '\n') return first + breaks
  return breaks === '' ? ' ' : breaks
}

/** Of the character that begins with it; 0 for an octet that begins none. */
function utf8LengthOf (octet: number): number {
  if ((octet & 0x80) === 0) return 1
  if ((octet & 0xe0) === 0xc0) return 2
  if ((octet & 0xf0) === 0xe0) return 3
  return (octet & 0xf8) === 0xf0 ? 4 : 0
}
