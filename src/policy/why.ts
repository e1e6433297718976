// Why not, and what else? The rules read the other way round, for people who ask: the rule
// that is nearest to a right that is missing, and all rights of somebody. Decisions are
// made elsewhere (decide.ts).
import { ACTIONS, type Action } from '../words/access.ts'
import { nearest } from '../files/mistakes.ts'
import { matchesTenant, type PolicyRule } from './rules.ts'

/** A rule that would allow it if this one thing were otherwise. */
export interface NearRule {
  /** Its index. */
  readonly rule: number
  readonly lacks: 'action' | 'subject' | 'tenant'
}

/**
 * The rule nearest to a right that no rule gives: first one that gives these subjects something
 * else there, then one that gives it there to others, then one that gives it to them elsewhere.
 * @returns undefined when no rule comes near
 */
export function nearestRule (
  rules: readonly PolicyRule[],
  subjects: readonly string[],
  tenant: string,
  action: Action
): NearRule | undefined {
  const lacking = (lacks: NearRule['lacks']): NearRule[] => rules.flatMap((rule, i) => {
    const has = {
      action: rule.actions.includes(action),
      subject: rule.subjects.some(subject => subjects.includes(subject)),
      tenant: rule.repositories.some(pattern => matchesTenant(pattern.split('/'), tenant))
    }
    return Object.entries(has).every(([what, there]) => there === (what !== lacks)) ? [{ rule: i, lacks }] : []
  })
  const elsewhere = lacking('tenant')
  const patterns = elsewhere.flatMap(({ rule }) => (rules[rule] as PolicyRule).repositories)
  const mistyped = nearest(tenant, patterns)
  const meant = elsewhere.find(({ rule }) => mistyped !== undefined && rules[rule]?.repositories.includes(mistyped))
  return lacking('action')[0] ?? lacking('subject')[0] ?? meant ?? elsewhere[0]
}

/** What somebody may do on the tenants of one pattern. */
export interface PatternRights {
  readonly tenants: string
  readonly actions: readonly Action[]
  /** The rules that give it, by index. */
  readonly rules: readonly number[]
}

/** All that the rules give these subjects, for each pattern that a rule of theirs has. */
export function rightsOf (rules: readonly PolicyRule[], subjects: readonly string[]): PatternRights[] {
  const own = rules.flatMap(({ repositories, subjects: named, actions }, rule) => {
    return named.some(subject => subjects.includes(subject))
      ? repositories.map(pattern => ({ pattern, actions, rule }))
      : []
  })
  return [...new Set(own.map(({ pattern }) => pattern))].map(tenants => {
    const over = own.filter(({ pattern }) => covers(pattern.split('/'), tenants.split('/')))
    return {
      tenants,
      actions: ACTIONS.filter(action => over.some(({ actions }) => actions.includes(action))),
      rules: [...new Set(over.map(({ rule }) => rule))]
    }
  })
}

/** True when every tenant of the narrow pattern is one of the wide one. */
function covers (wide: readonly string[], narrow: readonly string[]): boolean {
  for (const [i, part] of wide.entries()) {
    if (part === '**') return narrow.length > i
    const segment = narrow[i]
    if (segment === undefined || segment === '**' || (part !== '*' && part !== segment)) return false
  }
  return narrow.length === wide.length
}
