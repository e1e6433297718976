// What does the file say, before anybody asks whether it may? YAML to plain values; a
// fault names its line and never quotes the file, which holds secrets.
import { readFile } from 'node:fs/promises'
import { LineCounter, parseDocument, type Node, type YAMLParseError, type YAMLWarning } from 'yaml'

export type Mapping = Record<string, unknown>

/** The line of what lies at a path, such as ['policy', 2]; of the file's first one when nothing does. */
export type LineOf = (path: readonly (string | number)[]) => number

export type FromFile =
  | { readonly value: Mapping, /** one line each */ readonly mistakes: readonly string[], readonly lineOf: LineOf }
  | { /** there is nothing to go on with */ readonly value: undefined, readonly mistakes: readonly string[] }

const DEEPEST = 20
const MOST_ALIASES = 100

export function isMapping (value: unknown): value is Mapping {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Reads a YAML file whose root is a mapping; an empty one is an empty mapping. */
export async function readYaml (file: string): Promise<FromFile> {
  let text: string
  try {
    text = await readFile(file, 'utf8')
  } catch (error) {
    return unusable([`${file}: the file cannot be read (${(error as NodeJS.ErrnoException).code})`])
  }
  return parseYaml(file, text)
}

/** The same for a text. @param file its name, for mistakes */
export function parseYaml (file: string, text: string): FromFile {
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false })
  // A warning is a tag that nobody resolves: its value is not what was meant.
  const faults = [...document.errors, ...document.warnings]
  const mistakes = faults.map(fault => `${file}:${lines.linePos(fault.pos[0]).line}: ${sentenceOf(fault)}`)
  // After a key that is there twice the rest still means what it says.
  if (faults.some(({ code }) => code !== 'DUPLICATE_KEY')) return unusable(mistakes)
  let value: unknown
  try {
    value = copy(document.toJS({ maxAliasCount: MOST_ALIASES }) ?? {}, 0)
  } catch {
    return unusable([...mistakes, `${file}: aliases that contain themselves, too many aliases, or more than ${DEEPEST} levels`])
  }
  if (!isMapping(value)) return unusable([...mistakes, `${file}: the file is not a mapping of keys to values`])
  const lineOf = (path: readonly (string | number)[]): number => {
    const range = (document.getIn(path, true) as Node | undefined)?.range
    return range === undefined || range === null ? 1 : lines.linePos(range[0]).line
  }
  return { value, mistakes, lineOf }
}

function unusable (mistakes: readonly string[]): FromFile {
  return { value: undefined, mistakes }
}

/** The parser's words without what they quote after a colon. */
function sentenceOf ({ code, message }: YAMLParseError | YAMLWarning): string {
  switch (code) {
    case 'BAD_DQ_ESCAPE': return 'Invalid escape sequence in a double-quoted text'
    case 'MULTIPLE_DOCS': return 'The file is one document; here a second one begins'
    default: return message.replace(/(?<=[\w)]): .*$/s, '')
  }
}

/** A tree of its own for each alias: defaults that are filled in at one place must not appear at the other. */
function copy (value: unknown, depth: number): unknown {
  if (depth > DEEPEST) throw new RangeError('too deep')
  if (Array.isArray(value)) return value.map(each => copy(each, depth + 1))
  return isMapping(value) ? Object.fromEntries(Object.entries(value).map(([name, child]) => [name, copy(child, depth + 1)])) : value
}
