// Which parts does a multipart upload have? Exactly one chart, one provenance, or both, each as
// a file. What a browser or a script sends besides (texts, inputs without a file) is not
// looked at, and of file names only whether there is one (cm-push sends a path of its own
// machine).
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import { RefusalError } from '../http/errors.ts'
import { inQuotes } from '../lib/printable.ts'
import type { Spool, SpoolFile } from './spool.ts'

export interface UploadParts {
  readonly chart?: SpoolFile
  readonly prov?: SpoolFile
}

/** What the inputs of a form are called; ChartMuseum's own names are `chart` and `prov`. */
export type FormFields = Readonly<Record<keyof UploadParts, string>>

/** By the names of ChartMuseum's options (`charts`). */
export function fieldsOf (
  { chartPostFormFieldName: chart, provPostFormFieldName: prov }:
  Readonly<Record<'chartPostFormFieldName' | 'provPostFormFieldName', string>>
): FormFields {
  return { chart, prov }
}

/** Far more than a form has that somebody fills in. */
const MOST_PARTS = 32
/**
 * The parser takes a piece to its end, whatever it finds in it: ten thousand boundaries
 * are in 64 KiB, and it takes 50 ms for them.
 */
const PIECE = 16 * 1024

/**
 * Spools the parts of a multipart/form-data body (RFC 7578). At its first fault the rest
 * is not read.
 * @throws RefusalError when it is not one of the forms above, and what the body or the
 * disk throws; nothing stays spooled then
 */
export async function readParts (
  contentType: string,
  body: AsyncIterable<Uint8Array>,
  spool: Spool,
  fields: FormFields
): Promise<UploadParts> {
  const writing = new Map<keyof UploadParts, Promise<SpoolFile>>()
  const partOf = (field: string): keyof UploadParts | undefined =>
    field === fields.chart ? 'chart' : field === fields.prov ? 'prov' : undefined
  const streams: Readable[] = []
  const parser = openParser(contentType)
  const refuse = (detail: string): void => { parser.destroy(invalidForm(detail)) }
  parser.on('file', (field: string, stream: Readable, fileName: string | undefined) => {
    // busboy may report the same broken part more than once, also after its reader has gone.
    stream.on('error', () => {})
    streams.push(stream)
    const take = (): void => {
      const part = partOf(field)
      if (part === undefined) {
        return refuse(`the upload has a part named ${inQuotes(field, LONGEST_SHOWN)}: ${rightForm(fields)}`)
      }
      if (writing.has(part)) return refuse(`the upload has two parts named ${field}`)
      const written = spool.write(stream)
      writing.set(part, written)
      written.catch((error: Error) => { parser.destroy(error) })
    }
    // A browser sends one for each input, also where nobody has chosen a file.
    if (fileName !== undefined && fileName !== '') return take()
    stream.once('readable', () => {
      if (stream.readableLength > 0) take()
      else stream.resume()
    })
  })
  parser.on('field', (field: string) => {
    if (partOf(field) === undefined) return
    refuse(`the upload has ${field} as a text that is not a file: ${rightForm(fields)}`)
  })
  parser.on('partsLimit', () => { refuse(`the upload has more than ${MOST_PARTS} parts`) })
  let failed: unknown
  try {
    await pipeline(Readable.from(inPieces(body)), parser)
  } catch (error) {
    failed = error
    // A part that the parser never ends would be waited for.
    for (const stream of streams) stream.destroy()
  }
  const settled = await Promise.allSettled(writing.values())
  failed = firstRefusal([
    failed,
    ...settled.map(each => each.status === 'rejected' ? each.reason as unknown : undefined)
  ])
  if (failed === undefined && writing.size === 0) {
    failed = invalidForm(
      `no package or provenance file found in form fields ${fields.chart} and ${fields.prov}: ${rightForm(fields)}`
    )
  }
  if (failed !== undefined) {
    for (const each of settled) if (each.status === 'fulfilled') await each.value.remove()
    throw isOfForm(failed) ? invalidForm('the upload is not complete multipart/form-data', failed) : failed
  }
  const parts: { chart?: SpoolFile, prov?: SpoolFile } = {}
  for (const [part, file] of writing) parts[part] = await file
  return parts
}

const LONGEST_SHOWN = 40

function rightForm ({ chart, prov }: FormFields): string {
  return `send the chart as ${chart} and its provenance as ${prov}, each as a file ` +
    `(\`curl -F ${chart}=@FILE.tgz -F ${prov}=@FILE.tgz.prov\`)`
}

async function * inPieces (body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const chunk of body) {
    for (let at = 0; at < chunk.length; at += PIECE) yield chunk.subarray(at, at + PIECE)
  }
}

function openParser (contentType: string): BusboyInstance {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: MOST_PARTS, headerPairs: 20, fieldSize: 1024 }
    })
  } catch (error) {
    throw invalidForm('the upload is multipart/form-data without a boundary', error)
  }
}

/** The parser's errors have no code; those of a connection or a disk have one. */
function isOfForm (error: unknown): boolean {
  return !(error instanceof RefusalError) && (error as NodeJS.ErrnoException).code === undefined
}

function firstRefusal (errors: readonly unknown[]): unknown {
  return errors.find(error => error instanceof RefusalError) ?? errors.find(error => error !== undefined)
}

function invalidForm (detail: string, cause?: unknown): RefusalError {
  return new RefusalError({ code: 'invalid_upload', detail }, { cause })
}
