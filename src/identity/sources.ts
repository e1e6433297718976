// Who can say who somebody is? The list of sources, in the order in which they are asked:
// what may come under any name before what needs the right one.
import type { Attempts } from '../limits/attempts.ts'
import type { Clock } from '../lib/clock.ts'
import { EVERYONE } from '../words/subject.ts'
import type { Accounts } from './accounts.ts'
import { createMasterKeySource } from './sources/master-key.ts'
import { createPasswords, type Passwords } from './sources/passwords.ts'
import { createRobotSource } from './sources/robots.ts'
import type { IdentitySource } from './sources/source.ts'
import { createUserSource } from './sources/users.ts'

export interface AccountSourcesOptions {
  /** As it is now; empty: there is none. */
  readonly masterKey: () => string
  /** As they are now. */
  readonly accounts: () => Accounts
  readonly clock: Clock
  readonly attempts: Attempts
  /** How passwords are checked; the slow hashes if left out. */
  readonly passwords?: Passwords
  /** Where clients show certificates. */
  readonly certificates?: IdentitySource | undefined
}

/** All who have an account here. Tokens are of them, and so no part of this. */
export function createAccountSources (
  { masterKey, accounts, clock, attempts, passwords = createPasswords(), certificates }: AccountSourcesOptions
): readonly IdentitySource[] {
  return [
    createRobotSource(accounts, clock.wall),
    createMasterKeySource(masterKey),
    createUserSource({ accounts, monotonic: clock.monotonic, passwords, attempts }),
    ...certificates === undefined ? [] : [certificates]
  ]
}

/** True when a token's subject is still somebody: of a source, or nobody in particular. */
export function isSomebody (sources: readonly IdentitySource[], subject: string): boolean {
  return subject === EVERYONE || sources.some(source => source.isActive(subject))
}
