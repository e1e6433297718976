// Tells the audit log of a request (src/observe/audit/event.ts): at the moments at which the
// log is told, by request-log.ts; and where it is required, of what is about to be done.
import { randomUUID } from 'node:crypto'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { RefusalError, type Refusal } from '../src/http/errors.ts'
import { loginOf, readCredentials } from '../src/identity/credentials.ts'
import type { Auditing, IfNot } from '../src/observe/audit/auditing.ts'
import { requestEvent, type AuditedRequest } from '../src/observe/audit/event.ts'
import { auditLine } from '../src/observe/audit/line.ts'
import { Outcome } from '../src/observe/outcome.ts'
import { askedOfCharts } from './request-target.ts'

declare module 'fastify' {
  interface FastifyInstance {
    /** Where the audit log goes; the admin listener has none. */
    auditing?: Auditing
  }
}

/** Records what became of a request, unless it is, or is nothing that is recorded. */
export function auditOutcome (request: FastifyRequest): void {
  const { outcome } = request
  if (outcome.isAudited || isNothing(request)) return
  outcome.isAudited = true
  auditingOf(request).output.write(lineOf(request, outcome, 'outcome'))
}

/**
 * The same of a change, and where it is required resolves when that is on the disk.
 * @param ifNot whether the line is still of use when it is not
 * @returns false when it is not
 */
export async function recordOutcome (request: FastifyRequest, ifNot: IfNot): Promise<boolean> {
  const { outcome } = request
  const { record } = auditingOf(request).output
  if (record === undefined) {
    auditOutcome(request)
    return true
  }
  outcome.isAudited = true
  const recorded = await record(lineOf(request, outcome, 'outcome'), ifNot)
  outcome.isAudited = recorded || ifNot === 'keep'
  return recorded
}

/**
 * Records, where that is required, that a change is about to be made.
 * @throws RefusalError when it cannot be recorded
 */
export async function recordIntent (request: FastifyRequest): Promise<void> {
  const { record } = auditingOf(request).output
  if (record === undefined) return
  const { outcome } = request
  outcome.eventId = randomUUID()
  if (!await record(lineOf(request, outcome, 'intent'), 'drop')) throw new RefusalError({ code: 'audit_unavailable' })
}

/** Records that a change that was about to be made was not: its client went before. */
export function auditAbandoned (request: FastifyRequest): void {
  const { outcome } = request
  if (outcome.eventId === undefined) return
  outcome.isAudited = true
  const abandoned = Object.assign(new Outcome(), outcome, { refusal: { code: 'client_gone' } })
  auditingOf(request).output.write(lineOf(request, abandoned, 'outcome'))
}

/** Records the refusal of bytes that are no request. */
export function auditUnread (
  { auditing }: Pick<FastifyInstance, 'auditing'>,
  id: string,
  address: string | undefined,
  refusal: Refusal
): void {
  if (auditing === undefined) return
  const outcome = Object.assign(new Outcome(), { refusal })
  const client = { address, isProxy: false, proto: '', host: '' }
  const asked = { id, action: 'request', client, login: { method: 'none' }, door: auditing.door } as const
  auditing.output.write(auditLine(requestEvent(outcome, asked, auditing, 'outcome', performance.now())))
}

/** Whether an answer that is allowed hands out a token: that is recorded by whichever method it was asked for. */
export function issuesToken ({ target }: FastifyRequest): boolean {
  return target.kind === 'own' && target.endpoint === 'token'
}

/** Of what is allowed only what touches charts or tokens is recorded. */
function isNothing (request: FastifyRequest): boolean {
  return request.outcome.refusal === undefined && askedOfCharts(request) === undefined && !issuesToken(request)
}

function lineOf (request: FastifyRequest, outcome: Outcome, phase: 'intent' | 'outcome'): string {
  const event = requestEvent(outcome, auditedOf(request), auditingOf(request), phase, performance.now())
  return auditLine(event)
}

function auditedOf (request: FastifyRequest): AuditedRequest {
  const { id, client, outcome, headers } = request
  const { door } = auditingOf(request)
  const login = outcome.login ?? loginOf(readCredentials(headers.authorization), headers.authorization)
  const base = { id, client, login, door }
  const asked = askedOfCharts(request)
  if (asked === undefined) return { ...base, action: issuesToken(request) ? 'token.issue' : 'request' }
  const { tenant, chart, version, file, digest, access } = asked
  return { ...base, action: access.action, tenant, chart, version, file, digest }
}

function auditingOf ({ server }: FastifyRequest): Auditing {
  return server.auditing as Auditing // request-log.ts sees to it
}
