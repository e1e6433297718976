// Who is there, and who may do what? Accounts files and the policy of the configuration,
// as one value that is replaced whole: at the start, and whenever a file changes.
import { gatherAccounts, type Accounts } from '../identity/accounts.ts'
import { compileRules, type RuleSet } from '../policy/rules.ts'
import { ruleWarnings } from '../policy/warnings.ts'
import { readAccountsFile } from './accounts-file.ts'
import type { Config } from './schema.ts'

export interface Authority {
  readonly accounts: Accounts
  readonly rules: RuleSet
}

export type AuthorityResult =
  | { readonly ok: true, readonly authority: Authority, /** one line each */ readonly warnings: readonly string[] }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

/** Reads the accounts files that the configuration names, and compiles its rules. */
export async function loadAuthority ({ accounts: { files }, policy, charts, file }: Config): Promise<AuthorityResult> {
  const read = await Promise.all(files.map(readAccountsFile))
  const mistakes = read.flatMap(each => each.mistakes)
  if (mistakes.length > 0) return { ok: false, mistakes }
  const gathered = gatherAccounts(read.flatMap(each => each.users), read.flatMap(each => each.robots))
  if (!gathered.ok) return gathered
  const { accounts } = gathered
  const warnings = ruleWarnings(policy, accounts, charts.depth).map(({ rule, sentence }) => `${file === undefined ? '' : `${file}:${policy[rule]?.line}: `}policy[${rule}]: ${sentence}`)
  return { ok: true, authority: { accounts, rules: compileRules(policy) }, warnings }
}
