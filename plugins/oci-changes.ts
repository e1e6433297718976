// Takes in the manifests of charts and of what is attached to them, and deletes: src/doors/oci/
// says what comes of them.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Attacher } from '../src/doors/oci/attach.ts'
import { hasSubject } from '../src/doors/oci/attached-manifest.ts'
import type { Deleter } from '../src/doors/oci/delete.ts'
import type { Pusher } from '../src/doors/oci/push.ts'
import { LONGEST_MANIFEST, readManifest } from '../src/doors/oci/read-manifest.ts'
import type { OciRequest } from '../src/doors/oci/request.ts'
import { RefusalError } from '../src/http/errors.ts'
import type { UploadFacts } from '../src/observe/outcome.ts'
import { limited } from '../src/uploads/spool.ts'
import { digestOfHex, hexOfDigest } from '../src/words/digest.ts'
import { callerOf } from './client.ts'
import { recordIntent } from './request-audit.ts'
import { bodyOf } from './request-body.ts'
import { tellChange } from './request-log.ts'

export interface OciChangesOptions {
  readonly pusher: Pusher
  readonly attacher: Attacher
  readonly deleter: Deleter
}

type AskedManifest = Extract<OciRequest, { readonly route: 'oci-manifest' }>

export interface OciChanges {
  /** A manifest that is put: fills in the answer's head. @throws RefusalError, and what the body throws */
  put (request: FastifyRequest, reply: FastifyReply, asked: AskedManifest): Promise<void>
  /** The same for one that is deleted. */
  remove (request: FastifyRequest, reply: FastifyReply, asked: AskedManifest): Promise<void>
}

export function createOciChanges ({ pusher, attacher, deleter }: OciChangesOptions): OciChanges {
  return {
    async put (request, reply, { repository, reference }) {
      const chunks: Buffer[] = []
      for await (const chunk of limited(bodyOf(request), LONGEST_MANIFEST)) chunks.push(chunk as Buffer)
      const bytes = Buffer.concat(chunks)
      const manifest = readManifest(bytes, request.headers['content-type'] ?? '')
      const incoming = { repository, bytes, manifest, asker: callerOf(request) }
      const found = witness(request)
      const tell = (hex: string): void => {
        const digest = digestOfHex(hex)
        reply.code(201)
          .header('location', `/v2/${repository.name}/manifests/${digest}`)
          .header('docker-content-digest', digest)
      }
      if (reference.kind === 'tag') {
        const hex = await pusher.commit({ ...incoming, version: reference.version, found })
        await tellChange(reply.code(201))
        return tell(hex)
      }
      if (reference.kind === 'attached' || hasSubject(manifest)) {
        const { hex, subject } = await attacher.attach({ ...incoming, reference, found })
        await tellChange(reply.code(201))
        if (subject !== undefined) reply.header('oci-subject', digestOfHex(subject))
        return tell(hex)
      }
      const hex = hexOfDigest(reference.digest)
      if (hex === undefined) throw new RefusalError({ code: 'oci_digest_invalid' })
      await pusher.wait(incoming, hex)
      tell(hex)
    },
    async remove (request, reply, { repository, reference }) {
      await deleter.remove({ repository, reference, asker: callerOf(request), found: witness(request) })
      await tellChange(reply.code(202))
    }
  }
}

/** Says of a change what it is, and that it is about to be made. */
function witness (request: FastifyRequest): (facts: UploadFacts) => Promise<void> {
  return async facts => {
    request.outcome.upload = facts
    await recordIntent(request)
  }
}
