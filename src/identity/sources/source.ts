// What is a source of identities? It takes credentials for its own or passes them on, and
// says of whoever it let in before whether they are still there. A new kind of credentials
// is a new source in the list of ../sources.ts.
import type { ReasonCode } from '../../http/errors.ts'
import type { Claimant } from '../../limits/attempts.ts'
import type { Principal } from '../../words/principal.ts'

export type Authentication =
  | {
    readonly ok: true
    readonly principal: Principal
    /**
     * The same for who sends the very same credentials once more: as it is then, without
     * reading or hashing them; undefined when that has to be done again.
     */
    readonly again?: () => Authentication | undefined
  }
  | {
    readonly ok: false
    readonly code: ReasonCode
    /** The account that it was about, where there is one; for the log. */
    readonly subject?: string
    /** What stands in the way, where the code does not say it; for the log, and never for who asks. */
    readonly because?: string
    /** Seconds after which it may be tried again, where that is known. */
    readonly retryAfter?: number
  }

/** Something secret, and the name that it came under: that of Basic, which need not be anybody's. */
export interface Presented {
  readonly secret: string
  /** Undefined with Bearer. */
  readonly username: string | undefined
  /** The Authorization header that it came in, if it did. */
  readonly header: string | undefined
}

export interface IdentitySource {
  /** What it knows it knows by the secret alone, whatever name it comes under, and at once. */
  readonly bySecret?: true
  /**
   * Answers at once where nothing has to be hashed or verified for the first time.
   * @param asker who waits for it
   * @returns undefined when it is nothing of this source's
   */
  authenticate (presented: Presented, asker: Claimant): Authentication | Promise<Authentication> | undefined
  /** True when the subject of a token that was issued to it may still use it. */
  isActive (subject: string): boolean
}

export const BAD_CREDENTIALS: Authentication = { ok: false, code: 'bad_credentials' }

export function tooManyFailed (retryAfter: number): Authentication {
  return { ok: false, code: 'too_many_failed_logins', retryAfter }
}
