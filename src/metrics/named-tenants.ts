// Which tenants did somebody write into a rule? Those of patterns without a wildcard, of the
// rules that are in force; read again when others are.

interface Rule { readonly repositories: readonly string[] }
/** One policy or two (src/live/authority.ts). */
type Policies = readonly (readonly Rule[] | undefined)[]

/** @param policies those in force now: another value when they changed */
export function createNamedTenants (policies: () => Policies): (tenant: string) => boolean {
  let known: Policies | undefined
  let names: ReadonlySet<string> = new Set()
  return tenant => {
    const current = policies()
    if (current !== known) {
      known = current
      names = new Set(current.flatMap((rules = []) => rules.flatMap(({ repositories }) =>
        repositories.filter(repository => !repository.includes('*')))))
    }
    return names.has(tenant)
  }
}
