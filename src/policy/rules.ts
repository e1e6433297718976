// Which rule of the configuration speaks of a tenant? Patterns are matched by whole
// segments: `*` is one segment, `**` is the rest; there is no prefix matching, so
// a rule for team-a can never reach team-ab.
import type { Action } from '../charts/routes.ts'

/** A rule as the configuration has it. */
export interface PolicyRule {
  readonly repositories: readonly string[]
  readonly subjects: readonly string[]
  readonly actions: readonly Action[]
}

export interface CompiledRule extends PolicyRule {
  /** Its place in the configuration, for explanations: policy[0]. */
  readonly place: string
  readonly patterns: readonly (readonly string[])[]
}

/** Rules ready to be asked. */
export function compileRules (rules: readonly PolicyRule[]): CompiledRule[] {
  return rules.map((rule, i) => ({
    ...rule,
    place: `policy[${i}]`,
    patterns: rule.repositories.map(pattern => pattern.split('/'))
  }))
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
