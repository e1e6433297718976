// Accounts for tests: names, and hashes that cost little.
import * as argon2 from '@node-rs/argon2'
import * as bcrypt from '@node-rs/bcrypt'
import { gatherAccounts, type Accounts, type RobotEntry, type UserEntry } from '../../src/identity/accounts.ts'
import { createAuthenticator, type Authenticator } from '../../src/identity/authenticate.ts'
import { NO_FEDERATION } from '../../src/identity/federation/providers.ts'
import { createAccountSources, type AccountSourcesOptions } from '../../src/identity/sources.ts'
import { createFederationSource } from '../../src/identity/sources/federation.ts'
import { ALWAYS_HERE } from '../../src/lib/presence.ts'
import { createAttempts, type Claimant } from '../../src/limits/attempts.ts'
import { UNLIMITED, type LoginLimits } from '../../src/limits/logins.ts'
import type { Verifier } from '../../src/tokens/verify.ts'

/** Somebody who waits for the answer. */
export const ASKER: Claimant = { address: '192.0.2.1', presence: ALWAYS_HERE }

/** All that says who somebody is, as the gateway puts it together. */
export function authenticatorOf (verifier: Verifier, options: Omit<AccountSourcesOptions, 'attempts'>, logins: LoginLimits = UNLIMITED): Authenticator {
  const jobs = createFederationSource({ federation: () => NO_FEDERATION, ours: () => new Set(), clock: options.clock })
  return createAuthenticator(verifier, jobs, createAccountSources({ ...options, attempts: createAttempts(options.clock.monotonic, logins) }), logins)
}

/** argon2id with the least that it can cost. */
export async function cheapHash (password: string): Promise<string> {
  return await argon2.hash(password, { memoryCost: 8, timeCost: 1, parallelism: 1 })
}

export async function cheapBcrypt (password: string, version: '2a' | '2b' | '2y' = '2y'): Promise<string> {
  // The library writes $2b$; the three names stand for the same for every password that is taken here.
  return (await bcrypt.hash(password, 4)).replace('$2b$', () => `$${version}$`)
}

export function user (name: string, passwordHash: string, more: Partial<UserEntry> = {}): UserEntry {
  return { name, passwordHash, groups: [], disabled: false, place: `accounts.yaml:${name.length}`, ...more }
}

export function robot (name: string, ...digests: readonly (string | RobotEntry['secrets'][number])[]): RobotEntry {
  return { name, groups: [], disabled: false, place: `accounts.yaml:${name.length}`, secrets: digests.map(each => typeof each === 'string' ? { digest: each } : each) }
}

/** Accounts of entries that are known to be right. */
export function accountsOf (users: readonly UserEntry[], robots: readonly RobotEntry[] = []): Accounts {
  const gathered = gatherAccounts(users, robots)
  if (!gathered.ok) throw new Error(gathered.mistakes.join('\n'))
  return gathered.accounts
}
