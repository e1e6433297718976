// Which robot is it? A robot's secret says so, under any name.
import type { Accounts } from '../accounts.ts'
import { isActive } from '../accounts.ts'
import { digestOf, looksLikeSecret } from './robot-secret.ts'
import { BAD_CREDENTIALS, type Authentication, type IdentitySource } from './source.ts'

/**
 * @param accounts as they are now
 * @param now seconds since the epoch
 */
export function createRobotSource (accounts: () => Accounts, now: () => number): IdentitySource {
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
  return {
    bySecret: true,
    authenticate: ({ secret }) => looksLikeSecret(secret) ? check(digestOf(secret)) : undefined,
    isActive: subject => isActive(accounts().robots, 'robot', subject)
  }
}
