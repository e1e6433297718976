// Which rules are probably not what somebody meant? A pattern that no tenant of this
// depth can have, and a subject that no file knows. Warnings only: an account that was
// removed must be gone, also while a rule still names it.
import { readSubject } from '../words/subject.ts'
import type { Accounts } from '../identity/accounts.ts'
import type { CertificateEntry } from '../identity/certificate-accounts.ts'
import { isNamedLikeAFile } from '../lib/tenant-segment.ts'
import { ROOT_TENANT, isReservedFirstSegment, type Depth } from '../words/tenant.ts'
import { atOnce, type Steps } from '../lib/steps.ts'
import type { PolicyRule } from '../policy/rules.ts'

/** A sentence about a rule: `policy[2]: …`. */
export interface RuleWarning {
  /** Which rule, from 0. */
  readonly rule: number
  readonly sentence: string
}

export function ruleWarnings (rules: readonly PolicyRule[], known: Known, depth: Depth): RuleWarning[] {
  return atOnce(warning(rules, known, depth))
}

/** The same in steps. */
export function * warning (rules: readonly PolicyRule[], known: Known, depth: Depth): Steps<RuleWarning[]> {
  const warnings: RuleWarning[] = []
  for (const [rule, { repositories, subjects }] of rules.entries()) {
    for (const pattern of repositories) {
      if (!canMatch(pattern.split('/'), depth)) {
        const which = depth === 'dynamic' ? '' : `of depth ${depth}`
        warnings.push({ rule, sentence: `the pattern ${pattern} can never match a tenant ${which}`.trimEnd() })
      }
    }
    for (const subject of subjects) {
      if (!isKnown(subject, known)) warnings.push({ rule, sentence: `the subject ${subject} is ${nowhere(subject)}` })
    }
    yield
  }
  return warnings
}

/** True when some tenant has this pattern. */
function canMatch (pattern: readonly string[], depth: Depth): boolean {
  const [first] = pattern as [string]
  const open = pattern.at(-1) === '**'
  if (depth === 0) return pattern.length === 1 && (first.startsWith('*') || first === ROOT_TENANT)
  if (isReservedFirstSegment(first, depth) || pattern.some(isNamedLikeAFile)) return false
  // `**` stands for one segment at least.
  return depth === 'dynamic' || (open ? pattern.length <= depth : pattern.length === depth)
}

/** Who is there. */
export interface Known extends Pick<Accounts, 'users' | 'robots' | 'groups'> {
  readonly certificates?: readonly CertificateEntry[]
  /** Whose jobs are put into groups. */
  readonly jobs?: readonly { readonly groups: readonly string[] }[]
}

function nowhere (subject: string): string {
  return readSubject(subject).kind === 'cert' ? 'not in identity.certificates' : 'in no accounts file'
}

/** True when somebody who is there can be meant. */
export function isKnown (subject: string, { users, robots, groups, certificates = [], jobs = [] }: Known): boolean {
  const { kind, name } = readSubject(subject)
  switch (kind) {
    case 'user': return users.has(name)
    case 'robot': return robots.has(name)
    case 'cert': return certificates.some(each => each.name === name)
    case 'group':
      return groups.has(name) || [...certificates, ...jobs].some(each => each.groups?.includes(name))
    default: return true // anonymous, authenticated
  }
}
