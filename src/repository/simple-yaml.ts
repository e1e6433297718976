// Is this the plain YAML that nearly every Chart.yaml is? Blocks of `key: value` and
// `- item` on lines of their own, in words that mean the same to every reader: read
// here in a tenth of the time. Anything else is undefined, and left to the whole
// parser; with thousands of charts that is the difference at a cold start.

/** Text and flags in Maps and lists. */
export type SimpleYaml = string | boolean | null | readonly SimpleYaml[] | ReadonlyMap<string, SimpleYaml>

interface IndentedLine { indent: number, text: string }

class NotSimple extends Error {}
const notSimple = new NotSimple()

// Go looks for the colon in 1,024 characters.
const KEY = /^([A-Za-z][A-Za-z0-9_./-]{0,127}):(?: (.+))?$/
/** Line ends of YAML 1.1, control characters and byte order marks, in a comment too, and what is no UTF-8. */
// eslint-disable-next-line no-control-regex
const UNUSUAL = /[\0-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\ufeff\ufffd-\uffff]/
/** Printable ASCII that begins with a letter or a slash, or as versions and their ranges do, which no number does. */
const PLAIN = /^(?:[A-Za-z/^]|~\d|\d+\.\d+\.\d|\d+\.(?:\d+\.)?[xX])[\x20-\x7e]*$/
/** Words that are no text to one reader or another (YAML 1.1). */
const WORDS = /^(?:y|yes|n|no|true|false|on|off|null)$/i

/** Columns: each level is further right, and a call of the reader. */
const DEEPEST = 200

/** The document, or undefined when it is not simple. */
export function readSimpleYaml (text: string): SimpleYaml | undefined {
  if (UNUSUAL.test(text)) return undefined
  const lines: IndentedLine[] = []
  for (const raw of text.split('\n')) {
    const line = raw.trimStart()
    if (line === '' || line.startsWith('#')) continue
    const indent = raw.length - line.length
    if (indent > DEEPEST) return undefined
    lines.push({ indent, text: line })
  }
  if (lines.length === 0) return undefined
  try {
    const reader = new SimpleYamlReader(lines)
    const value = reader.block((lines[0] as IndentedLine).indent)
    return reader.isDone() ? value : undefined
  } catch (error) {
    /* c8 ignore next -- nothing else is thrown */
    if (error !== notSimple) throw error
    return undefined
  }
}

class SimpleYamlReader {
  private readonly lines: readonly IndentedLine[]
  private at = 0

  constructor (lines: readonly IndentedLine[]) {
    this.lines = lines
  }

  isDone (): boolean {
    return this.at === this.lines.length
  }

  block (indent: number): SimpleYaml {
    return this.lines[this.at]?.text.startsWith('- ') === true ? this.list(indent) : this.mapping(indent)
  }

  private list (indent: number): SimpleYaml {
    const items: SimpleYaml[] = []
    for (
      let line = this.lines[this.at];
      line?.indent === indent && line.text.startsWith('- ');
      line = this.lines[this.at]
    ) {
      const rest = line.text.slice(2)
      if (KEY.test(rest)) {
        // The item is a mapping, whose first key stands behind the dash.
        line.indent += 2
        line.text = rest
        items.push(this.mapping(indent + 2))
      } else {
        items.push(readScalar(rest))
        this.at++
      }
    }
    return items
  }

  private mapping (indent: number): SimpleYaml {
    const map = new Map<string, SimpleYaml>()
    for (let line = this.lines[this.at]; line !== undefined && line.indent >= indent; line = this.lines[this.at]) {
      const [, key, value] = KEY.exec(line.text) ?? []
      if (key === undefined || line.indent > indent || WORDS.test(key)) {
        // The next item of a list around it.
        if (line.indent === indent && line.text.startsWith('- ') && map.size > 0) break
        throw notSimple
      }
      this.at++
      map.set(key, value === undefined ? this.below(indent) : readScalar(value))
    }
    return map
  }

  /** The value of a key that has none on its own line. */
  private below (indent: number): SimpleYaml {
    const next = this.lines[this.at]
    if (next === undefined || next.indent < indent) return null
    if (next.indent === indent) return next.text.startsWith('- ') ? this.list(indent) : null
    return this.block(next.indent)
  }
}

function readScalar (text: string): SimpleYaml {
  const quoted = /^"([\x20-\x21\x23-\x5b\x5d-\x7e]*)"$|^'([\x20-\x26\x28-\x7e]*)'$/.exec(text)
  if (quoted !== null) return (quoted[1] ?? quoted[2]) as string
  if (text === 'true' || text === 'false') return text === 'true'
  if (
    !PLAIN.test(text) || WORDS.test(text) ||
    text.includes(': ') || text.includes(' #') || text.endsWith(':') || text.endsWith(' ')
  ) {
    throw notSimple
  }
  return text
}
