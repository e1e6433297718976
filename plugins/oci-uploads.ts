// Takes in the blobs of a push: an upload is begun, written to and ended, or a blob comes at
// once or from another repository. What waits is src/doors/oci/waiting.ts's.
import type { FastifyReply, FastifyRequest } from 'fastify'
import { rangeOf, saidPart } from '../src/doors/oci/content-range.ts'
import { bytesOf, type Puller } from '../src/doors/oci/pull.ts'
import type { OciRequest } from '../src/doors/oci/request.ts'
import type { UploadStates } from '../src/doors/oci/upload-state.ts'
import type { UploadPart, Waiting } from '../src/doors/oci/waiting.ts'
import { RefusalError, isRefusal } from '../src/http/errors.ts'
import { judge } from '../src/judge.ts'
import type { LiveAuthority } from '../src/live/reload.ts'
import { digestOfHex, hexOfDigest } from '../src/words/digest.ts'
import type { Principal } from '../src/words/principal.ts'
import { callerOf } from './client.ts'
import { bodyOf } from './request-body.ts'

export interface OciUploadsOptions {
  readonly waiting: Waiting
  readonly states: UploadStates
  readonly puller: Puller
  readonly live: LiveAuthority
}

type Of<R extends OciRequest['route']> = Extract<OciRequest, { readonly route: R }>
type Begin = Of<'oci-uploads'>
type GoOn = Of<'oci-upload'>

export interface OciUploads {
  /**
   * What begins an upload, or is a whole one: fills in the answer's head.
   * @throws RefusalError, and what the body throws
   */
  begin (request: FastifyRequest, reply: FastifyReply, asked: Begin): Promise<void>
  /** The same for what is about an upload. */
  goOn (request: FastifyRequest, reply: FastifyReply, asked: GoOn): Promise<void>
}

export function createOciUploads ({ waiting, states, puller, live }: OciUploadsOptions): OciUploads {
  /** A blob of a repository that may be read; undefined, whatever the reason is that there is none. */
  async function mount (request: FastifyRequest, { repository, mount }: Begin): Promise<string | undefined> {
    const { digest, from } = mount ?? {}
    const hex = digest === undefined ? undefined : hexOfDigest(digest)
    if (hex === undefined || from === undefined) return undefined
    const access = { type: 'repository', name: from.name, action: 'pull' } as const
    const principal = request.principal as Principal // somebody who may push
    if (!judge(principal, [access], live.current.rules, false).allowed) return undefined
    try {
      const blob = await puller.blob(from, digestOfHex(hex), callerOf(request))
      await waiting.put(repository, 'blob', hex, bytesOf(blob))
      return hex
    } catch (error) {
      if (isRefusal(error, 'oci_blob_unknown')) return undefined
      throw error
    }
  }

  /** Says where an upload goes on, and how long it is. */
  async function tell (
    request: FastifyRequest,
    reply: FastifyReply,
    { repository: { name }, id }: Pick<GoOn, 'repository' | 'id'>,
    length: number
  ): Promise<void> {
    const state = await states.say({ name, id, subject: subjectOf(request) }, length)
    reply
      .header('location', `/v2/${name}/blobs/uploads/${id}?_state=${state}`)
      .header('docker-upload-uuid', id)
      .header('range', rangeOf(length))
  }

  async function write (request: FastifyRequest, reply: FastifyReply, asked: GoOn, part: UploadPart): Promise<void> {
    const { repository, id, method, digest } = asked
    if (method === 'PUT') {
      const hex = sha256Of(digest)
      await waiting.finish(repository, id, part, hex)
      return created(reply, repository.name, hex)
    }
    await tell(request, reply.code(202), asked, await waiting.append(repository, id, part))
  }

  /** What comes, as its head says; what contradicts that is out of order. */
  function partOf (request: FastifyRequest, at: number): UploadPart {
    const said = saidPart(request.headers['content-range'])
    if (said !== undefined && said.first !== at) throw new RefusalError({ code: 'oci_upload_out_of_order' })
    return { body: bodyOf(request), at, ...(said === undefined ? {} : { size: said.size }) }
  }

  return {
    async begin (request, reply, asked) {
      const { repository, digest } = asked
      if (digest !== undefined) {
        const hex = sha256Of(digest)
        await waiting.put(repository, 'blob', hex, bodyOf(request))
        return created(reply, repository.name, hex)
      }
      await expectNothing(request)
      const mounted = await mount(request, asked)
      if (mounted !== undefined) return created(reply, repository.name, mounted)
      await tell(request, reply.code(202), { repository, id: await waiting.begin(repository) }, 0)
    },
    async goOn (request, reply, asked) {
      const { repository, id, state = '', method } = asked
      const at = await states.read({ name: repository.name, id, subject: subjectOf(request) }, state)
      if (at === undefined) throw new RefusalError({ code: 'oci_upload_unknown' })
      if (method === 'DELETE') {
        reply.code(204)
        return await waiting.cancel(repository, id)
      }
      if (method !== 'PATCH' && method !== 'PUT') {
        return await tell(request, reply.code(204), asked, await waiting.length(repository, id))
      }
      try {
        await write(request, reply, asked, partOf(request, at))
      } catch (error) {
        if (isRefusal(error, 'oci_upload_out_of_order')) {
          await tell(request, reply, asked, await waiting.length(repository, id))
        }
        throw error
      }
    }
  }
}

/** Whose an upload is. */
function subjectOf ({ outcome }: FastifyRequest): string {
  return String(outcome.subject)
}

/** @throws RefusalError for what is no SHA-256 */
function sha256Of (digest: string | undefined): string {
  const hex = digest === undefined ? undefined : hexOfDigest(digest)
  if (hex !== undefined) return hex
  const detail = 'a blob is pushed with its digest: sha256: and 64 of 0-9a-f'
  throw new RefusalError({ code: 'oci_digest_invalid', detail })
}

/** An upload begins without bytes: those that come all the same are not taken for its first. */
async function expectNothing (request: FastifyRequest): Promise<void> {
  const first = await bodyOf(request).next()
  if (first.done === true) return
  const detail = 'an upload is begun with an empty body: send the bytes to its Location, or all at once with ?digest='
  throw new RefusalError({ code: 'bad_request', detail })
}

function created (reply: FastifyReply, name: string, hex: string): void {
  const digest = digestOfHex(hex)
  reply.code(201).header('location', `/v2/${name}/blobs/${digest}`).header('docker-content-digest', digest)
}
