// The embedded chart repository: ChartMuseum's routes on a directory that is laid out
// as ChartMuseum's local storage, for trying out, tests and small installations. A
// plain HTTP server that the gateway reaches as it would reach a ChartMuseum.
import { randomUUID, type KeyObject } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { CLOCK } from '../lib/clock.ts'
import { createBulk } from '../lib/bulk.ts'
import { reasonOf } from '../lib/read-only.ts'
import { failure, json, problem, writeAnswer, type Answer } from './answer.ts'
import { createAuthoriser } from './authorise.ts'
import { createCatalog } from './catalog.ts'
import { createReads } from './reads.ts'
import { route, type Depth, type Match } from './routing.ts'
import { openStore } from './store.ts'
import { createUploads, type UploadBody } from './uploads.ts'
import { WELCOME } from './welcome.ts'

export interface RepositoryOptions {
  readonly dir: string
  readonly depth: Depth
  /** '' or '/x'. */
  readonly contextPath: string
  /** Bytes of a whole request body, now. */
  readonly maxUploadSize: () => number
  /** Every upload overwrites, as with ChartMuseum's --allow-overwrite. */
  readonly allowOverwrite?: boolean
  /** Checks tokens when it is there. */
  readonly publicKey?: KeyObject
  /** Where tokens are had, and this service's name: for the challenge of a 401. */
  readonly realm?: string
  readonly service?: string
  /** Hears what is stored, deleted, refused and has failed. */
  readonly log?: (event: object) => void
}

export interface Repository {
  /** Not yet listening. */
  readonly server: Server
  /** Lets running requests end, then ends every connection, and writes what speeds up the next start. */
  close (): Promise<void>
}

export type RepositoryResult =
  | { readonly ok: true, readonly repository: Repository }
  | { readonly ok: false, readonly message: string }

/** The ChartMuseum whose behaviour this is; /info says so, as clients may ask. */
export const CHARTMUSEUM_VERSION = '0.16.5'

const NOT_FOUND = problem(404, 'not found')
const BAD_REQUEST: Answer = {
  status: 400,
  contentType: 'text/plain; charset=utf-8',
  body: '400 Bad Request',
  close: true,
  refusal: 'bad request'
}
const TOO_LARGE: Answer = {
  status: 413,
  contentType: 'text/plain; charset=utf-8',
  body: 'request too large',
  close: true,
  refusal: 'request too large'
}
/** Of a body that nobody wants, this much is read so that the answer arrives; then the connection is cut. */
const DRAINED = 4 * 1024 * 1024
/** A refused body up to this size does not cost the connection (so does Go's net/http). */
const SKIPPED = 256 * 1024

class TooLarge extends Error {}

