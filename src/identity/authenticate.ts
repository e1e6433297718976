// Who asks? From credentials to a principal, the same way on every door. Tokens, the
// master key and the secrets of robots may come as Bearer or as the password of Basic,
// under any user name, because stock Helm speaks only Basic; the password of a user comes
// under the user's own name.
import { hash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { ReasonCode } from '../http/errors.ts'
import { putBounded } from '../put-bounded.ts'
import type { Verifier } from '../tokens/verify.ts'
import type { Accounts, User } from './accounts.ts'
import { looksLikeToken, type Credentials } from './credentials.ts'
import { createPasswords, type Passwords } from './passwords.ts'
import { ANONYMOUS, MASTER, type Principal } from './principal.ts'
import { digestOf, looksLikeSecret } from './robots.ts'

export type Authentication =
  | {
    readonly ok: true
    readonly principal: Principal
    /** The same for who sends the very same credentials once more: as it is then, without reading or hashing them; undefined when that has to be done again. */
    readonly again?: () => Authentication | undefined
  }
  | { readonly ok: false, readonly code: ReasonCode, /** the account that it was about, where there is one; for the log */ readonly subject?: string }

export interface Authenticator {
  /** What a token proved that came in the same header before, where that still stands: one look-up, and nothing is read. */
  remembered (header: string): Authentication | undefined
  /**
   * Answers at once where nothing has to be hashed or verified for the first time.
   * @param header the Authorization header that they come from, if they do
   */
  authenticate (credentials: Credentials, header?: string): Authentication | Promise<Authentication>
}

export interface AuthenticatorOptions {
  /** Empty: there is none. */
  readonly masterKey: string
  readonly verifier: Verifier
  /** As they are now. */
  readonly accounts: () => Accounts
  /** Seconds since the epoch. */
  readonly now: () => number
  readonly passwords?: Passwords
}

const AUTHENTICATED_ANONYMOUS: Authentication = { ok: true, principal: ANONYMOUS }
const AUTHENTICATED_MASTER: Authentication = { ok: true, principal: MASTER, again: () => AUTHENTICATED_MASTER }
const BAD_CREDENTIALS: Authentication = { ok: false, code: 'bad_credentials' }

export function createAuthenticator ({ masterKey, verifier, accounts, now, passwords = createPasswords() }: AuthenticatorOptions): Authenticator {
  const isMasterKey = secretComparer(masterKey)
  const checkPassword = createPasswordCheck(accounts, passwords, now)
  const byRobotSecret = createRobotCheck(accounts, now)

  /** What may come without a name; undefined when the secret is none of these. */
  function bySecret (secret: string, header = secret): Authentication | Promise<Authentication> | undefined {
    if (looksLikeToken(secret)) return verifier.remembered(header) ?? verifier.verify(secret, header)
    if (looksLikeSecret(secret)) return byRobotSecret(digestOf(secret))
    return isMasterKey(secret) ? AUTHENTICATED_MASTER : undefined
  }

  return {
    remembered: verifier.remembered,
    authenticate (credentials, header) {
      switch (credentials.kind) {
        case 'none': return AUTHENTICATED_ANONYMOUS
        case 'bearer': return bySecret(credentials.token, header) ?? BAD_CREDENTIALS
        case 'basic': return bySecret(credentials.password, header) ?? checkPassword(credentials.username, credentials.password)
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
    return now() < expires ? { ok: true, principal, again: () => check(digest) } : { ok: false, code: 'secret_expired', subject: principal.subject }
  }
  return check
}

/** Seconds that a verified password is remembered. */
const REMEMBERED_FOR = 60
const MOST_REMEMBERED = 10_000

type PasswordCheck = (username: string, password: string) => Authentication | Promise<Authentication>

/**
 * Checks passwords, and remembers a good one for a minute under a keyed hash, so that
 * Helm's Basic costs a slow hash once and not for each request. What is remembered
 * counts only while the account is as it was.
 */
function createPasswordCheck (accounts: () => Accounts, passwords: Passwords, now: () => number): PasswordCheck {
  const key = randomBytes(32).toString('latin1')
  const remembered = new Map<string, { readonly passwordHash: string, readonly until: number }>()
  /** The same credentials at once are hashed once. */
  const checking = new Map<string, Promise<Authentication>>()

  async function check (name: string, user: User | undefined, username: string, password: string): Promise<Authentication> {
    // An unknown user costs a hash too, or its time would tell who is there.
    const stored = user?.passwordHash ?? accounts().commonHash
    const matches = stored !== undefined && await passwords.matches(password, stored)
    if (user === undefined) return BAD_CREDENTIALS
    const { subject } = user.principal
    if (!matches) return { ok: false, code: 'bad_password', subject }
    const current = accounts().users.get(username)
    if (current?.passwordHash !== stored) return BAD_CREDENTIALS // changed while it was hashed
    if (current.disabled) return { ok: false, code: 'account_disabled', subject }
    putBounded(remembered, name, { passwordHash: stored, until: now() + REMEMBERED_FOR }, MOST_REMEMBERED)
    return { ok: true, principal: current.principal, again: () => known(name, username) }
  }

  /** What is remembered, as far as it stands. */
  function known (name: string, username: string): Authentication | undefined {
    const user = accounts().users.get(username)
    const entry = remembered.get(name)
    if (entry === undefined || user === undefined || entry.passwordHash !== user.passwordHash || entry.until <= now()) return undefined
    return user.disabled ? { ok: false, code: 'account_disabled', subject: user.principal.subject } : { ok: true, principal: user.principal, again: () => known(name, username) }
  }

  return (username, password) => {
    const name = hash('sha256', `${key}${username.length}:${username}${password}`, 'base64')
    const before = known(name, username)
    if (before !== undefined) return before
    const running = checking.get(name)
    if (running !== undefined) return running
    const result = check(name, accounts().users.get(username), username, password).finally(() => { checking.delete(name) })
    checking.set(name, result)
    return result
  }
}
