// Who asks? The result of authentication that the policy judges.
import type { Moment } from '../lib/clock.ts'
import type { Grant } from './access.ts'

export interface Principal {
  readonly kind: 'anonymous' | 'key' | 'user' | 'robot' | 'token'
  /** The subject as tokens and the log write it: `anonymous`, `key:master`, `user:alice`, `robot:team-a-ci`. */
  readonly subject: string
  /**
   * Every subject of a rule that speaks of this principal, `user:alice` and
   * `group:team-a` as well as `authenticated` and `anonymous`.
   */
  readonly subjects: readonly string[]
  /** What a token proves. When it is there it alone decides, and the policy is not asked again. */
  readonly grants?: readonly Grant[]
  /** When the token expires, by both clocks. */
  readonly expires?: Moment
}

/** What is allowed to everyone, whoever they are. */
export const EVERYONE = 'anonymous'
/** What is allowed to whoever has an account here. */
export const AUTHENTICATED = 'authenticated'

export const ANONYMOUS: Principal = { kind: 'anonymous', subject: EVERYONE, subjects: [EVERYONE] }
export const MASTER: Principal = { kind: 'key', subject: 'key:master', subjects: [AUTHENTICATED, EVERYONE] }

/** The principal of an account. */
export function accountPrincipal (kind: 'user' | 'robot', name: string, groups: readonly string[]): Principal {
  const subject = `${kind}:${name}`
  return { kind, subject, subjects: [subject, ...groups.map(group => `group:${group}`), AUTHENTICATED, EVERYONE] }
}

/** The principal of a token: its grants, and beside them what is open to everyone. */
export function tokenPrincipal (subject: string, grants: readonly Grant[], expires: Moment): Principal {
  return { kind: 'token', subject, subjects: [EVERYONE], grants, expires }
}
