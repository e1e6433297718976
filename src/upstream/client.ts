// Who answers? The one way to the chart repository: a pool of connections in which
// everybody has a share, and the credential that each request is sent with. A client's own
// credential never gets here.
import type { IncomingHttpHeaders } from 'node:http'
import type { Readable } from 'node:stream'
import { Pool, type Dispatcher } from 'undici'
import type { ChartRequest } from '../chartmuseum/chart-request.ts'
import type { Conditions } from '../http/conditional.ts'
import { RefusalError, type ReasonCode } from '../http/errors.ts'
import { requestHeaders } from '../http/headers.ts'
import type { Company } from '../lib/company.ts'
import type { Live } from '../lib/live.ts'
import { createBulk } from '../lib/bulk.ts'
import type { Later } from '../lib/timers.ts'
import { createShares, type Connections } from '../limits/shares.ts'
import type { Material } from '../tls/material.ts'
import type { Asking } from './asker.ts'
import { LONGEST_ERROR, foundWithout, speaksOfAnOutage, type UpstreamAnswer } from './answers.ts'
import { createBreaker, type Breaker, type BreakerOptions } from './breaker.ts'
import { authorizer, type UpstreamAuth } from './credential.ts'
import { exchange, type Reading } from './exchange.ts'
import { upstreamTarget } from '../chartmuseum/upstream-target.ts'

export type { UpstreamAuth } from './credential.ts'

/** How long is waited for what; milliseconds. */
export interface Patience {
  /** For a connection. */
  readonly connect: number
  /** For the beginning of an answer. */
  readonly headers: number
  /** Between two pieces of one. */
  readonly body: number
  /** For all of the health page. */
  readonly health: number
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
  /**
   * How it is spoken to over TLS: the name and the authorities that its certificate, which is
   * verified always, has to be of, and a certificate of ours; left out: the host of its
   * origin, those that Node.js knows, and none.
   */
  readonly tls?: Live<Material> | undefined
  /** Hears that it did not answer a request as it should: nobody else may be answered either. */
  readonly onTrouble?: () => void
  /** Hears what came of each question, and in how many milliseconds (exchange.ts). */
  readonly onAnswer?: (method: Question['method'], result: number | ReasonCode, ms: number) => void
  /** Hears when clients are refused because it does not answer at all, and when they no more are (breaker.ts). */
  readonly onBreaker?: BreakerOptions['onChange']
  /** Laid over PATIENCE: what a test cannot wait for. */
  readonly waits?: Partial<Patience>
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
  /** Of a read: it is not sent again over another connection when one breaks; another address is asked first. */
  readonly once?: boolean
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
   * @throws RefusalError when there is no answer, or nobody is to wait for one now,
   * NobodyThere when nobody waits for one, and what a credential that cannot be minted throws
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
  /** Whether it is worth a question. */
  readonly breaker: Pick<Breaker, 'state' | 'isOpen'>
  close (): Promise<void>
}

export const PATIENCE: Patience = { connect: 5_000, headers: 30_000, body: 60_000, health: 2_000 }
/** Below the 30 s after which ChartMuseum closes an idle connection (pkg/config/vars.go, http timeouts). */
const KEEP_ALIVE = 20_000
/** Of this process, for what clients ask. */
const CONNECTIONS = 128
/** How many of them large downloads may have, so that an index or a small file never waits for one of those. */
const LARGE = CONNECTIONS * 3 / 4
/** For what says whether the repository is healthy. */
const PROBES = 1

/** What answers reads: one upstream, or several as one (elsewhere.ts). */
export type Reads = Pick<Upstream, 'ask' | 'takesConditions'>

/** Opens the pool; no connection is made before the first request. */
export function createUpstream (options: UpstreamOptions): Upstream {
  const { origin, contextPath, auth, takesConditions = false, onTrouble = () => {} } = options
  const { onAnswer = () => {}, onBreaker = () => {} } = options
  const waits = { ...PATIENCE, ...options.waits }
  let pool = openPool(options, waits)
  const pools = new Set([pool])
  const unfollow = options.tls?.follow(() => {
    // What runs ends over its connections; none of them is used again.
    const before = pool
    pools.add(pool = openPool(options, waits))
    void before.close().finally(() => { pools.delete(before) })
  })
  const clock = (): number => performance.now()
  const shares = createShares({
    all: CONNECTIONS,
    large: LARGE,
    clock,
    later: laterAtLeisure
  })
  const breaker = createBreaker({
    probe: async () => await lookAtHealth().then(() => 'answer', foundWithout),
    later: laterAtLeisure,
    clock,
    onChange: onBreaker
  })
  const bulk = createBulk()
  const authorization = authorizer(auth)
  const healthPath = `${contextPath}/health`
  let health: Promise<Page> | undefined

  async function look (path: string): Promise<Page> {
    const { statusCode: status, headers, body } = await pool.request({
      method: 'GET',
      path,
      signal: AbortSignal.timeout(waits.health) // also of the time to connect
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

  /** For everybody who asks at once. */
  async function lookAtHealth (): Promise<Page> {
    health ??= look(healthPath).finally(() => { health = undefined })
    return await health
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
      if (breaker.isOpen() && company.members[0]?.asker.insists !== true) {
        throw new RefusalError({ code: 'upstream_away' })
      }
      const { path, query } = upstreamTarget(target, contextPath)
      const credential = await authorization(target)
      return await told(exchange({
        reading: question,
        company,
        toItsEnd: method === 'POST' || method === 'DELETE',
        once: question.once === true,
        shares,
        bulk,
        breaker,
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
      try {
        const { status } = await lookAtHealth()
        if (status === 200) return undefined
        onTrouble()
        return `the chart repository does not say that it is healthy (${status} for ${healthPath})`
      } catch {
        onTrouble()
        return 'the chart repository cannot be reached'
      }
    },
    look,
    connections: shares.standing,
    breaker,
    async close () {
      breaker.close()
      unfollow?.()
      await Promise.all([...pools].map(async each => { await each.destroy() }))
    }
  }
}

/** Keeps no process from its end. */
const laterAtLeisure: Later = (ms, run) => {
  const timer = setTimeout(run, ms).unref()
  return () => { clearTimeout(timer) }
}

function openPool (
  { origin, socketPath, tls }: UpstreamOptions,
  waits: Patience
): Pool {
  const secure = { ...tls?.current.texts, servername: tls?.current.serverName, rejectUnauthorized: true }
  return new Pool(origin, {
    connections: CONNECTIONS + PROBES,
    headersTimeout: waits.headers,
    bodyTimeout: waits.body,
    keepAliveTimeout: KEEP_ALIVE,
    keepAliveMaxTimeout: KEEP_ALIVE,
    connect: { timeout: waits.connect, ...(socketPath === undefined ? secure : { socketPath }) }
  })
}
