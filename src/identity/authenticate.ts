// Who asks? From credentials to a principal, the same way on every door: the first source
// that knows them. Tokens, the master key and the secrets of robots may come as Bearer or
// as the password of Basic, under any user name, because stock Helm speaks only Basic; the
// password of a user comes under the user's own name.
import type { Claimant } from '../limits/attempts.ts'
import type { LoginLimits } from '../limits/logins.ts'
import { originOf } from '../limits/origin.ts'
import type { ReasonCode } from '../http/reasons.ts'
import type { Verifier } from '../tokens/verify.ts'
import { ANONYMOUS } from '../words/principal.ts'
import type { Credentials } from './credentials.ts'
import {
  BAD_CREDENTIALS, tooManyFailed, type Authentication, type IdentitySource, type Presented
} from './sources/source.ts'
import { createTokenSource } from './sources/tokens.ts'

export interface Authenticator {
  /**
   * What a token proved that came in the same header before, where that still stands:
   * one look-up, and nothing is read.
   */
  remembered (header: string): Authentication | undefined
  /**
   * Answers at once where nothing has to be hashed or verified for the first time.
   * @param asker who waits for it; a hash that has not begun when they go is none
   * @param header the Authorization header that they come from, if they do
   */
  authenticate (credentials: Credentials, asker: Claimant, header?: string): Authentication | Promise<Authentication>
  /** The same for who wants a token: also with what counts for nothing else (`exchangeOnly`). */
  authenticateForToken (credentials: Credentials, asker: Claimant): Authentication | Promise<Authentication>
}

const NOBODY: Authentication = { ok: true, principal: ANONYMOUS }

/** What nobody has: a guess. All else that is refused was somebody's, or a token, and is no failed login. */
const GUESSES: ReadonlySet<ReasonCode> = new Set(['bad_credentials', 'bad_password', 'padded_password'])

/**
 * @param jobs whose tokens are other issuers', which are asked for by `iss` before it is ours
 * @param accountSources who is asked, in this order, when it is no token
 * @param logins hears of what was wrong and needed no slow hash; of all others they hear by themselves
 */
export function createAuthenticator (
  verifier: Verifier,
  jobs: IdentitySource,
  accountSources: readonly IdentitySource[],
  logins: LoginLimits
): Authenticator {
  const tokens = createTokenSource(verifier)
  const sources = [jobs, tokens, ...accountSources]
  const bySecret = accountSources.filter(source => source.bySecret === true)

  function ask (presented: Presented, asker: Claimant): Authentication | Promise<Authentication> {
    const result = find(presented, asker)
    const isGuess = !(result instanceof Promise) && !result.ok && GUESSES.has(result.code)
    return isGuess ? miss(result, asker) : result
  }

  async function miss (result: Authentication, { address }: Claimant): Promise<Authentication> {
    const admission = await logins.miss(originOf(address))
    return admission.ok ? result : tooManyFailed(admission.seconds)
  }

  function find (presented: Presented, asker: Claimant): Authentication | Promise<Authentication> {
    const padded = judgePadded(presented, asker)
    if (padded !== undefined) return padded
    for (const source of sources) {
      const result = source.authenticate(presented, asker)
      if (result !== undefined) return result
    }
    return BAD_CREDENTIALS
  }

  /**
   * What is a token, or somebody's secret, but for what stands around it: a line end of a file, a
   * blank of a copy. Of a password only a hash could say so (sources/users.ts says what it can).
   */
  function judgePadded (presented: Presented, asker: Claimant): Authentication | Promise<Authentication> | undefined {
    const secret = presented.secret.trim()
    if (secret === presented.secret) return undefined
    // Not by the header that it came in: what is remembered of it would let that one in.
    const bare = { ...presented, secret, header: undefined }
    const token = jobs.authenticate(bare, asker) ?? tokens.authenticate(bare, asker)
    if (token !== undefined) return Promise.resolve(token).then(asPadded)
    for (const source of bySecret) {
      const known = source.authenticate(bare, asker) as Authentication | undefined // at once
      if (known?.ok === true) return asPadded(known)
    }
    return undefined
  }

  function judge (
    credentials: Credentials,
    asker: Claimant,
    header: string | undefined
  ): Authentication | Promise<Authentication> {
    switch (credentials.kind) {
      case 'none': return NOBODY
      case 'bearer': return ask({ secret: credentials.token, username: undefined, header }, asker)
      case 'basic': return ask({ secret: credentials.password, username: credentials.username, header }, asker)
      case 'malformed': return BAD_CREDENTIALS
    }
  }

  return {
    remembered: verifier.remembered,
    authenticate (credentials, asker, header) {
      const result = judge(credentials, asker, header)
      return result instanceof Promise ? result.then(atDoor) : atDoor(result)
    },
    authenticateForToken: (credentials, asker) => judge(credentials, asker, undefined)
  }
}

/** At a door nothing is exchanged. */
function atDoor (result: Authentication): Authentication {
  return result.ok && result.principal.exchangeOnly !== undefined
    ? { ok: false, code: 'federation_exchange_only', subject: result.principal.subject }
    : result
}

/** Of what would be let in without what stands around it. */
function asPadded (bare: Authentication): Authentication {
  return bare.ok ? { ok: false, code: 'padded_secret', subject: bare.principal.subject } : bare
}
