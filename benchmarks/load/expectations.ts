// Is it the answer that was asked for? What is expected of one request before a turn and
// one after it, and of what the load generator counted in between.
import { isDeepStrictEqual } from 'node:util'
import type { Answer } from './answer.ts'
import type { Load } from './outputs.ts'

/** What is wrong with an answer; undefined: nothing. */
export type Expectation = (answer: Answer) => string | undefined

const has = (status: number, found: Answer): string | undefined => found.status === status ? undefined : `the status is ${found.status}, not ${status}: ${found.body.subarray(0, 200).toString()}`

/** An index with so many versions. */
export const indexOf = (versions: number): Expectation => answer => {
  const found = answer.body.toString().split('\n').filter(line => /^ {4}urls:$/.test(line)).length
  return has(200, answer) ?? (found === versions ? undefined : `the index has ${found} versions, not ${versions}`)
}

export const exactly = (body: Buffer): Expectation => answer =>
  has(200, answer) ?? (answer.body.equals(body) ? undefined : `the body is another one, of ${answer.body.length} bytes instead of ${body.length}`)

export const notModified: Expectation = answer => has(304, answer) ?? (answer.body.length === 0 ? undefined : 'a 304 has a body')

/** A registry's list of exactly these tags. */
export const tagsOf = (tags: readonly string[]): Expectation => answer => {
  const found = has(200, answer) === undefined ? (JSON.parse(answer.body.toString()) as { readonly tags: readonly string[] }).tags.toSorted() : []
  return has(200, answer) ?? (isDeepStrictEqual(found, tags.toSorted()) ? undefined : `the tags are ${found.join(' ')}`)
}

/** An answer that has a token in it. */
export const tokenAnswer: Expectation = answer => has(200, answer) ?? (answer.body.includes('"access_token":"ey') ? undefined : 'there is no token in the answer')

/** The largest head of an answer. */
const HEAD = 2_000

/** What is wrong with a turn in which every answer should have been like this one; undefined: nothing. */
export function faultOf ({ requests, bytes, faults }: Load, { body }: Answer, connections: number): string | undefined {
  const kinds = Object.entries(faults).map(([kind, count]) => `${count} ${kind}`)
  if (kinds.length > 0) return `${kinds.join(', ')} among ${requests} requests`
  if (requests === 0) return 'there was no answer at all'
  // What is on its way at the end is read in part.
  const [least, most] = [requests * body.length, (requests + connections) * (body.length + HEAD)]
  return bytes < least || bytes > most ? `${requests} answers had ${bytes} bytes, and ${body.length} each was expected` : undefined
}
