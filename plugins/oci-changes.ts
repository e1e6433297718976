// Takes in the manifests of pushes, and deletes: src/doors/oci/ says what comes of them.
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Deleter } from '../src/doors/oci/delete.ts'
import type { Pusher } from '../src/doors/oci/push.ts'
import { LONGEST_MANIFEST } from '../src/doors/oci/pushed-manifest.ts'
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
  readonly deleter: Deleter
}

type AskedManifest = Extract<OciRequest, { readonly route: 'oci-manifest' }>

export interface OciChanges {
  /** A manifest that is put: fills in the answer's head. @throws RefusalError, and what the body throws */
  put (request: FastifyRequest, reply: FastifyReply, asked: AskedManifest): Promise<void>
  /** The same for one that is deleted. */
  remove (request: FastifyRequest, reply: FastifyReply, asked: AskedManifest): Promise<void>
}

export function createOciChanges ({ pusher, deleter }: OciChangesOptions): OciChanges {
  return {
    async put (request, reply, { repository, reference }) {
      const chunks: Buffer[] = []
      for await (const chunk of limited(bodyOf(request), LONGEST_MANIFEST)) chunks.push(chunk as Buffer)
      const contentType = request.headers['content-type'] ?? ''
      const incoming = { repository, bytes: Buffer.concat(chunks), contentType, asker: callerOf(request) }
      const tell = (hex: string): void => {
        const digest = digestOfHex(hex)
        reply.code(201)
          .header('location', `/v2/${repository.name}/manifests/${digest}`)
          .header('docker-content-digest', digest)
      }
      if (reference.kind === 'digest') {
        const hex = hexOfDigest(reference.digest)
        if (hex === undefined) throw new RefusalError({ code: 'oci_digest_invalid' })
        await pusher.wait(incoming, hex)
        return tell(hex)
      }
      const hex = await pusher.commit({ ...incoming, version: reference.version, found: witness(request) })
      await tellChange(reply.code(201))
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
