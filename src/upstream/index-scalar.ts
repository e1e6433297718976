// What text does a scalar of ChartMuseum's YAML stand for? Plain or in quotes, on one line
// or folded over several, as Go's emitter writes it (go.yaml.in/yaml v2.4.3, emitterc.go).

/**
 * Line ends of YAML 1.1 besides LF and CRLF, which Go's reader knows and others do not:
 * what is one line to these may have a key in its middle for Helm.
 */
export const ODD_LINE_END = /\r(?!\n)|[\x85\u2028\u2029]/

/** Plain text begins with no indicator, and has nothing in it that ends it (YAML 1.1 section 9.1.3). */
const PLAIN_SCALAR = /^(?:[^ \t\-?:,[\]{}#&*!|>'"%@`]|[-?:](?=[^ \t]))[^\t]*$/
const ENDS_PLAIN = /:(?: |$)| #/
const SINGLE = /^'([^']*(?:''[^']*)*)'$/
const DOUBLE = /^"([^"\\]*(?:\\.[^"\\]*)*)"$/

/**
 * @param first what stands on the first line
 * @param more the lines below, which are indented further; what is folded there is one space
 * @returns undefined for what is written in another way
 */
export function readScalar (first: string, more: readonly string[] = []): string | undefined {
  const text = more.length === 0 ? first : [first, ...more.map(line => line.replace(/^ +/, ''))].join(' ')
  if (ODD_LINE_END.test(text)) return undefined
  if (PLAIN_SCALAR.test(text)) return ENDS_PLAIN.test(text) ? undefined : text
  const single = SINGLE.exec(text)?.[1]
  return single === undefined ? unescape(DOUBLE.exec(text)?.[1]) : single.replaceAll("''", "'")
}

const ESCAPES: Readonly<Record<string, string>> = {
  0: '\0',
  a: '\x07',
  b: '\b',
  t: '\t',
  n: '\n',
  v: '\v',
  f: '\f',
  r: '\r',
  e: '\x1b',
  '"': '"',
  '\\': '\\',
  ' ': ' ',
  N: '\x85',
  _: '\xa0',
  L: '\u2028',
  P: '\u2029'
}

function unescape (text: string | undefined): string | undefined {
  if (text?.includes('\\') !== true) return text
  let isKnown = true
  const escape = /\\(?:x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))/gs
  const plain = text.replace(escape, (_all, x?: string, u?: string, U?: string, short?: string) => {
    const code = x ?? u ?? U
    const character = code === undefined ? ESCAPES[short as string] : characterOf(Number.parseInt(code, 16))
    isKnown &&= character !== undefined
    return character ?? ''
  })
  return isKnown ? plain : undefined
}

function characterOf (code: number): string | undefined {
  return code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}
