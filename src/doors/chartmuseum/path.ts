// Which segments does a path have? Decoded once, in the one spelling that each name has,
// so that no reader behind us can find a separator or a dot segment in it.
import { decodeSegment } from '../../words/segment.ts'

export const EMPTY_OR_DOT_SEGMENT = /\/\.{0,2}(?:\/|$)/
const NO_PATH_CHARACTER = /[^A-Za-z0-9._+~^/-]/

/** The segments of a path: as they came, and decoded once. */
export interface Path {
  readonly raw: readonly string[]
  readonly text: readonly string[]
  /** Those with an encoding that only the name of a stored file may have. */
  readonly encoded: readonly number[]
}

/**
 * The path, decoded once: `%2B` is `+`, `%5E` is `^`, and another encoding is taken only in
 * its one spelling, for those who read the name of a stored file.
 * @returns undefined for what pathFault says
 */
export function decodePath (path: string): Path | undefined {
  if (EMPTY_OR_DOT_SEGMENT.test(path)) return undefined
  const raw = path.split('/').slice(1)
  if (!path.includes('%')) return NO_PATH_CHARACTER.test(path) ? undefined : { raw, text: raw, encoded: [] }
  const encoded: number[] = []
  const text: string[] = []
  for (const [i, segment] of raw.entries()) {
    const plain = segment.replace(/%2B/gi, '+').replace(/%5E/gi, '^')
    if (!NO_PATH_CHARACTER.test(plain)) text.push(plain)
    else if (!segment.includes('%')) return undefined
    else {
      encoded.push(i)
      text.push(decodeSegment(segment) ?? '')
    }
  }
  return { raw, text, encoded }
}

/** What is wrong with a path; its bytes are not repeated, they may be anything. */
export function pathFault (raw: string): string {
  const found = EMPTY_OR_DOT_SEGMENT.exec(raw)?.[0]
  if (found !== undefined) {
    return found.includes('.')
      ? 'the path has a dot segment'
      : 'the path has an empty segment: it must not end with / or have two in a row'
  }
  return 'the path has a character that is not allowed'
}
