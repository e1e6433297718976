// What does the audit log say of a request? One event of its outcome: who did what to what,
// allowed by which rule or refused for which reason. Never a header, a query or a body; of
// a name that is no account's only a keyed hash, because people type secrets there.
import { randomUUID } from 'node:crypto'
import type { Client } from '../../http/client.ts'
import { statusOf, type Refusal } from '../../http/errors.ts'
import { REASON_GROUPS } from '../../http/reasons.ts'
import { chartFileOf } from '../../words/chart-names.ts'
import { readSubject } from '../../words/subject.ts'
import type { LoginFacts, Outcome, UploadFacts } from '../outcome.ts'
import {
  AUDIT_CATEGORY, AUDIT_SCHEMA, type AuditAction, type AuditActor, type AuditEvent, type AuditOutcome
} from './schema.ts'

/** Who is known by a name, and what stands for a name of nobody. */
export interface Naming {
  /** The subject of the account with this name; undefined when there is none. */
  subjectNamed (name: string): string | undefined
  /** A keyed hash, the same for the same name in every process and after a restart. */
  hashName (name: string): string
}

/** What was asked, and by whom. */
export interface AuditedRequest {
  readonly id: string
  readonly action: AuditAction
  readonly client: Client
  readonly login: LoginFacts
  readonly door?: 'authz' | undefined
  readonly tenant?: string | undefined
  readonly chart?: string | undefined
  readonly version?: string | undefined
  readonly file?: string | undefined
  /** SHA-256 of what a registry's client named by it, in hex. */
  readonly digest?: string | undefined
}

/** Statuses that say: not you. */
const DENIED: ReadonlySet<number> = new Set([401, 403, 429])
/** No credentials are no failed login, and who has gone has failed at nothing. */
const { missing_credentials: _none, client_gone: _gone, ...LOGIN_FAILURES } = REASON_GROUPS['who asks']

/**
 * The event of a request.
 * @param phase `intent` before a change is made, `outcome` for what became of it
 * @param now milliseconds of the clock that the outcome's arrival is from
 */
export function requestEvent (
  outcome: Outcome,
  asked: AuditedRequest,
  naming: Naming,
  phase: AuditEvent['phase'],
  now: number
): AuditEvent {
  const { refusal, upload, token, issued } = outcome
  const action = refusal !== undefined && isLoginFailure(refusal) ? 'login' : actionOf(asked, upload)
  return withoutGaps({
    ...beginning(outcome.eventId ?? randomUUID(), phase, action),
    outcome: phase === 'intent' ? undefined : outcomeOf(refusal),
    reason: refusal?.code,
    actor: actorOf(outcome, asked.login, naming),
    tenant: asked.tenant,
    chart: upload?.chart ?? asked.chart,
    version: upload?.version ?? asked.version,
    file: upload === undefined ? asked.file : fileOf(upload),
    digest: upload?.digest ?? asked.digest,
    attached_to: upload?.attachedTo,
    provenance: upload?.provenance,
    size: upload?.bytes,
    rule: outcome.allowedBy,
    door: asked.door,
    request_id: asked.id,
    trace_id: asked.client.trace?.slice(3, 35),
    client: clientOf(asked.client),
    upstream_status: outcome.upstreamStatus,
    duration_ms: Math.max(0, Math.round(now - outcome.arrivedAt)),
    token: token === undefined
      ? undefined
      : withoutGaps({ ...token, id: issued?.tokenId, key_id: issued?.keyId })
  })
}

/** What is done to something attached is done to no version. */
function actionOf ({ action }: AuditedRequest, upload: UploadFacts | undefined): AuditAction {
  if (upload?.attachedTo === undefined) return action
  return action === 'delete' ? 'detach' : 'attach'
}

/** The file of a version; what is attached to one has none there. */
function fileOf ({ chart, version, attachedTo }: UploadFacts): string | undefined {
  return attachedTo === undefined ? chartFileOf(chart, version) : undefined
}

/** Something that was done without a request: by a command, or by the process itself. */
export interface DeedFacts {
  readonly action: AuditAction
  readonly outcome: AuditOutcome | undefined
  readonly actor: AuditActor
  readonly object?: string | undefined
  readonly detail?: string | undefined
  readonly lines?: number
}

/** The process itself, of which nobody asked what it does. */
export const PROCESS_ACTOR: AuditActor = { subject: 'process', kind: 'process', method: 'none' }

/** The event of a deed; without an outcome it is the intent. */
export function deedEvent (facts: DeedFacts, id: string = randomUUID()): AuditEvent {
  const { action, ...rest } = facts
  return withoutGaps({ ...beginning(id, rest.outcome === undefined ? 'intent' : 'outcome', action), ...rest })
}

/** True for credentials that are nobody's, or that do not count. */
export function isLoginFailure ({ code }: Refusal): boolean {
  return Object.hasOwn(LOGIN_FAILURES, code)
}

function beginning (
  id: string,
  phase: AuditEvent['phase'],
  action: AuditAction
): Pick<AuditEvent, 'category' | 'schema' | 'event_id' | 'time' | 'phase' | 'action'> {
  const time = new Date().toISOString()
  return { category: AUDIT_CATEGORY, schema: AUDIT_SCHEMA, event_id: id, time, phase, action }
}

function outcomeOf (refusal: Refusal | undefined): AuditOutcome {
  if (refusal === undefined) return 'success'
  // However it is told: a token that is not taken is a denied one, with whichever status.
  return DENIED.has(statusOf({ code: refusal.code })) ? 'denied' : 'failure'
}

function actorOf ({ subject, proof, refusal }: Outcome, { method, name }: LoginFacts, naming: Naming): AuditActor {
  if (subject !== undefined) {
    const ids = proof?.federated?.ids
    return withoutGaps({ subject, kind: kindOf(subject), method, token_id: proof?.tokenId, key_id: proof?.keyId, ids })
  }
  // Only of a login that failed the name was asked for: of anything else it says nothing.
  if (refusal !== undefined && isLoginFailure(refusal) && name !== undefined) {
    const known = naming.subjectNamed(name)
    if (known !== undefined) return { subject: known, kind: kindOf(known), method }
    return { ...UNKNOWN, method, name_hash: naming.hashName(name) }
  }
  return method === 'none' ? { subject: 'anonymous', kind: 'anonymous', method } : { ...UNKNOWN, method }
}

const UNKNOWN = { subject: 'unknown', kind: 'unknown' } as const

/** `user` of user:alice; what has no kind is anonymous. */
function kindOf (subject: string): AuditActor['kind'] {
  const { kind } = readSubject(subject)
  return kind === '' ? 'anonymous' : kind as AuditActor['kind']
}

function clientOf ({ address, proxy }: Client): AuditEvent['client'] {
  return withoutGaps<NonNullable<AuditEvent['client']>>({
    address: proxy ?? address,
    forwarded: proxy === undefined ? undefined : address
  })
}

type Gappy<T> = { [K in keyof T]: T[K] | undefined }

/** The same without what is undefined: JSON has no such thing. */
function withoutGaps<T extends object> (value: Gappy<T>): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T
}
