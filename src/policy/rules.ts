// Which rules speak of a tenant and a subject? Patterns are matched by whole segments:
// `*` is one segment, `**` is the rest; there is no prefix matching, so a rule for team-a
// can never reach team-ab. Rules only add, so their order means nothing, and they are
// kept by subject and by the beginning of their patterns: with thousands of them a
// decision looks at the few that can matter.
import type { Action } from '../words/access.ts'
import { atOnce, type Steps } from '../lib/steps.ts'

/** A rule as the configuration has it. */
export interface PolicyRule {
  readonly repositories: readonly string[]
  readonly subjects: readonly string[]
  readonly actions: readonly Action[]
}

/** One pattern of one rule. */
interface RuleEntry {
  readonly pattern: readonly string[]
  readonly actions: readonly Action[]
  readonly place: string
}

/** What one subject's rules say, by what their patterns begin with. */
interface SubjectRules {
  /** Patterns without a star, by the tenant that they are. */
  readonly exact: Map<string, RuleEntry[]>
  /** Patterns with a star further on, by their first segment. */
  readonly byFirst: Map<string, RuleEntry[]>
  /** Patterns that begin with a star. */
  readonly anywhere: RuleEntry[]
}

/** Rules ready to be asked; swapped whole at a reload. */
export interface RuleSet {
  /**
   * The place of a rule that allows this to one of the subjects; undefined when none does.
   * @param subjects as a principal has them
   */
  find (subjects: readonly string[], tenant: string, action: Action): string | undefined
}

/** @param rules in the configuration's order, which gives them their place: policy[0] */
export function compileRules (rules: readonly PolicyRule[]): RuleSet {
  return atOnce(compiling(rules))
}

/** The same in steps. */
export function * compiling (rules: readonly PolicyRule[]): Steps<RuleSet> {
  const bySubject = new Map<string, SubjectRules>()
  for (const [i, { repositories, subjects, actions }] of rules.entries()) {
    for (const subject of subjects) {
      let own = bySubject.get(subject)
      if (own === undefined) bySubject.set(subject, own = { exact: new Map(), byFirst: new Map(), anywhere: [] })
      for (const repository of repositories) {
        putRule(own, repository, { pattern: repository.split('/'), actions, place: `policy[${i}]` })
      }
    }
    yield
  }
  return {
    find (subjects, tenant, action) {
      const slash = tenant.indexOf('/')
      const first = slash < 0 ? tenant : tenant.slice(0, slash)
      for (const subject of subjects) {
        const own = bySubject.get(subject)
        if (own === undefined) continue
        const place = findIn(own.exact.get(tenant), tenant, action) ??
          findIn(own.byFirst.get(first), tenant, action) ??
          findIn(own.anywhere, tenant, action)
        if (place !== undefined) return place
      }
      return undefined
    }
  }
}

/** What both allow; the place is the second one's. */
export function bothAllow (one: RuleSet, other: RuleSet): RuleSet {
  return {
    find: (subjects, tenant, action) => {
      return one.find(subjects, tenant, action) === undefined ? undefined : other.find(subjects, tenant, action)
    }
  }
}

function putRule (own: SubjectRules, repository: string, entry: RuleEntry): void {
  const [first] = entry.pattern as [string]
  if (!repository.includes('*')) append(own.exact, repository, entry)
  else if (first === '*' || first === '**') own.anywhere.push(entry)
  else append(own.byFirst, first, entry)
}

function append (map: Map<string, RuleEntry[]>, key: string, entry: RuleEntry): void {
  const entries = map.get(key)
  if (entries === undefined) map.set(key, [entry])
  else entries.push(entry)
}

function findIn (entries: readonly RuleEntry[] | undefined, tenant: string, action: Action): string | undefined {
  return entries?.find(({ pattern, actions }) => actions.includes(action) && matchesTenant(pattern, tenant))?.place
}

/** True when the pattern's segments stand for the tenant. */
export function matchesTenant (pattern: readonly string[], tenant: string): boolean {
  const segments = tenant.split('/')
  for (const [i, part] of pattern.entries()) {
    if (part === '**') return segments.length > i
    const segment = segments[i]
    if (segment === undefined || (part !== '*' && part !== segment)) return false
  }
  return segments.length === pattern.length
}
