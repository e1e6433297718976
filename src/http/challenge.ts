// How is a client asked who it is? The values of WWW-Authenticate: Bearer first,
// because OCI clients read only the first one, then Basic, which is all that stock
// Helm can do (RFC 9110 section 11.6.1, RFC 6750 section 3).
import type { Access, Grant } from '../words/access.ts'

/** What a challenge says of this gateway; from the configuration, never from a request. */
export interface ChallengeSource {
  /** Absolute URL of the token endpoint. */
  readonly realm: string
  readonly service: string
}

/** Only when a credential came and was not enough (RFC 6750 section 3.1). */
export type ChallengeError = 'invalid_token' | 'insufficient_scope'

/**
 * The values of two WWW-Authenticate headers, in order.
 * @param access the right that the request needs, or those that its client will; none on doors that want only an
 * identity
 */
export function challenges (
  source: ChallengeSource,
  access: Access | Grant | undefined,
  error?: ChallengeError
): string[] {
  const parameters = [`realm=${quote(source.realm)}`, `service=${quote(source.service)}`]
  if (access !== undefined) {
    const actions = 'action' in access ? [access.action] : access.actions
    parameters.push(`scope=${quote(`${access.type}:${access.name}:${actions.join(',')}`)}`)
  }
  if (error !== undefined) parameters.push(`error=${quote(error)}`)
  return [`Bearer ${parameters.join(',')}`, basicChallenge(source)]
}

/** The Basic challenge alone, for the token endpoint (RFC 6749 section 5.2). */
export function basicChallenge (source: ChallengeSource): string {
  return `Basic realm=${quote(source.service)}, charset="UTF-8"`
}

/** A quoted-string (RFC 9110 section 5.6.4). */
export function quote (value: string): string {
  return `"${value.replace(/["\\]/g, '\\$&')}"`
}
