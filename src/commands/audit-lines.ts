// Which events are in these files? Lines as they come, of plain and gzipped files in whatever
// order they are named, oldest first, and never more than a piece of one in memory. What is
// not of the audit log is passed over, and what should be and cannot be read is counted.
import { createReadStream } from 'node:fs'
import { stat } from 'node:fs/promises'
import { Readable, pipeline } from 'node:stream'
import { createGunzip } from 'node:zlib'
import { AUDIT_CATEGORY, AUDIT_SCHEMA, type AuditEvent } from '../observe/audit/schema.ts'

/** Bytes of a line; what is longer is none of ours. */
export const LONGEST_AUDIT_LINE = 1024 * 1024

/** A line of the audit log, or something that is to be counted. */
export type FoundLine =
  | { readonly kind: 'event', readonly event: AuditEvent, /** as it was, without its end */ readonly text: string }
  | { readonly kind: 'broken' }

/** Something that is read; its name is for messages. */
export interface AuditSource {
  readonly name: string
  /** What was read of it is gone: standard input, a pipe, a shell's `<(…)`. */
  readonly isOnce: boolean
  open (): Readable
}

/** A file, or standard input as `-`. */
export async function sourceOf (name: string, input: () => Readable): Promise<AuditSource> {
  if (name === '-') return { name: 'standard input', isOnce: true, open: input }
  const found = await stat(name).catch(() => undefined) // said when it is read
  return { name, isOnce: found?.isFile() === false, open: () => createReadStream(name) }
}

export interface OrderedSource {
  readonly source: AuditSource
  /** Another one before it that begins with the same event: one is a copy of the other, or of a part of it. */
  readonly copyOf: AuditSource | undefined
}

/** Sources in the order of their first events; one that can be read only once comes last. */
export async function oldestFirst (sources: readonly AuditSource[]): Promise<readonly OrderedSource[]> {
  const begun: { readonly source: AuditSource, readonly time: string, readonly id: string | undefined }[] = []
  // One after the other: there may be more files than descriptors.
  for (const source of sources) begun.push({ source, ...await firstEvent(source) })
  begun.sort((one, other) => Number(one.time > other.time) - Number(one.time < other.time))
  const firsts = new Map<string, AuditSource>()
  return begun.map(({ source, id }) => {
    const copyOf = id === undefined ? undefined : firsts.get(id)
    if (id !== undefined && copyOf === undefined) firsts.set(id, source)
    return { source, copyOf }
  })
}

const LAST_OF_ALL = { time: '~', id: undefined }

async function firstEvent (source: AuditSource): Promise<{ readonly time: string, readonly id: string | undefined }> {
  if (source.isOnce) return LAST_OF_ALL
  try {
    for await (const line of linesOf(source)) {
      if (line.kind === 'event') return { time: line.event.time, id: line.event.event_id }
    }
  } catch {} // said when it is read
  return LAST_OF_ALL
}

/** The lines of a source. @throws what the system or zlib says of it */
export async function * linesOf (source: AuditSource): AsyncGenerator<FoundLine> {
  let begun = ''
  let isTooLong = false
  for await (const piece of textOf(source)) {
    const pieces = piece.split('\n')
    for (const [i, part] of pieces.entries()) {
      begun = isTooLong ? '' : begun + part
      if (begun.length > LONGEST_AUDIT_LINE) {
        isTooLong = true
        begun = ''
      }
      if (i === pieces.length - 1) break // its end is still to come
      const found = isTooLong ? BROKEN : readLine(begun)
      if (found !== undefined) yield found
      begun = ''
      isTooLong = false
    }
  }
  const found = isTooLong ? BROKEN : readLine(begun)
  if (found !== undefined) yield found
}

const BROKEN: FoundLine = { kind: 'broken' }

/** Undefined for a line that is another's. */
function readLine (line: string): FoundLine | undefined {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  if (text === '' || (/^\{.*\}$/.test(text) && !text.includes(`"category":"${AUDIT_CATEGORY}"`))) return undefined
  try {
    const event = JSON.parse(text) as AuditEvent
    return isEvent(event) ? { kind: 'event', event, text } : BROKEN
  } catch {
    return BROKEN
  }
}

/** As far as a row needs it; docs/audit.schema.json is the whole of it. */
function isEvent (event: Partial<AuditEvent>): event is AuditEvent {
  const { category, schema, event_id: id, time, action, actor } = event
  return category === AUDIT_CATEGORY && schema === AUDIT_SCHEMA &&
    [id, time, action, actor?.subject, actor?.name_hash ?? ''].every(each => typeof each === 'string')
}

/** The text of a source, unzipped if its first bytes are gzip's (RFC 1952 section 2.3.1). */
async function * textOf ({ open }: AuditSource): AsyncGenerator<string> {
  const source = open()
  try {
    const pieces = source[Symbol.asyncIterator]() as AsyncIterator<Buffer>
    const first = await pieces.next()
    if (first.done === true) return
    const whole = Readable.from(withFirst(first.value, pieces))
    const isZipped = first.value[0] === 0x1f && first.value[1] === 0x8b
    // An error of the one ends the other, and is thrown by the loop below.
    const bytes = isZipped ? pipeline(whole, createGunzip(), () => {}) : whole
    const decoder = new TextDecoder()
    for await (const piece of bytes as AsyncIterable<Buffer>) yield decoder.decode(piece, { stream: true })
  } finally {
    source.destroy() // also of a reader who has enough
  }
}

async function * withFirst (first: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  yield first
  for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value
}
