// Answers OCI clients at /v2/: what src/doors/oci/ says, with the headers of a registry.
import { Readable } from 'node:stream'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { partOf, sliced } from '../src/http/byte-range.ts'
import { knowsEtag } from '../src/http/conditional.ts'
import type { Attached } from '../src/doors/oci/attached.ts'
import { OCI_HEADERS } from '../src/doors/oci/errors.ts'
import { INDEX_TYPE, MANIFEST_TYPE } from '../src/doors/oci/manifest.ts'
import type { PulledBlob, PulledManifest } from '../src/doors/oci/pull.ts'
import { LONGEST_MANIFEST } from '../src/doors/oci/read-manifest.ts'
import { filtersApplied, referrersIndex } from '../src/doors/oci/referrers.ts'
import type { OciRequest } from '../src/doors/oci/request.ts'
import type { StoredVersions } from '../src/doors/oci/stored-versions.ts'
import { pageOf, tagsOf } from '../src/doors/oci/tags.ts'
import { isRefusal } from '../src/http/errors.ts'
import { digestOfHex, hexOfDigest } from '../src/words/digest.ts'
import { callerOf } from './client.ts'
import { createOciChanges, type OciChangesOptions } from './oci-changes.ts'
import { createOciUploads, type OciUploadsOptions } from './oci-uploads.ts'
import { isAbort, tooLarge } from './request-body.ts'
import { OCI_DOOR, ociRequestOf } from './request-target.ts'

export interface OciDoorOptions extends OciUploadsOptions, OciChangesOptions {
  stored: StoredVersions
  attached: Attached
  /** Bytes, now. */
  maxUploadSize: () => number
}

type Of<R extends OciRequest['route']> = Extract<OciRequest, { readonly route: R }>

