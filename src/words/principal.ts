// Who asks? The result of authentication that the policy judges.
import type { Moment } from '../lib/clock.ts'
import type { Action, Grant } from './access.ts'
import { AUTHENTICATED, EVERYONE, subjectOf, type AccountKind } from './subject.ts'

export interface Principal {
  readonly kind: 'anonymous' | 'key' | 'user' | 'robot' | 'cert' | 'ci' | 'token'
  /**
   * The subject as tokens and the log write it: `anonymous`, `key:master`, `user:alice`,
   * `robot:ci`, `cert:ci`, `ci:github:owner/repository`.
   */
  readonly subject: string
  /**
   * Every subject of a rule that speaks of this principal, `user:alice` and
   * `group:team-a` as well as `authenticated` and `anonymous`.
   */
  readonly subjects: readonly string[]
  /** What a token proves. When it is there it alone decides, and the policy is not asked again. */
  readonly grants?: readonly Grant[]
  /** Of a token that goes back to another token server: that one's open the registry too (`oci`). */
  readonly opensRegistry?: true
  /** What is allowed to it alone, beside what rules say of its subjects. */
  readonly rights?: OwnRights
  /** When the token expires, by both clocks. */
  readonly expires?: Moment
  /** Which token it was. */
  readonly proof?: TokenProof
  /** Of a token that counts at the token endpoint alone, and there once. */
  readonly exchangeOnly?: OnceToken
}

/** What a token is remembered by that counts once. */
export interface OnceToken {
  /** Who issued it. */
  readonly provider: string
  /** What no two tokens share, in base64url. */
  readonly name: string
  /** How long it is remembered. */
  readonly seconds: number
  /** Not later than it was issued, by whichever clock. */
  readonly issued: Moment
}

export interface OwnRights {
  /** What gives them: federation.rules[0]. */
  readonly place: string
  /** All of them, by tenant pattern. */
  readonly rows: readonly { readonly tenants: string, readonly actions: readonly Action[] }[]
  /** The place of what allows it; undefined: nothing does. */
  find (tenant: string, action: Action): string | undefined
}

/** Names of a token and its key, which are no secrets. */
export interface TokenProof {
  /** `jti` (RFC 7519 section 4.1.7). */
  readonly tokenId?: string
  /** `kid` (RFC 7515 section 4.1.4). */
  readonly keyId?: string
  /** Of a job's own token, and of one that was issued for it. */
  readonly federated?: Federated
}

/** Which rule of `federation` takes a job's token, and whose job it is. */
export interface Federated {
  /** Names what the rule says: another text is another rule. */
  readonly rule: string
  /** Ids that the platform gives to nobody else later, for the audit log. */
  readonly ids: Readonly<Record<string, string>>
}

const OF_AN_ISSUER = subjectOf('issuer', '')

export const ANONYMOUS: Principal = { kind: 'anonymous', subject: EVERYONE, subjects: [EVERYONE] }
export const MASTER: Principal = {
  kind: 'key',
  subject: subjectOf('key', 'master'),
  subjects: [AUTHENTICATED, EVERYONE]
}

/** The principal of an account. */
export function accountPrincipal (kind: AccountKind, name: string, groups: readonly string[]): Principal {
  const subject = subjectOf(kind, name)
  const ofGroups = groups.map(group => subjectOf('group', group))
  return { kind, subject, subjects: [subject, ...ofGroups, AUTHENTICATED, EVERYONE] }
}

/** True for who may be let into the registry at all: of tokens of other token servers those that `oci` says. */
export function mayEnterRegistry ({ subject, opensRegistry }: Principal): boolean {
  return opensRegistry === true || !subject.startsWith(OF_AN_ISSUER)
}

/** The principal of a token: its grants, and beside them what is open to everyone. */
export function tokenPrincipal (
  subject: string,
  grants: readonly Grant[],
  expires: Moment,
  proof?: TokenProof
): Principal {
  const isNamed = proof !== undefined && Object.values(proof).some(each => each !== undefined)
  return { kind: 'token', subject, subjects: [EVERYONE], grants, expires, ...(isNamed ? { proof } : {}) }
}
