// Forwards the reads that have no door of their own: the API's and artifacthub-repo.yml.
// What is asked is built from the understood request, what comes back passes a list of
// allowed headers.
import type { Readable } from 'node:stream'
import httpProxy from '@fastify/http-proxy'
import fp from 'fastify-plugin'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { conditionsOf } from '../src/http/conditional.ts'
import { RefusalError } from '../src/http/errors.ts'
import { alone } from '../src/upstream/asker.ts'
import type { Upstreams } from '../src/upstream/upstreams.ts'
import { createProxied, headOf, type Proxied } from '../src/upstream/proxied.ts'
import { readThrough, type ReadAnswer } from '../src/upstream/read-through.ts'
import { callerOf } from './client.ts'
import { chartRequestOf } from './request-target.ts'

export interface ForwardDoorOptions { upstreams: Upstreams }

/** The library wants an origin; who is asked is decided for each request. */
const NOWHERE = 'http://upstream.invalid'

export default fp<ForwardDoorOptions>(async (app, { upstreams }) => {
  const asking = new Map<string, FastifyRequest>()
  const failures = new WeakMap<FastifyRequest, unknown>()

  async function ask (id: string): Promise<Proxied> {
    const request = asking.get(id) as FastifyRequest
    asking.delete(id)
    const answer = await answerFor(request).catch((error: unknown) => {
      failures.set(request, error)
      return 'failed' as const
    })
    return request.raw.aborted ? 'nobody' : answer // an answer that streams ends with its client
  }

  async function answerFor (request: FastifyRequest): Promise<Exclude<Proxied, string>> {
    const target = chartRequestOf(request)
    const upstream = upstreams.forReads(target.tenant)
    const conditions = conditionsOf(request.method, request.headers)
    const read = { target, company: alone(callerOf(request)), ...(conditions === undefined ? {} : { conditions }) }
    // Only what is for several is left.
    const answer = await readThrough(upstream, read) as ReadAnswer
    if (answer.kind === 'streamed') request.outcome.answeredAt = performance.now()
    if (answer.kind === 'failed') throw new RefusalError(answer.refusal, { cause: answer.cause })
    request.outcome.upstreamStatus = answer.status
    return request.method === 'HEAD' ? headOf(answer) : answer
  }

  await app.register(httpProxy, {
    upstream: NOWHERE,
    undici: createProxied(ask),
    routes: ['/forward'],
    httpMethods: ['GET', 'HEAD'],
    proxyPayloads: false,
    retryMethods: [],
    disableRequestLogging: true,
    handler: (request: FastifyRequest, reply: FastifyReply, _dest: string, options: object) => {
      asking.set(request.id, request)
      return reply.from('/', { ...options, queryString: () => '' })
    },
    replyOptions: {
      rewriteRequestHeaders: ({ id }: FastifyRequest) => ({ 'x-request-id': id }),
      onResponse: (request: FastifyRequest, reply: FastifyReply, { stream }: { stream: Readable }) => {
        reply.send(failures.get(request) ?? stream)
      }
    }
  } as Parameters<typeof httpProxy>[1])
}, { name: 'forward-door', fastify: '5.x', encapsulate: true, dependencies: ['authorize'] })
