// What does the repository answer? An answer as data, before anything is written to a
// connection, and the one place that writes it.
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FileHandle } from 'node:fs/promises'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createHash } from 'node:crypto'
import { extentOf, type Validators } from './conditional.ts'
import { goJson, type GoValue } from './go-json.ts'
import type { Bulk } from '../lib/bulk.ts'
import { isFull, isReadOnlyNow } from './store.ts'

export interface Answer extends Validators {
  readonly status: number
  readonly contentType: string
  readonly body: string | Buffer | OpenFile
  /** For WWW-Authenticate. */
  readonly challenge?: string
  /** The rest of the request is not wanted: the connection ends with this answer. */
  readonly close?: true
  /** Why it is no success; for the log. */
  readonly refusal?: string
  /** What could not be helped, in the system's own words; for the log alone. */
  readonly cause?: unknown
}

/** An open file as a body; whoever writes the answer closes it. */
export interface OpenFile {
  readonly handle: FileHandle
  readonly size: number
}

const JSON_TYPE = 'application/json; charset=utf-8'

export function json (status: number, value: GoValue): Answer {
  return { status, contentType: JSON_TYPE, body: goJson(value) }
}

/** JSON that is already text. */
export function rawJson (body: string): Answer {
  return { status: 200, contentType: JSON_TYPE, body, etag: etagOf(body) }
}

/** The entity tag of these bytes. */
export function etagOf (body: string | Buffer): string {
  return quoted(createHash('sha256').update(body).digest('hex'))
}

/** @param digest SHA-256 in hexadecimal digits */
export function quoted (digest: string): string {
  return `"${digest}"`
}

export function problem (status: number, error: string): Answer {
  return { ...json(status, { error }), refusal: error }
}

/** What cannot be helped, without a word of the system's: those name paths. */
export function failure (error: unknown): Answer {
  const said = isFull(error)
    ? problem(507, 'no space left for charts')
    : isReadOnlyNow(error)
      ? problem(507, 'the disk for charts is read-only')
      : problem(500, 'internal server error')
  return { ...said, cause: error }
}

/** Writes an answer; HEAD is told what GET would be, but for the body. @param bulk of all files that are being sent */
export async function writeAnswer (
  request: IncomingMessage,
  response: ServerResponse,
  answer: Answer,
  bulk: Bulk
): Promise<void> {
  const { body, challenge, close, etag, modified } = answer
  const file = typeof body === 'string' || Buffer.isBuffer(body) ? undefined : body
  const size = file?.size ?? Buffer.byteLength(body as string | Buffer)
  const extent = answer.status === 200 ? extentOf(request.headers, answer, file?.size) : { kind: 'whole' } as const
  response.setHeader('Content-Type', answer.contentType)
  if (etag !== undefined) response.setHeader('ETag', etag)
  if (modified !== undefined) response.setHeader('Last-Modified', modified.toUTCString())
  if (file !== undefined) response.setHeader('Accept-Ranges', 'bytes')
  if (challenge !== undefined) response.setHeader('WWW-Authenticate', challenge)
  if (close === true) response.setHeader('Connection', 'close')
  let [from, to] = [0, size - 1]
  switch (extent.kind) {
    case 'whole':
      response.setHeader('Content-Length', size)
      response.writeHead(answer.status)
      break
    case 'part':
      ({ from, to } = extent)
      response.setHeader('Content-Length', to - from + 1)
      response.setHeader('Content-Range', `bytes ${from}-${to}/${size}`)
      response.writeHead(206)
      break
    case 'none':
      response.removeHeader('Content-Type')
      response.writeHead(304)
      break
    case 'unsatisfiable':
      response.setHeader('Content-Range', `bytes */${size}`)
      response.setHeader('Content-Length', 0)
      response.writeHead(416)
  }
  const isEmpty = request.method === 'HEAD' || extent.kind === 'none' || extent.kind === 'unsatisfiable'
  if (file === undefined) {
    response.end(isEmpty ? undefined : body as string | Buffer)
    return
  }
  try {
    // Never more than was announced: ChartMuseum overwrites a file where it lies.
    const stream = isEmpty || size === 0 ? [] : file.handle.createReadStream({ start: from, end: to, autoClose: false })
    await pipeline(stream, turnStream(bulk), response)
  } finally {
    await file.handle.close()
  }
}

/** Passes a file on as its turn comes; a stream, whose end is everybody's in a pipeline. */
function turnStream (bulk: Bulk): Transform {
  return new Transform({
    transform (chunk: Buffer, _encoding, done) {
      const goOn = (): void => { done(null, chunk) }
      if (bulk.pass(chunk.length, goOn)) goOn()
    }
  })
}
