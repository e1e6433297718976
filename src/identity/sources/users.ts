// Which user is it? The password of a user, under the user's own name.
import { hash } from 'node:crypto'
import type { Claimant, Attempts, Verdict } from '../../limits/attempts.ts'
import { putBounded } from '../../lib/put-bounded.ts'
import { isName } from '../../words/subject.ts'
import { isActive, type Accounts, type User } from '../accounts.ts'
import type { Passwords } from './passwords.ts'
import { BAD_CREDENTIALS, tooManyFailed, type Authentication, type IdentitySource } from './source.ts'

/** Seconds that a verified password is remembered. */
const REMEMBERED_FOR = 60
const MOST_PASSWORDS = 10_000

export interface UserSourceOptions {
  /** As they are now. */
  readonly accounts: () => Accounts
  /** Seconds of a clock that only goes on. */
  readonly monotonic: () => number
  readonly passwords: Passwords
  /** Whose turn it is to have a password checked. */
  readonly attempts: Attempts
}

/**
 * Checks passwords, and remembers a good one for a minute under a keyed hash, so that
 * Helm's Basic costs a slow hash once and not for each request. What is remembered
 * counts only while the account is as it was.
 */
export function createUserSource ({ accounts, monotonic, passwords, attempts }: UserSourceOptions): IdentitySource {
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
    // Also of one that is disabled, or who knows its password would have it hashed each time.
    putBounded(remembered, name, { passwordHash: stored, until: monotonic() + REMEMBERED_FOR }, MOST_PASSWORDS)
    if (current.disabled) return { ok: false, code: 'account_disabled', subject: principal.subject }
    return { ok: true, principal, again: () => known(name, username) }
  }

  function check (
    username: string,
    password: string,
    asker: Claimant
  ): Authentication | Promise<Authentication> {
    const name = hash('sha256', `${attempts.key}${username.length}:${username}${password}`, 'base64')
    const before = known(name, username)
    if (before !== undefined) return before
    const user = accounts().users.get(username)
    // An unknown user costs a hash too, or its time would tell who is there.
    const stored = user?.passwordHash ?? accounts().commonHash
    const compare = stored === undefined ? undefined : passwords.comparison(password, stored)
    if (stored === undefined || compare === undefined) return wrong(user, password)
    const account = isName(username) ? username : ''
    // What stands in for an unknown user's hash is somebody's, and to know that one lets nobody in.
    const isRight = async (): Promise<boolean> => await compare() && user !== undefined
    return attempts.judge({ name: `${name} ${stored}`, account, asker, compare: isRight })
      .then(verdict => verdict === 'right' ? enter(name, username, stored) : refusal(verdict, user, password))
  }

  return {
    authenticate: ({ username, secret }, asker) => username === undefined ? undefined : check(username, secret, asker),
    isActive: subject => isActive(accounts().users, 'user', subject)
  }
}

function refusal (verdict: Exclude<Verdict, 'right'>, user: User | undefined, password: string): Authentication {
  if (verdict === 'gone') return { ok: false, code: 'client_gone' }
  if (verdict === 'refused') return { ok: false, code: 'too_many_attempts' }
  return verdict === 'wrong' ? wrong(user, password) : tooManyFailed(verdict.again)
}

/** That a blank or a line end stands around it is seen in what was sent alone: a second hash would tell more. */
function wrong (user: User | undefined, password: string): Authentication {
  if (user === undefined) return BAD_CREDENTIALS
  const code = password.trim() === password ? 'bad_password' : 'padded_password'
  return { ok: false, code, subject: user.principal.subject }
}
