// Who answers? The one way to the chart repository: a pool of connections in which
// everybody has a share, and the credential that each request is sent with. A client's own
// credential never gets here.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { Pool, type Dispatcher } from 'undici'
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import { routeOf } from '../chartmuseum/routes.ts'
import type { Conditions } from '../http/conditional.ts'
import { RefusalError, type ReasonCode } from '../http/errors.ts'
import { requestHeaders } from '../http/headers.ts'
import type { Company } from '../lib/company.ts'
import type { Current } from '../lib/current.ts'
import { createBulk } from '../lib/bulk.ts'
import { createShares, type Connections } from '../limits/shares.ts'
import type { Material } from '../tls/material.ts'
import type { Access } from '../words/access.ts'
import type { Asking } from './asker.ts'
import { LONGEST_ERROR, speaksOfAnOutage, type UpstreamAnswer } from './answers.ts'
import { exchange, type Reading } from './exchange.ts'
import { upstreamTarget } from '../chartmuseum/upstream-target.ts'

/** How the upstream wants to be asked. */
export type UpstreamAuth =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic', readonly username: string, readonly password: string }
  | { readonly kind: 'bearer', /** mints a token for one right */ readonly mint: (access: Access) => Promise<string> }

/** How it is spoken to over TLS; its certificate is verified always. */
export interface UpstreamTls {
  /** What its certificate has to be for; left out: the host of its origin. */
  readonly serverName?: string
  /** Authorities, and a certificate of ours; left out: those that Node.js knows, and none. */
  readonly material?: Current<Material>
}

export interface UpstreamOptions {
  /** Origin of the repository, for example http://chartmuseum:8080. */
  readonly origin: string
  /** Its Unix socket instead of a TCP connection. */
  readonly socketPath?: string
  /** It answers in part, and on conditions; ChartMuseum does neither. */
  readonly takesConditions?: boolean
  readonly contextPath: string
  readonly auth: UpstreamAuth
  readonly tls?: UpstreamTls
  /** Hears that it did not answer a request as it should: nobody else may be answered either. */
  readonly onTrouble?: () => void
  /** Hears what came of each question, and in how many milliseconds (exchange.ts). */
  readonly onAnswer?: (method: Question['method'], result: number | ReasonCode, ms: number) => void
}

/** A page of the repository itself, such as /health. */
export interface Page {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** No more of it than a sentence has. */
  readonly text: string
}

/** What is asked of the upstream, in parts that were understood. */
export interface Question extends Reading {
  readonly method: 'GET' | 'POST' | 'DELETE'
  readonly target: Parameters<typeof upstreamTarget>[0] & Pick<ChartRequest, 'tenant'>
  readonly company: Company<Asking>
  /** The upstream is told for whom, if that is one alone. */
  readonly named: boolean
  /** What is sent makes the change, and is not broken off then, whoever goes. */
  readonly body?: QuestionBody
  /** Only for one that takes them. */
  readonly conditions?: Conditions
  /** Milliseconds without a byte; others than those of every day. */
  readonly patience?: number
}

export interface QuestionBody {
  readonly contentType: string
  /** Bytes. */
  readonly length: number
  /** Opens it, once there is a connection to send it over. */
  readonly stream: () => Readable
}

export interface Upstream {
  readonly origin: string
  readonly contextPath: string
  readonly auth: UpstreamAuth['kind']
  /** It answers in part, and on conditions. */
  readonly takesConditions: boolean
  /**
   * The one way to ask it, in one's turn for a connection.
   * @throws RefusalError when there is no answer, NobodyThere when nobody waits for one,
   * and what a credential that cannot be minted throws
   */
  ask (question: Question): Promise<UpstreamAnswer>
  /**
   * What keeps the repository from saying that it is healthy, in a sentence; undefined when
   * it says so. For everybody who asks at once, and beside every queue.
   */
  ailment (): Promise<string | undefined>
  /**
   * Asks for a page as anybody may, without a credential and beside every queue.
   * @param path the whole path, with the context path where it is to be
   * @throws what undici does when there is no answer
   */
  look (path: string): Promise<Page>
  /** How its connections are used now. */
  connections (): Connections
  close (): Promise<void>
}

const TIMEOUTS = {
  connect: 5_000,
  headers: 30_000,
  // between two chunks
  body: 60_000,
  // below the 30 s after which ChartMuseum closes an idle connection (pkg/config/vars.go, http timeouts)
  keepAlive: 20_000,
  health: 2_000
}
/** Of this process, for what clients ask. */
const CONNECTIONS = 128
/** How many of them large downloads may have, so that an index or a small file never waits for one of those. */
const LARGE = CONNECTIONS * 3 / 4
/** For what says whether the repository is healthy. */
const PROBES = 1

