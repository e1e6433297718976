// What became of a request? One record for each, filled in where it is answered: whose
// credentials came, what allowed it or why it was refused, and what it changed. Whatever
// tells of requests (the log, outcome-line.ts; the audit log, audit/event.ts) reads this and
// nothing else of them.
import type { Refusal } from '../http/errors.ts'
import type { TokenProof } from '../words/principal.ts'

/** What a push was found to be; digests are SHA-256, hex. */
export interface UploadFacts {
  readonly chart: string
  readonly version: string
  /** Of the archive, and its size in bytes; undefined for a provenance file alone. */
  readonly digest: string | undefined
  readonly bytes: number | undefined
  /** The digest of the provenance file. */
  readonly provenance: string | undefined
  /** It is attached to the manifest with this digest; then `digest` is that of its own manifest, and `bytes` of all. */
  readonly attachedTo?: string
}

/** What a token request asked for and was granted, as scopes. */
export interface TokenFacts {
  readonly asked: string
  readonly granted?: string
}

/** How credentials came, and under which name; that may be a secret, and is never told as it is. */
export interface LoginFacts {
  readonly method: 'basic' | 'bearer' | 'certificate' | 'none'
  readonly name?: string
}

/** How an index was made: from memory, with somebody else's question, of bytes that were known, or anew. */
export type IndexMade = 'fresh' | 'shared' | 'kept' | 'rewritten'

/** What a request waited for, and what it got; filled in by whoever asks the upstream for it. */
export interface Waits {
  /** When it began to wait; 0: it does not. Both are milliseconds of the clock of its arrival. */
  askedAt: number
  /** In all, for the upstream and for its client's bytes. */
  waited: number
  made: IndexMade | undefined
}

/** What most requests never have. */
interface Seldom {
  /** How the credentials came, where that is not the Authorization header. */
  login: LoginFacts | undefined
  refusal: Refusal | undefined
  /** What stood in the way, where the refusal does not say it: never for the client. */
  because: string | undefined
  /** Why something behind the gateway failed, in full: never for the client. */
  failure: unknown
  upload: UploadFacts | undefined
  token: TokenFacts | undefined
  /** The token that was issued. */
  issued: TokenProof | undefined
  /** Of the intent that is recorded (`audit.required`). */
  eventId: string | undefined
  /** When a large answer began, whose end is up to its client; 0: it is not large. */
  answeredAt: number
  /** It counts already: as one that is never answered, or as the bytes in which it broke. */
  isCounted: boolean
  /** Its one line is written. */
  isLogged: boolean
  /** Its outcome is in the audit log. */
  isAudited: boolean
}

export interface Outcome extends Seldom {}
export class Outcome implements Waits {
  /** When it came; milliseconds of a clock that only goes on. */
  readonly arrivedAt = performance.now()
  /** Whose the credentials are; of refused ones, the account that they were about. */
  subject: string | undefined = undefined
  /** Which token came, if one did. */
  proof: TokenProof | undefined = undefined
  /** The rules that allowed it, or what else did. */
  allowedBy: string | undefined = undefined
  /** The status of the chart repository's last answer to it; what several share is nobody's. */
  upstreamStatus: number | undefined = undefined
  askedAt = 0
  waited = 0
  made: IndexMade | undefined = undefined
  /** It is answered with charts. */
  hasCharts = false
}

// Once for all requests: with half of the members of its own each record is half as large.
const USUALLY: Seldom = {
  login: undefined,
  refusal: undefined,
  because: undefined,
  failure: undefined,
  upload: undefined,
  token: undefined,
  issued: undefined,
  eventId: undefined,
  answeredAt: 0,
  isCounted: false,
  isLogged: false,
  isAudited: false
}
Object.assign(Outcome.prototype, USUALLY)

/** Refused for another reason than that the client has gone. */
export function isRefused ({ refusal }: Outcome): boolean {
  return refusal !== undefined && refusal.code !== 'upload_aborted'
}
