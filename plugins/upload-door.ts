// Takes uploads in: spools, inspects, stores, and answers as ChartMuseum does. The
// body's first byte is read only after the request was allowed.
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { ChartRequest } from '../src/chartmuseum/chart-request.ts'
import type { Depth } from '../src/words/tenant.ts'
import { isRefusal } from '../src/http/errors.ts'
import type { UploadFacts } from '../src/observe/outcome.ts'
import type { Change } from '../src/upstream/change.ts'
import type { TellChange } from '../src/upstream/changes.ts'
import { readUpload, type IncomingUpload, type Upload } from '../src/uploads/inspect.ts'
import type { FormFields } from '../src/uploads/multipart.ts'
import type { Spool } from '../src/uploads/spool.ts'
import type { Uploader } from '../src/uploads/store.ts'
import { callerOf } from './client.ts'
import { recordIntent } from './request-audit.ts'
import { bodyOf, isAbort, tooLarge } from './request-body.ts'
import { tellChange } from './request-log.ts'
import { chartRequestOf } from './request-target.ts'

export interface UploadDoorOptions {
  uploader: Uploader
  spool: Spool
  /** Lets every read from now on show it, before the client is answered. */
  changed: TellChange
  /** Bytes, now. */
  maxUploadSize: () => number
  depth: Depth
  /** As they are called now. */
  fields: () => FormFields
  namesProvenanceBy: IncomingUpload['namesProvenanceBy']
}

export default fp<UploadDoorOptions>(async (app, options) => {
  const { maxUploadSize } = options
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => { done(null, payload) })
  // Before the client is told to go on (Expect: 100-continue) and before a byte is read.
  app.addHook('onRequest', (request, reply, done) => {
    const most = maxUploadSize()
    if (Number(request.headers['content-length'] ?? 0) > most) reply.refuse(tooLarge(most))
    else done()
  })
  app.post('/upload', async (request, reply) => await takeIn(request, reply, options))
}, { name: 'upload-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

async function takeIn (request: FastifyRequest, reply: FastifyReply, place: UploadDoorOptions): Promise<FastifyReply> {
  const most = place.maxUploadSize()
  try {
    await save(request, place, most)
  } catch (error) {
    if (isRefusal(error, 'body_too_large')) {
      return reply.refuse(tooLarge(most))
    }
    // What is no refusal is no fault of the client's, also while its body is still coming.
    if (!isAbort(error)) throw error
    return reply.refuse({ code: 'upload_aborted' })
  }
  await tellChange(reply.code(201))
  return await reply.header('content-type', 'application/json; charset=utf-8').send('{"saved":true}')
}

/** Stores the body, and has freed the spool when it returns. */
async function save (
  request: FastifyRequest,
  { uploader, spool, changed, depth, fields, namesProvenanceBy }: UploadDoorOptions,
  most: number
): Promise<void> {
  const chartRequest = chartRequestOf(request)
  const upload = await readUpload({
    route: chartRequest.route as 'upload-chart' | 'upload-prov',
    contentType: request.headers['content-type'] ?? '',
    depth,
    fields: fields(),
    namesProvenanceBy,
    body: bodyOf(request)
  }, spool, most)
  request.outcome.upload = factsOf(upload)
  const caller = callerOf(request)
  let isSent = false
  let isThere = false
  let isNew = false
  try {
    await recordIntent(request)
    isNew = await uploader.store(chartRequest, upload, caller, () => { isSent = true })
    isThere = true
  } catch (error) {
    isThere = isRefusal(error, 'already_stored')
    throw error
  } finally {
    try {
      await upload.remove() // to show the change may take a while, in which others may have the room
    } finally {
      const became = isThere ? upload.chart?.digest : undefined
      // After a failure nobody knows what the upstream did; who stored what is there may not have come to tell it.
      if (isSent || became !== undefined) await changed({ ...versionOf(chartRequest, upload), became, isNew }, caller)
    }
  }
}

function versionOf (
  { tenant, tenantPath }: ChartRequest,
  { name: chart, version }: Upload
): Omit<Change, 'became' | 'isNew'> {
  return { tenant, tenantPath, chart, version }
}

function factsOf ({ name, version, chart, prov }: Upload): UploadFacts {
  return { chart: name, version, digest: chart?.digest, bytes: chart?.size, provenance: prov?.digest }
}