/** Opens the pool; no connection is made before the first request. */
export function createUpstream (options: UpstreamOptions): Upstream {
  const { origin, contextPath, auth, takesConditions = false, onTrouble = () => {} } = options
  const { onAnswer = () => {} } = options
  let pool = openPool(options)
  const pools = new Set([pool])
  const unfollow = options.tls?.material?.follow(() => {
    // What runs ends over its connections; none of them is used again.
    const before = pool
    pools.add(pool = openPool(options))
    void before.close().finally(() => { pools.delete(before) })
  })
  const clock = (): number => performance.now()
  const shares = createShares({
    all: CONNECTIONS,
    large: LARGE,
    clock,
    later: (ms, run) => setTimeout(run, ms).unref()
  })
  const bulk = createBulk()
  const authorization = authorizer(auth)
  let probe: Promise<string | undefined> | undefined

  async function look (path: string): Promise<Page> {
    const { statusCode: status, headers, body } = await pool.request({
      method: 'GET',
      path,
      headersTimeout: TIMEOUTS.health,
      bodyTimeout: TIMEOUTS.health
    })
    const chunks: Buffer[] = []
    let length = 0
    for await (const chunk of body as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      length += chunk.length
      if (length > LONGEST_ERROR) break // which ends the body
    }
    return { status, headers, text: Buffer.concat(chunks).toString('utf8') }
  }

  async function findAilment (): Promise<string | undefined> {
    const path = `${contextPath}/health`
    try {
      const { status } = await look(path)
      if (status === 200) return undefined
      onTrouble()
      return `the chart repository does not say that it is healthy (${status} for ${path})`
    } catch {
      onTrouble()
      return 'the chart repository cannot be reached'
    }
  }

  async function told (asked: Promise<UpstreamAnswer>): Promise<UpstreamAnswer> {
    try {
      const answer = await asked
      if (speaksOfAnOutage(answer.status)) onTrouble()
      return answer
    } catch (error) {
      if (error instanceof RefusalError && speaksOfAnOutage(error.refusal.code)) onTrouble()
      throw error
    }
  }

  return {
    origin,
    contextPath,
    auth: auth.kind,
    takesConditions,
    async ask (question) {
      const { method, target, company, named, body, conditions, patience } = question
      const { path, query } = upstreamTarget(target, contextPath)
      const credential = await authorization(target)
      return await told(exchange({
        reading: question,
        company,
        toItsEnd: method === 'POST' || method === 'DELETE',
        shares,
        bulk,
        clock,
        answered (result, ms) { onAnswer(method, result, ms) },
        send (handler, isAlone) {
          const headers = requestHeaders(named && isAlone ? company.members[0]?.asker : undefined, credential)
          const options: Dispatcher.DispatchOptions = {
            origin,
            method,
            path: query === '' ? path : `${path}?${query}`,
            headers
          }
          Object.assign(headers, conditions)
          if (body !== undefined) {
            Object.assign(headers, { 'content-type': body.contentType, 'content-length': String(body.length) })
            options.body = body.stream()
          }
          if (patience !== undefined) Object.assign(options, { headersTimeout: patience, bodyTimeout: patience })
          pool.dispatch(options, handler)
        }
      }))
    },
    async ailment () {
      probe ??= findAilment().finally(() => { probe = undefined })
      return await probe
    },
    look,
    connections: shares.standing,
    async close () {
      unfollow?.()
      await Promise.all([...pools].map(async each => { await each.destroy() }))
    }
  }
}

function openPool ({ origin, socketPath, tls: { material, serverName } = {} }: UpstreamOptions): Pool {
  const { cert, key, ca } = material?.value.texts ?? {}
  const secure = { cert, key, ca, servername: serverName, rejectUnauthorized: true }
  return new Pool(origin, {
    connections: CONNECTIONS + PROBES,
    headersTimeout: TIMEOUTS.headers,
    bodyTimeout: TIMEOUTS.body,
    keepAliveTimeout: TIMEOUTS.keepAlive,
    keepAliveMaxTimeout: TIMEOUTS.keepAlive,
    connect: { timeout: TIMEOUTS.connect, ...(socketPath === undefined ? secure : { socketPath }) }
  })
}

/** The Authorization header for what ChartMuseum demands on a route; undefined sends none. */
function authorizer (
  auth: UpstreamAuth
): (request: Pick<ChartRequest, 'route' | 'tenant'>) => Promise<string | undefined> {
  switch (auth.kind) {
    case 'none': return async () => undefined
    case 'basic': {
      const credential = 'Basic ' + Buffer.from(`${auth.username}:${auth.password}`).toString('base64')
      return async () => credential
    }
    case 'bearer': return async ({ route, tenant }) => {
      const action = routeOf(route).upstreamAction
      return `Bearer ${await auth.mint({ type: 'artifact-repository', name: tenant, action })}`
    }
  }
}
