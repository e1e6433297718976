// Gives each request the record of its outcome, and tells its readers, the log
// (src/observe/outcome-line.ts) and the audit log, of every refusal and every change; of an
// allowed read the log with `log.reads`, the audit log with `audit.reads`.
import fp from 'fastify-plugin'
import { printable } from '../src/lib/printable.ts'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { isChange as isAskedChange } from '../src/doors/authz/authz-target.ts'
import { isOciChange, isOciPreparation } from '../src/doors/oci/request.ts'
import { RefusalError } from '../src/http/errors.ts'
import type { Auditing } from '../src/observe/audit/auditing.ts'
import { Outcome, isRefused } from '../src/observe/outcome.ts'
import { outcomeLine } from '../src/observe/outcome-line.ts'
import { auditOutcome, issuesToken, recordOutcome } from './request-audit.ts'
import { askedOfCharts, type AskedOfCharts } from './request-target.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** What became of it, as far as that is known. */
    outcome: Outcome
  }
  interface FastifyReply {
    /** Tells of a refusal: at once, so that who leaves before the answer keeps nothing out of the log. */
    logRefusal (): void
  }
}

export interface RequestLogOptions {
  /** Whether allowed reads are logged, now. */
  reads: () => boolean
  auditing: Auditing
}

export default fp<RequestLogOptions>(async (app, { reads, auditing }) => {
  app.decorate('auditing', auditing)
  app.decorateRequest('outcome')
  app.decorateReply('logRefusal', function (this: FastifyReply) {
    // A broken body is one when its sender is still there to be told, and else an abort (running.ts).
    if (isRefused(this.request.outcome)) tellRefusal(this)
    else this.raw.once('finish', () => { tellRefusal(this) })
  })
  // No onResponse hook: it would cost every request two listeners, and most write no line.
  app.addHook('onRequest', (request, reply, done) => {
    request.outcome = new Outcome()
    reply.header('x-request-id', request.id)
    if (!isChange(request)) {
      if (reads()) reply.raw.once('finish', () => { logOutcome(reply) })
      if (auditing.reads()) reply.raw.once('close', () => { auditRead(request, reply) })
    }
    done()
  })
}, { name: 'request-log', fastify: '5.x', dependencies: ['request-target', 'client'] })

/**
 * Tells of what a door has done, before it answers: when that is decided, and not when the
 * answer has left.
 * @throws RefusalError where it has to be recorded and cannot be; what was done stays done
 */
export async function tellChange (reply: FastifyReply): Promise<void> {
  const { request } = reply
  // A token that nobody gets, a yes that nobody hears: nothing was done yet.
  const isOnlySaid = issuesToken(request) || request.target.kind === 'authz'
  if (!await recordOutcome(request, isOnlySaid ? 'drop' : 'keep')) {
    throw new RefusalError({ code: isOnlySaid ? 'audit_unavailable' : 'audit_outcome_lost' })
  }
  if (isChange(request)) logOutcome(reply)
}

/** Also of a read whose client left before its end: it has nearly all of the file, maybe. */
function auditRead (request: FastifyRequest, { raw }: FastifyReply): void {
  if (raw.headersSent && !issuesToken(request) && !isPreparation(request)) auditOutcome(request)
}

function tellRefusal (reply: FastifyReply): void {
  logOutcome(reply)
  auditOutcome(reply.request)
}

function logOutcome ({ request, statusCode }: FastifyReply): void {
  const { outcome, log } = request
  if (outcome.isLogged) return
  outcome.isLogged = true
  const { level, fields, message } = outcomeLine(outcome, whatAndWho(request), statusCode, performance.now())
  log[level](fields, message)
}

/** A manifest that is attached to another one is known for a change when it has been read. */
function isChange ({ target, method, outcome }: FastifyRequest): boolean {
  if (target.kind === 'authz') return isAskedChange(target.request)
  if (target.kind === 'oci') return isOciChange(target.request) || outcome.upload !== undefined
  return method === 'POST' || method === 'DELETE'
}

/** It is no read, and the push that it belongs to is recorded when it is made. */
function isPreparation ({ target }: FastifyRequest): boolean {
  return target.kind === 'oci' && isOciPreparation(target.request)
}

/** What is asked, and who asks; never a header, a query or a body. */
export function whatAndWho (request: FastifyRequest): Record<string, unknown> {
  const { target, outcome, method, server: { auditing } } = request
  const base = { door: auditing?.door, ip: request.client.address, method, subject: outcome.subject }
  switch (target.kind) {
    case 'own': return { ...base, route: target.endpoint, ...outcome.token }
    case 'refused': {
      const { asked = { method, target: request.originalUrl } } = target
      return { ...base, method: asked.method, path: pathOf(asked.target) }
    }
    case 'authz': return { ...base, method: target.request.method, ...shownRequest(target.request) }
    case 'chart': return { ...base, ...shownRequest(target.request) }
    case 'oci': {
      const asked = askedOfCharts(request)
      return { ...base, ...(asked === undefined ? { route: target.request.route } : shownRequest(asked)) }
    }
  }
}

function shownRequest (asked: AskedOfCharts): Record<string, unknown> {
  const { route, tenant, chart, version, file, digest, access } = asked
  return {
    route,
    tenant,
    action: access.action,
    chart: shownName(chart),
    version: shownName(version),
    file: shownName(file),
    digest
  }
}

function shownName (name: string | undefined): string | undefined {
  return name === undefined ? undefined : printable(name)
}

/**
 * The received path without its query, which may hold a secret; nothing of a target that
 * is no path (it may hold a password).
 */
function pathOf (received: string): string | undefined {
  return received.startsWith('/') ? (received.split('?', 1)[0] as string).slice(0, 200) : undefined
}
