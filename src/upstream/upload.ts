// How does an understood upload get into the upstream? Without `overwrite` only where
// nothing of that name is yet, checked under a lock for the object; always as a request
// of our own, with a length, from the spool.
import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import type { ChartRequest } from '../charts/request-target.ts'
import { RefusalError } from '../http/errors.ts'
import type { Locks } from '../lib/locks.ts'
import { isPage, refusalOfAnswer } from './answers.ts'
import type { Asker } from './asker.ts'
import type { QuestionBody, Upstream } from './client.ts'
import type { Upload } from './inspect.ts'
import { sendOwn } from './own-request.ts'
import { readSpooled, type SpoolFile } from './spool.ts'

export interface Uploader {
  /**
   * Stores the upload under the request's tenant.
   * @throws RefusalError when it exists, or the upstream refuses or cannot be reached
   */
  store (request: ChartRequest, upload: Upload, caller: Asker): Promise<void>
}

export function createUploader (upstream: Upstream, locks: Locks): Uploader {
  /** True when the upstream has the file. */
  async function exists (request: ChartRequest, file: string, caller: Asker): Promise<boolean> {
    const route = file.endsWith('.prov') ? 'prov-file' : 'chart-file'
    const answer = await sendOwn(upstream, { route, tenant: request.tenant, tenantPath: request.tenantPath, file, query: {} }, { method: 'GET', caller })
    if (answer.statusCode === 200 && !isPage(answer.headers)) return true
    if (answer.statusCode === 404) return false
    throw new RefusalError(refusalOfAnswer(answer.statusCode, answer.text))
  }

  return {
    async store (request, upload, caller) {
      await locks.hold(`${request.tenant}/${upload.file}`, async () => {
        const files = [...(upload.chart === undefined ? [] : [upload.file]), ...(upload.prov === undefined ? [] : [`${upload.file}.prov`])]
        if (request.access.action !== 'overwrite') {
          for (const file of files) if (await exists(request, file, caller)) throw alreadyThere(upload)
        }
        const route = upload.chart === undefined ? 'upload-prov' : 'upload-chart'
        const answer = await sendOwn(upstream, { route, tenant: request.tenant, tenantPath: request.tenantPath, query: request.query }, { method: 'POST', caller, body: outgoing(upload) })
        if (answer.statusCode === 409) throw alreadyThere(upload)
        if (answer.statusCode !== 201) throw new RefusalError(refusalOfAnswer(answer.statusCode, answer.text), { cause: `the upstream answered ${answer.statusCode}` })
      })
    }
  }
}

/** ChartMuseum's two sentences for it (pkg/chartmuseum/server/multitenant/api.go and handlers.go). */
function alreadyThere ({ form }: Upload): RefusalError {
  return new RefusalError({ code: form === 'raw' ? 'file_exists' : 'chart_exists' })
}

/** The body that the upstream gets: the file as it is, or a form of ours when there are two. */
function outgoing ({ chart, prov, file }: Upload): QuestionBody {
  if (chart !== undefined && prov !== undefined) {
    const boundary = `chartgate-${randomUUID()}`
    const head = (name: string, filename: string): string =>
      `--${boundary}\r\nContent-Disposition: form-data; name="${name}"; filename="${filename}"\r\nContent-Type: application/octet-stream\r\n\r\n`
    const pieces: (string | SpoolFile)[] = [head('chart', file), chart, '\r\n' + head('prov', `${file}.prov`), prov, `\r\n--${boundary}--\r\n`]
    const length = pieces.reduce((sum, piece) => sum + (typeof piece === 'string' ? Buffer.byteLength(piece) : piece.size), 0)
    return { contentType: `multipart/form-data; boundary=${boundary}`, length, stream: () => Readable.from(concatenate(pieces)) }
  }
  const only = (chart ?? prov) as SpoolFile
  return { contentType: 'application/octet-stream', length: only.size, stream: () => readSpooled(only) }
}

async function * concatenate (pieces: readonly (string | SpoolFile)[]): AsyncGenerator<Buffer> {
  for (const piece of pieces) {
    if (typeof piece === 'string') yield Buffer.from(piece)
    else yield * readSpooled(piece) as AsyncIterable<Buffer>
  }
}
