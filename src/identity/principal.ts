// Who asks? The result of authentication that the policy judges.
import type { Grant } from '../policy/access.ts'

export interface Principal {
  readonly kind: 'anonymous' | 'key' | 'user' | 'robot' | 'token'
  /** The subject as tokens, rules and the log write it: `anonymous`, `key:master`, `user:alice`, `robot:team-a-ci`. */
  readonly subject: string
  /** What a token proves. When it is there it alone decides, and the policy is not asked again. */
  readonly grants?: readonly Grant[]
  /** When the token expires, in seconds since the epoch. */
  readonly expires?: number
}

export const ANONYMOUS: Principal = { kind: 'anonymous', subject: 'anonymous' }
export const MASTER: Principal = { kind: 'key', subject: 'key:master' }
