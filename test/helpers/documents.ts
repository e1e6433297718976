// Which commands does a document show, and what should they print? Blocks whose fence
// says `sh runnable`, each with the block without a name that follows it at once; and what
// only a test needs, in a comment that no reader sees, `<!-- runnable`.

export interface Shown {
  /** Of its fence. */
  readonly line: number
  readonly commands: string
  /** What is shown as printed; undefined when nothing is. */
  readonly printed: string | undefined
}

/** A fenced block that nothing here runs. */
export interface Block {
  readonly line: number
  readonly text: string
}

const RUNNABLE = /^```sh runnable\n(.*?)^```$(?:\n^```\n(.*?)^```$)?|^<!-- runnable\n(.*?)^-->$/gms
const FENCED = /^```[^\n]*\n(.*?)^```$/gms

/** What a document in Markdown lets a reader do, and a test, in order. */
export function runnableBlocks (markdown: string): Shown[] {
  return [...markdown.matchAll(RUNNABLE)].map(match => ({
    line: lineOf(markdown, match),
    commands: (match[1] ?? match[3]) as string,
    printed: match[2]
  }))
}

/** The fenced blocks that are neither runnable nor what a runnable one prints. */
export function otherBlocks (markdown: string): Block[] {
  // as many lines as there were, so that the others keep theirs
  const rest = markdown.replaceAll(RUNNABLE, text => text.replaceAll(/[^\n]/g, ''))
  return [...rest.matchAll(FENCED)].map(match => ({ line: lineOf(rest, match), text: match[1] as string }))
}

function lineOf (text: string, { index }: RegExpExecArray): number {
  return text.slice(0, index).split('\n').length
}

const CHANGING: readonly (readonly [RegExp, string])[] = [
  [/\S*\/tmp\.\w+/g, 'FOLDER'],
  [/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, 'TIME'],
  [/\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT/g, 'TIME'],
  [/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'ID'],
  [/"(iat|nbf|exp|ms|time|pid)":\d+/g, '"$1":NUMBER'],
  [/\$argon2id\$\S+/g, 'HASH'],
  [/cgr_[0-9a-f]+/g, 'SECRET'],
  [/unknown#[0-9a-f]{12}/g, 'unknown#HASH'],
  [/sha256:[0-9a-f]{8,}/g, 'sha256:DIGEST'],
  [/digest: [0-9a-f]{64}/g, 'digest: DIGEST'],
  [/[0-9A-F]{40}/g, 'FINGERPRINT'],
  [/token-\d{8}T\d{6}Z/g, 'token-TIME'],
  [/(?<![\w-])[\w-]{43}(?![\w-])/g, 'THUMBPRINT']
]

/** The same text for two runs of the same commands. */
export function withoutChance (printed: string): string {
  const text = CHANGING.reduce((text, [pattern, name]) => text.replaceAll(pattern, name), printed)
  const lines = text.split('\n').map(line => line.trimEnd())
  // Helm asks repositories at the same time: their lines come in any order
  return lines.join('\n').replaceAll(/(?:^\.\.\.(?:Successfully|Unable)[^\n]*\n(?:\t[^\n]*\n)?)+/gm, each => each.split(/^(?=\.\.\.)/m).sort().join('')).trimEnd()
}

/** Whether this was printed; `…` stands for anything on its line. */
export function isAsShown (shown: string, printed: string): boolean {
  const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return new RegExp(`^${withoutChance(shown).split('…').map(literal).join('.*')}$`).test(withoutChance(printed))
}
