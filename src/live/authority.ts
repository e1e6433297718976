// Who is there, and who may do what? Accounts files and the policy of the configuration,
// as one value that is replaced whole: at the start, and whenever a file changes.
import { accountEntriesOf, gathering, type Accounts, type Gathered } from '../identity/accounts.ts'
import { hashFault } from '../identity/sources/passwords.ts'
import type { Entries } from './taken-away.ts'
import { CLOCK } from '../lib/clock.ts'
import { inTurns } from '../lib/steps.ts'
import { bothAllow, compiling, type RuleSet } from '../policy/rules.ts'
import { accountWarnings } from './account-warnings.ts'
import { warning } from './rule-warnings.ts'
import { readAccountsFile } from '../identity/sources/accounts-file.ts'
import { inWords } from '../files/mistakes.ts'
import type { Config, PlacedRule } from '../config/schema.ts'

export type Policy = readonly PlacedRule[]

/**
 * One policy; or the one that was read with the accounts, and a newer one that takes away
 * from it: then both have to allow.
 */
export type Policies = readonly [Policy, Policy?]

export interface Authority {
  readonly accounts: Accounts
  readonly rules: RuleSet
  /** What the rules were made of. */
  readonly policies: Policies
}

export type AuthorityResult =
  | { readonly ok: true, readonly authority: Authority, /** one line each */ readonly warnings: readonly string[] }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

/** Authority as plain data: what another process can begin with. */
export interface AuthorityData extends Entries { readonly policies: Policies }

/** Reads the accounts files that the configuration names, and compiles its rules. */
export async function loadAuthority (config: Config): Promise<AuthorityResult> {
  const read = await Promise.all(config.accounts.files.map(readAccountsFile))
  const mistakes = read.flatMap(each => each.mistakes)
  const entries = { users: read.flatMap(each => each.users), robots: read.flatMap(each => each.robots) }
  const authority = await authorityOf(config, entries)
  if (mistakes.length === 0) return authority
  return { ok: false, mistakes: [...mistakes, ...(authority.ok ? [] : authority.mistakes)] }
}

/** What accounts of all files, that were read sound, and the policy give together. */
export async function authorityOf (config: Config, entries: Entries): Promise<AuthorityResult> {
  const gathered = await gatherInTurns(entries)
  if (!gathered.ok) return { ok: false, mistakes: inWords('accounts.files', gathered.mistakes, each => each) }
  const { accounts } = gathered
  const { policy } = config
  const warnings = await warningsOf(config, accounts, CLOCK.wall())
  return { ok: true, authority: { accounts, rules: await rulesOf([policy]), policies: [policy] }, warnings }
}

/** What the log says of each of them. */
export const MAY_NOT_BE_MEANT = 'this may not be as it was meant'

type Warned = Pick<Config, 'policy' | 'charts' | 'file' | 'masterKey' | 'tokens' | 'identity' | 'federation'>

/** What of accounts and rules may not be as it was meant, one line each. @param now seconds since the epoch */
export async function warningsOf (config: Warned, accounts: Accounts, now: number): Promise<string[]> {
  const { policy, charts, file, identity: { certificates }, federation: { rules: jobs } } = config
  const found = await inTurns(warning(policy, { ...accounts, certificates, jobs }, charts.depth))
  const ofRules = inWords('policy', found, ({ rule, sentence }) => {
    const place = file === undefined ? '' : `${file}:${policy[rule]?.line}: `
    return `${place}policy[${rule}]: ${sentence}`
  })
  return [...ofRules, ...inWords('accounts.files', accountWarnings(config, accounts, now), each => each)]
}

/** Authority of data that was in force in another process. */
export async function authorityOfData ({ users, robots, policies }: AuthorityData): Promise<Authority> {
  const gathered = await gatherInTurns({ users, robots })
  if (!gathered.ok) throw new Error(gathered.mistakes.join()) // they were gathered before
  return { accounts: gathered.accounts, rules: await rulesOf(policies), policies }
}

export function authorityData ({ accounts, policies }: Authority): AuthorityData {
  return { ...accountEntriesOf(accounts), policies }
}

const compiled = new WeakMap<Policy, RuleSet>()

async function rulesOf ([policy, newer]: Policies): Promise<RuleSet> {
  const rules = await compiledOnce(policy)
  return newer === undefined ? rules : bothAllow(rules, await compiledOnce(newer))
}

async function compiledOnce (policy: Policy): Promise<RuleSet> {
  const rules = compiled.get(policy) ?? await inTurns(compiling(policy))
  compiled.set(policy, rules)
  return rules
}

async function gatherInTurns ({ users, robots }: Entries): Promise<Gathered> {
  // Who reads a large file does so in another thread: what checks a hash of each kind has to be in this one.
  for (const kind of ['$2', '$argon2']) {
    const first = users.find(({ passwordHash }) => passwordHash.startsWith(kind))
    const fault = first === undefined ? undefined : await hashFault(first.passwordHash)
    if (first !== undefined && fault !== undefined) {
      const mistake = `${first.place}: the passwordHash of ${first.name} cannot be used: ${fault}`
      return { ok: false, mistakes: [mistake] }
    }
  }
  return await inTurns(gathering(users, robots))
}