/** Opens the folder, which is made when it is missing. */
export async function openRepository (options: RepositoryOptions): Promise<RepositoryResult> {
  const {
    dir,
    depth,
    contextPath,
    publicKey,
    realm = '',
    service = '',
    maxUploadSize,
    allowOverwrite = false,
    log = () => {}
  } = options
  try {
    const store = await openStore(dir)
    const catalog = createCatalog({ store, contextPath, log })
    const reads = createReads(catalog, store)
    const uploads = createUploads({ catalog, store, allowOverwrite, contextPath, log })
    const authorise = publicKey === undefined
      ? undefined
      : createAuthoriser({ publicKey, realm, service, now: CLOCK.wall })

    async function answer (request: IncomingMessage, accept: () => void): Promise<Answer> {
      const match = route(request.method as string, request.url as string, depth, contextPath)
      if (match === 'bad request') return BAD_REQUEST
      if (match === 'not found') return NOT_FOUND
      if (match.action !== undefined && authorise !== undefined) {
        const authorisation = authorise(request.headers.authorization, match.tenant, match.action)
        if (!authorisation.ok) return { ...problem(401, 'unauthorized'), challenge: authorisation.challenge }
      }
      return await perform(match, request, accept)
    }

    async function perform (match: Match, request: IncomingMessage, accept: () => void): Promise<Answer> {
      switch (match.handler) {
        case 'welcome': return WELCOME
        case 'info': return json(200, { version: CHARTMUSEUM_VERSION })
        case 'health': return json(200, { healthy: true })
        case 'delete': return await uploads.remove(match)
        case 'upload':
        case 'upload-prov': {
          const most = maxUploadSize()
          if (Number(request.headers['content-length'] ?? 0) > most) return TOO_LARGE
          const body: UploadBody = {
            contentType: request.headers['content-type'] ?? '',
            bytes: limitedBody(request, most, accept)
          }
          return await (match.handler === 'upload' ? uploads.chart(match, body) : uploads.provenance(match, body))
        }
        default: return await reads[match.handler](match)
      }
    }

    async function handle (
      request: IncomingMessage,
      response: ServerResponse,
      expectsContinue: boolean
    ): Promise<void> {
      const id = requestId(request)
      response.setHeader('X-Request-Id', id)
      let accepted = !expectsContinue
      const accept = (): void => {
        if (!accepted) response.writeContinue()
        accepted = true
      }
      const result = await answer(request, accept).catch((error: unknown): Answer => {
        return error instanceof TooLarge ? TOO_LARGE : failure(error)
      })
      if (result.refusal !== undefined && (!request.destroyed || request.complete)) {
        log(refusalEvent(id, request, result))
      }
      const settled = await settleBody(request, result, accepted)
      await writeAnswer(request, response, closing ? { ...settled, close: true } : settled, bulk)
    }

    const bulk = createBulk()
    const running = new Set<ServerResponse>()
    let closing = false
    const listener = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse): void => {
      running.add(response)
      response.once('close', () => { running.delete(response) })
      handle(request, response, expectsContinue).catch(() => { response.destroy() }) // the client is gone
    }
    const server = createServer(listener(false)).on('checkContinue', listener(true))
    return {
      ok: true,
      repository: {
        server,
        async close () {
          closing = true
          const stopped = new Promise<void>(resolve => { server.close(() => { resolve() }) })
          await Promise.all([...running].map(async response => { await once(response, 'close') }))
          server.closeAllConnections() // idle ones, also those on which nothing was ever asked
          await stopped
          await catalog.close()
        }
      }
    }
  } catch (error) {
    const reason = await reasonOf(
      error,
      'its disk is mounted read-only: mount one there that can be written, or choose another folder'
    )
    return { ok: false, message: `the chart folder ${dir} cannot be used: ${reason}` }
  }
}

/** The client's own, when a log can hold it (ChartMuseum echoes any). */
function requestId (request: IncomingMessage): string {
  const asked = request.headers['x-request-id']
  return typeof asked === 'string' && /^[\x21-\x7e]{1,128}$/.test(asked) ? asked : randomUUID()
}

/** For the log: the path without its query, and no header, since both may hold a secret. */
function refusalEvent (id: string, request: IncomingMessage, { status, refusal, cause }: Answer): object {
  const { method, url = '', socket: { remoteAddress: ip } } = request
  const path = url.startsWith('/') ? (url.split('?', 1)[0] as string).slice(0, 200) : undefined
  const what = { id, ip, method, path, status, reason: refusal }
  return cause === undefined ? { event: 'refused', ...what } : { event: 'failed', ...what, error: cause }
}

async function * limitedBody (request: IncomingMessage, most: number, accept: () => void): AsyncGenerator<Uint8Array> {
  accept()
  let length = 0
  // The stream must outlive a refusal: the answer goes over the same connection.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > most) throw new TooLarge()
    yield chunk
  }
}

/** Sees to the rest of a body that was not read: a client that still sends may miss an answer. */
async function settleBody (request: IncomingMessage, answer: Answer, accepted: boolean): Promise<Answer> {
  if (request.complete || request.destroyed) return answer
  const declared = request.headers['content-length']
  const length = declared === undefined ? Infinity : Number(declared)
  if (!accepted) return { ...answer, close: true } // the client holds it back
  if (length <= SKIPPED && answer.close !== true) return answer // Node reads it away
  let drained = 0
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    drained += chunk.length
    if (drained > DRAINED) break
  }
  return { ...answer, close: true }
}
