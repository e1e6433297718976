// Who asks? From credentials to a principal, the same way on every door. The master
// key and tokens may come as Bearer or as the password of Basic, under any user name,
// because stock Helm speaks only Basic.
import { createHash, timingSafeEqual } from 'node:crypto'
import type { ReasonCode } from '../http/errors.ts'
import type { Verifier } from '../tokens/verify.ts'
import { looksLikeToken, type Credentials } from './credentials.ts'
import { ANONYMOUS, MASTER, type Principal } from './principal.ts'

export type Authentication =
  | { readonly ok: true, readonly principal: Principal }
  | { readonly ok: false, readonly code: ReasonCode }

export interface Authenticator {
  /** Answers at once where no signature has to be checked for the first time. */
  authenticate (credentials: Credentials): Authentication | Promise<Authentication>
}

const AUTHENTICATED_ANONYMOUS: Authentication = { ok: true, principal: ANONYMOUS }
const AUTHENTICATED_MASTER: Authentication = { ok: true, principal: MASTER }
const BAD_CREDENTIALS: Authentication = { ok: false, code: 'bad_credentials' }

/**
 * @param masterKey empty: there is none
 */
export function createAuthenticator (masterKey: string, verifier: Verifier): Authenticator {
  const isMasterKey = secretComparer(masterKey)

  function bySecret (secret: string): Authentication | Promise<Authentication> {
    if (looksLikeToken(secret)) return verifier.remembered(secret) ?? verifier.verify(secret)
    return isMasterKey(secret) ? AUTHENTICATED_MASTER : BAD_CREDENTIALS
  }

  return {
    authenticate (credentials) {
      switch (credentials.kind) {
        case 'none': return AUTHENTICATED_ANONYMOUS
        case 'bearer': return bySecret(credentials.token)
        case 'basic': return bySecret(credentials.password)
        case 'malformed': return BAD_CREDENTIALS
      }
    }
  }
}

/** Compares with a secret in a time that tells nothing of it; false for everything when it is empty. */
function secretComparer (secret: string): (candidate: string) => boolean {
  if (secret === '') return () => false
  const digest = (text: string): Buffer => createHash('sha256').update(text).digest()
  const expected = digest(secret)
  return candidate => timingSafeEqual(digest(candidate), expected)
}