export default fp<OciDoorOptions>(async (app, options) => {
  const { puller, stored, attached, maxUploadSize } = options
  const uploads = createOciUploads(options)
  const changes = createOciChanges(options)
  // Nobody reads a body here but who streams it.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', (_request, payload, done) => { done(null, payload) })
  const mostOf = (request: FastifyRequest): number =>
    ociRequestOf(request).route === 'oci-manifest' ? LONGEST_MANIFEST : maxUploadSize()
  // Before the client is told to go on (Expect: 100-continue) and before a byte is read.
  app.addHook('onRequest', (request, reply, done) => {
    if (Number(request.headers['content-length'] ?? 0) > mostOf(request)) reply.refuse(tooLarge(mostOf(request)))
    else done()
  })

  async function answer (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const asked = ociRequestOf(request)
    switch (asked.route) {
      case 'oci-base': return await reply.header('content-type', 'application/json').send('{}')
      case 'oci-tags': return await sendTags(request, reply, asked)
      case 'oci-referrers':
        return await sendReferrers(request, reply, asked)
      case 'oci-blob':
        return await sendBlob(request, reply, await puller.blob(asked.repository, asked.digest, callerOf(request)))
      case 'oci-manifest': return await answerManifest(request, reply, asked)
      case 'oci-uploads':
        await uploads.begin(request, reply, asked)
        return await reply.send()
      case 'oci-upload':
        await uploads.goOn(request, reply, asked)
        return await reply.send()
    }
  }

  async function answerManifest (
    request: FastifyRequest,
    reply: FastifyReply,
    asked: Of<'oci-manifest'>
  ): Promise<FastifyReply> {
    switch (asked.method) {
      case 'PUT':
        await changes.put(request, reply, asked)
        return await reply.send()
      case 'DELETE':
        await changes.remove(request, reply, asked)
        return await reply.send()
      default:
        return await sendManifest(
          request, reply, await puller.manifest(asked.repository, asked.reference, callerOf(request))
        )
    }
  }

  /** What is no refusal is no fault of the client's, also while its body is still coming. */
  async function answerOrRefuse (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    try {
      return await answer(request, reply)
    } catch (error) {
      if (isRefusal(error, 'body_too_large')) {
        return reply.refuse(tooLarge(mostOf(request)))
      }
      if (isAbort(error)) return reply.refuse({ code: 'upload_aborted' })
      throw error
    }
  }

  async function sendTags (request: FastifyRequest, reply: FastifyReply, asked: Of<'oci-tags'>): Promise<FastifyReply> {
    const { repository, n, last } = asked
    const versions = await stored.versions(repository, callerOf(request))
    if (versions === undefined) return await reply.refuse({ code: 'oci_name_unknown' })
    const { tags, next } = pageOf(tagsOf(versions), n, last)
    if (next !== undefined) reply.header('link', `</v2/${repository.name}/tags/list?${next}>; rel="next"`)
    return await reply.header('content-type', 'application/json').send(JSON.stringify({ name: repository.name, tags }))
  }

  async function sendReferrers (
    request: FastifyRequest,
    reply: FastifyReply,
    { repository, digest, artifactType }: Of<'oci-referrers'>
  ): Promise<FastifyReply> {
    const hex = hexOfDigest(digest)
    const all = hex === undefined ? [] : await attached.referrers(repository, hex, callerOf(request))
    return await reply.headers(filtersApplied(artifactType))
      .header('content-type', INDEX_TYPE).send(referrersIndex(all, artifactType))
  }

  app.route({
    method: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    url: OCI_DOOR,
    handler: async (request, reply) => await answerOrRefuse(request, reply.headers(OCI_HEADERS))
  })
}, { name: 'oci-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })

function sendManifest (request: FastifyRequest, reply: FastifyReply, manifest: PulledManifest): FastifyReply {
  const { bytes, hex, version } = manifest
  request.outcome.hasCharts = true
  if (version?.metadata['deprecated'] === true) {
    // The registry's own way to say it (opencontainers/distribution-spec v1.1.1, "Warnings").
    reply.header('warning', `299 - "${version.name} ${version.version} is deprecated"`)
  }
  return sendDigested(request, reply, hex, MANIFEST_TYPE) ?? reply.send(bytes)
}

async function sendBlob (request: FastifyRequest, reply: FastifyReply, blob: PulledBlob): Promise<FastifyReply> {
  const known = sendDigested(request, reply, blob.hex, 'application/octet-stream')
  if (known !== undefined) return await known
  request.outcome.hasCharts = true
  const size = blob.kind === 'bytes' ? blob.bytes.length : blob.size
  reply.header('accept-ranges', 'bytes')
  if (request.method === 'HEAD') return await reply.header('content-length', size).send()
  const part = partOf(request.headers, etagOf(blob.hex), size)
  if (part === 'none') {
    return await reply.header('content-range', `bytes */${size}`).refuse({ code: 'oci_no_such_part' })
  }
  const body = blob.kind === 'bytes' ? blob.bytes : await blob.open()
  if (part !== undefined) reply.code(206).header('content-range', `bytes ${part.first}-${part.last}/${size}`)
  reply.header('content-length', part === undefined ? size : part.last - part.first + 1)
  if (Buffer.isBuffer(body)) {
    return await reply.send(part === undefined ? body : body.subarray(part.first, part.last + 1))
  }
  request.outcome.answeredAt = performance.now()
  return await reply.send(Readable.from(part === undefined ? body : sliced(body, part)))
}

/** What every answer says that is named by its bytes; 304 for who has them. */
function sendDigested (
  request: FastifyRequest,
  reply: FastifyReply,
  hex: string,
  type: string
): FastifyReply | undefined {
  const etag = etagOf(hex)
  reply.header('content-type', type).header('docker-content-digest', digestOfHex(hex)).header('etag', etag)
  return knowsEtag(request.headers['if-none-match'], etag) ? reply.code(304).send() : undefined
}

function etagOf (hex: string): string {
  return `"${digestOfHex(hex)}"`
}
