// May they? The one judgement of every door: what somebody is and what a request needs,
// against the rules in force. Pure and total; whose credentials they were is identity's.
import type { Refusal } from './http/errors.ts'
import type { Access, Grant } from './words/access.ts'
import { mayEnterRegistry, type Principal } from './words/principal.ts'
import { decide } from './policy/decide.ts'
import type { RuleSet } from './policy/rules.ts'
import { accessesOf } from './words/scope.ts'

export type Judgement =
  | {
    readonly allowed: true
    /** what allowed it: `master key`, `token`, or the places of rules */
    readonly by: string
  }
  | {
    readonly allowed: false
    /** the first right that is missing */
    readonly lacks: Access
    readonly refusal: Refusal
  }

type Identified =
  | { readonly allowed: true, readonly by: string }
  | { readonly allowed: false, readonly refusal: Refusal }

/**
 * Judges every right that is needed; one that is missing is enough to refuse.
 * @param cameAsBasic how the credentials came: asking again can help with a token alone
 */
export function judge (
  principal: Principal,
  needs: readonly [Access, ...Access[]],
  rules: RuleSet,
  cameAsBasic: boolean
): Judgement {
  const by = new Set<string>()
  for (const access of needs) {
    const decision = decide(principal, access, rules)
    if (!decision.allowed) return { allowed: false, lacks: access, refusal: refusalFor(principal, access, cameAsBasic) }
    by.add(decision.by)
  }
  return { allowed: true, by: [...by].join(', ') }
}

/** Judges where the registry wants to know who it is, whoever that is: a token of nobody is one too. */
export function judgeIdentity (principal: Principal): Identified {
  if (principal.kind === 'anonymous') return { allowed: false, refusal: { code: 'missing_credentials' } }
  return mayEnterRegistry(principal)
    ? { allowed: true, by: 'credentials' }
    : { allowed: false, refusal: { code: 'insufficient_scope' } }
}

/** The part of what was asked that the principal may have; an empty list is an answer too. */
export function narrow (principal: Principal, asked: readonly Grant[], rules: RuleSet): Grant[] {
  const granted: Grant[] = []
  for (const grant of asked) {
    const actions = accessesOf(grant)
      .filter(access => decide(principal, access, rules).allowed)
      .map(access => access.action)
    if (actions.length > 0) granted.push({ ...grant, actions })
  }
  return granted
}

/**
 * 401 for who has not said who they are, and for Bearer, because clients fetch a new
 * token only then; 403 for Basic, where asking again cannot help.
 */
function refusalFor (principal: Principal, { action, name }: Access, cameAsBasic: boolean): Refusal {
  if (principal.kind === 'anonymous') return { code: 'missing_credentials' }
  return cameAsBasic
    ? { code: 'missing_right', detail: `forbidden: ${action} on ${name} is not allowed` }
    : { code: 'insufficient_scope' }
}
