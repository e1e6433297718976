// Which files are in a multipart upload? The first part named `chart` and the first
// named `prov` that are files; everything else is passed over, and a body that cannot
// be read has none: so Go's FormFile has it (helm/chartmuseum v0.16.5, handlers.go,
// extractContentFromRequest). The gateway in front is stricter.
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { Busboy, type BusboyInstance } from '@fastify/busboy'
import type { Draft, Store } from './store.ts'

export interface FormPart {
  readonly field: 'chart' | 'prov'
  readonly draft: Draft
}

/** The parts as drafts, the chart first. Throws what reading the bytes or writing throws, and leaves nothing then. */
export async function readFormParts (
  contentType: string,
  bytes: AsyncIterable<Uint8Array>,
  store: Store
): Promise<FormPart[]> {
  const drafts = new Map<string, Promise<Draft>>()
  const files: Readable[] = []
  const parser = openFormParser(contentType)
  if (parser === undefined) {
    for await (const chunk of bytes) void chunk // so that the connection can go on
    return []
  }
  let failure: { readonly error: unknown } | undefined
  const source = watched(bytes, error => {
    // What is destroyed takes the bytes with it.
    if (!parser.destroyed) failure ??= { error }
  })
  let complete = true
  parser.on('file', (field, stream) => {
    stream.on('error', () => {}) // busboy reports a broken part again when its reader has gone
    if ((field !== 'chart' && field !== 'prov') || drafts.has(field)) {
      stream.resume()
      return
    }
    files.push(stream)
    const draft = store.draft(stream)
    draft.catch((error: NodeJS.ErrnoException) => {
      // What the disk says matters; what busboy says is only that the form is broken.
      if (error.syscall === undefined) complete = false
      else failure ??= { error }
      parser.destroy() // it would wait for its reader for ever
    })
    drafts.set(field, draft)
  })
  // Go's reads on to the thousandth; each costs more than it has bytes.
  parser.on('partsLimit', () => { parser.destroy() })
  try {
    await pipeline(Readable.from(source), parser)
  } catch {
    complete = false // the bytes are not multipart, or do not end as such
    for (const file of files) file.destroy() // who writes it would wait for its end for ever
  }
  const settled = await Promise.allSettled([...drafts].map(async ([field, draft]) => {
    return { field: field as FormPart['field'], draft: await draft }
  }))
  const parts = settled.flatMap(each => each.status === 'fulfilled' ? [each.value] : [])
  if (complete && failure === undefined) return parts.sort((a, b) => a.field < b.field ? -1 : 1)
  for (const { draft } of parts) await store.discard(draft)
  if (failure !== undefined) throw failure.error
  return []
}

function openFormParser (contentType: string): BusboyInstance | undefined {
  try {
    return new Busboy({
      headers: { 'content-type': contentType },
      limits: { parts: 100, headerPairs: 100, fieldSize: 64 * 1024 },
      isPartAFile: (_field, _type, fileName) => fileName !== undefined && fileName !== ''
    })
  } catch {
    return undefined // no boundary
  }
}

/** Tells what went wrong in the bytes themselves from what the parser makes of them. */
async function * watched (
  bytes: AsyncIterable<Uint8Array>,
  failed: (error: unknown) => void
): AsyncGenerator<Uint8Array> {
  try {
    yield * bytes
  } catch (error) {
    failed(error)
    throw error
  }
}
