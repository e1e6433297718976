// How much YAML is too much? A parser takes time for every token, and calls itself for
// every level: near the end of the stack V8 cannot compile an expression, and ends the
// whole process rather than throw. So tokens and levels are counted as they are found,
// before anything is made of them, and what is behind the first fault is not looked at.
import {
  Composer, Lexer, Parser, YAMLParseError,
  type CST, type Document, type DocumentOptions, type ParseOptions, type SchemaOptions
} from 'yaml'

export interface YamlBounds {
  readonly tokens: number
  /** Mappings, lists and keys inside of each other, on one line or below each other. */
  readonly levels: number
}

/**
 * What the library's parseDocument gives (yaml 2.9, public-api), with the parser's first
 * error at most.
 * @returns undefined for a text beyond the bounds
 */
export function parseBounded (
  text: string,
  bounds: YamlBounds,
  options: ParseOptions & DocumentOptions & SchemaOptions
): Document.Parsed | undefined {
  let isWithin = true
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0 // of three quarters of its time a text that is all faults makes stacks
  const tokens = tokensOf(text, bounds, () => { isWithin = false })
  const composed = new Composer(options).compose(tokens, true, text.length)
  const [document, another] = composed as Iterable<Document.Parsed> as [Document.Parsed, Document.Parsed?]
  Error.stackTraceLimit = stackTraceLimit
  if (!isWithin) return undefined
  if (another !== undefined && options.logLevel !== 'silent') {
    const [start, end] = another.range
    document.errors.push(new YAMLParseError([start, end], 'MULTIPLE_DOCS', 'a second document begins'))
  }
  return document
}

/** The tokens up to the first fault, or to a bound. */
function * tokensOf (text: string, { tokens, levels }: YamlBounds, tooMuch: () => void): Generator<CST.Token> {
  const parser = new Parser()
  let count = 0
  for (const lexeme of new Lexer().lex(text)) {
    if (++count > tokens) return tooMuch()
    for (const token of parser.next(lexeme)) {
      yield token
      if (token.type === 'error') return
    }
    if (parser.stack.length > levels) return tooMuch()
  }
  yield * parser.end()
}
