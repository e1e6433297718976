// Who asks? From credentials to a principal, the same way on every door. Tokens, the
// master key and the secrets of robots may come as Bearer or as the password of Basic,
// under any user name, because stock Helm speaks only Basic; the password of a user comes
// under the user's own name.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ReasonCode } from '../http/errors.ts'
import type { Clock } from '../lib/clock.ts'
import { createAttempts, type Asker, type Attempts, type Verdict } from '../limits/attempts.ts'
import type { Watched } from '../lib/watched.ts'
import { putBounded } from '../lib/put-bounded.ts'
import type { Verifier } from '../tokens/verify.ts'
import type { Accounts, User } from './accounts.ts'
import { looksLikeToken, type Credentials } from './credentials.ts'
import { isName } from '../words/subject.ts'
import { createPasswords, type Passwords } from './sources/passwords.ts'
import { ANONYMOUS, MASTER, type Principal } from '../words/principal.ts'
import { digestOf, looksLikeSecret } from './sources/robot-secret.ts'

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
  }

export interface Authenticator {
  /** Of those whose password waits to be checked. */
  readonly queue: Watched
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
  authenticate (credentials: Credentials, asker: Asker, header?: string): Authentication | Promise<Authentication>
}

export interface AuthenticatorOptions {
  /** Empty: there is none. */
  readonly masterKey: string
  readonly verifier: Verifier
  /** As they are now. */
  readonly accounts: () => Accounts
  readonly clock: Clock
  readonly passwords?: Passwords
}

const AUTHENTICATED_ANONYMOUS: Authentication = { ok: true, principal: ANONYMOUS }
const AUTHENTICATED_MASTER: Authentication = { ok: true, principal: MASTER, again: () => AUTHENTICATED_MASTER }
const BAD_CREDENTIALS: Authentication = { ok: false, code: 'bad_credentials' }

export function createAuthenticator (options: AuthenticatorOptions): Authenticator {
  const { masterKey, verifier, accounts, clock } = options
  const isMasterKey = secretComparer(masterKey)
  const attempts = createAttempts(clock.monotonic)
  const checkPassword = createPasswordCheck(options, attempts)
  const byRobotSecret = createRobotCheck(accounts, clock.wall)

  /**
   * What may come without a name; undefined when the secret is none of these. A token is
   * remembered by the header that it would come in, so that two doors share what is known
   * of it.
   */
  function bySecret (
    secret: string,
    header = `Bearer ${secret}`
  ): Authentication | Promise<Authentication> | undefined {
    if (looksLikeToken(secret)) return verifier.remembered(header) ?? verifier.verify(secret, header)
    if (looksLikeSecret(secret)) return byRobotSecret(digestOf(secret))
    return isMasterKey(secret) ? AUTHENTICATED_MASTER : undefined
  }

  return {
    queue: attempts.queue,
    remembered: verifier.remembered,
    authenticate (credentials, asker, header) {
      switch (credentials.kind) {
        case 'none': return AUTHENTICATED_ANONYMOUS
        case 'bearer': return bySecret(credentials.token, header) ?? BAD_CREDENTIALS
        case 'basic':
          return bySecret(credentials.password, header) ??
            checkPassword(credentials.username, credentials.password, asker)
        case 'malformed': return BAD_CREDENTIALS
      }
    }
  }
}

/** Compares with a secret in a time that tells nothing of it; false for everything when it is empty. */
function secretComparer (secret: string): (candidate: string) => boolean {
  if (secret === '') return () => false
  const digest = (text: string): Buffer => hash('sha256', text, 'buffer')
  const expected = digest(secret)
  return candidate => timingSafeEqual(digest(candidate), expected)
}

function createRobotCheck (accounts: () => Accounts, now: () => number): (digest: string) => Authentication {
  function check (digest: string): Authentication {
    const found = accounts().secrets.get(digest)
    if (found === undefined) return BAD_CREDENTIALS
    const { robot: { principal, disabled }, secret: { notBefore = -Infinity, expires = Infinity } } = found
    if (disabled) return { ok: false, code: 'account_disabled', subject: principal.subject }
    if (now() < notBefore) return { ok: false, code: 'secret_not_yet_valid', subject: principal.subject }
    return now() < expires
      ? { ok: true, principal, again: () => check(digest) }
      : { ok: false, code: 'secret_expired', subject: principal.subject }
  }
  return check
}

/** Seconds that a verified password is remembered. */
const REMEMBERED_FOR = 60
const MOST_REMEMBERED = 10_000

type PasswordCheck = (username: string, password: string, asker: Asker) => Authentication | Promise<Authentication>

/**
 * Checks passwords, and remembers a good one for a minute under a keyed hash, so that
 * Helm's Basic costs a slow hash once and not for each request. What is remembered
 * counts only while the account is as it was.
 */
function createPasswordCheck (
  { accounts, clock: { monotonic }, passwords = createPasswords() }: AuthenticatorOptions,
  attempts: Attempts
): PasswordCheck {
  const key = randomBytes(32).toString('latin1')
  const remembered = new Map<string, { readonly passwordHash: string, readonly until: number }>()

  /** What is remembered, as far as it stands. */
  function known (name: string, username: string): Authentication | undefined {
    const user = accounts().users.get(username)
    const entry = remembered.get(name)
    if (
      entry === undefined || user === undefined ||
      entry.passwordHash !== user.passwordHash || entry.until <= monotonic()
    ) {
      return undefined
    }
    return user.disabled
      ? { ok: false, code: 'account_disabled', subject: user.principal.subject }
      : { ok: true, principal: user.principal, again: () => known(name, username) }
  }

  /** @param stored the hash that it was right for */
  function enter (name: string, username: string, stored: string): Authentication {
    const current = accounts().users.get(username)
    if (current?.passwordHash !== stored) return BAD_CREDENTIALS // changed while it was hashed
    const { principal } = current
    if (current.disabled) return { ok: false, code: 'account_disabled', subject: principal.subject }
    putBounded(remembered, name, { passwordHash: stored, until: monotonic() + REMEMBERED_FOR }, MOST_REMEMBERED)
    return { ok: true, principal, again: () => known(name, username) }
  }

  return (username, password, asker) => {
    const name = hash('sha256', `${key}${username.length}:${username}${password}`, 'base64')
    const before = known(name, username)
    if (before !== undefined) return before
    const user = accounts().users.get(username)
    // An unknown user costs a hash too, or its time would tell who is there.
    const stored = user?.passwordHash ?? accounts().commonHash
    const compare = stored === undefined ? undefined : passwords.comparison(password, stored)
    if (stored === undefined || compare === undefined) return wrong(user)
    const account = isName(username) ? username : ''
    return attempts.judge({ name: `${name} ${stored}`, account, asker, compare })
      .then(verdict => {
        return verdict === 'right' && user !== undefined
          ? enter(name, username, stored)
          : refusal(verdict, user)
      })
  }
}

function refusal (verdict: Verdict, user: User | undefined): Authentication {
  switch (verdict) {
    case 'gone': return { ok: false, code: 'client_gone' }
    case 'refused': return { ok: false, code: 'too_many_attempts' }
    case 'wrong':
    case 'right': return wrong(user) // right for the hash that stood in for an unknown user's
  }
}

function wrong (user: User | undefined): Authentication {
  return user === undefined ? BAD_CREDENTIALS : { ok: false, code: 'bad_password', subject: user.principal.subject }
}
