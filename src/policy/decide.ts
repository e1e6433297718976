// May they? The decision of one right, pure and total, for every kind of credential.
// Rules only add; what is not allowed by one is denied.
import { ROOT_TENANT } from '../words/tenant.ts'
import { mayEnterRegistry, type Principal } from '../words/principal.ts'
import type { Access, Grant } from '../words/access.ts'
import type { RuleSet } from './rules.ts'

export type Decision =
  | { readonly allowed: true, /** what allowed it: `master key`, `token`, or a rule's place */ readonly by: string }
  | { readonly allowed: false }

const DENIED: Decision = { allowed: false }
const BY_MASTER_KEY: Decision = { allowed: true, by: 'master key' }
const BY_TOKEN: Decision = { allowed: true, by: 'token' }

/** Decides one access of one principal. */
export function decide (principal: Principal, access: Access, rules: RuleSet): Decision {
  // A token speaks for itself, whoever it was issued to: its grants are the policy of
  // the moment of issue, narrowed to what was asked. Beside them it opens what is public.
  if (principal.grants !== undefined) {
    if (provenBy(principal.grants, access) && isDoorOf(principal, access)) return BY_TOKEN
  } else if (principal.kind === 'key') return BY_MASTER_KEY
  const tenant = tenantOf(access)
  const by = principal.rights?.find(tenant, access.action) ?? rules.find(principal.subjects, tenant, access.action)
  return by === undefined ? DENIED : { allowed: true, by }
}

/** The tenant that rules speak of: a `repository` is named by its tenant and the chart in it. */
function tenantOf ({ type, name }: Access): string {
  if (type === 'artifact-repository') return name
  const slash = name.lastIndexOf('/')
  return slash < 0 ? ROOT_TENANT : name.slice(0, slash)
}

function isDoorOf (principal: Principal, { type }: Access): boolean {
  return type === 'artifact-repository' || mayEnterRegistry(principal)
}

/** What is granted on a tenant is so on each of its charts, also as a registry's repository; never the other way. */
function provenBy (grants: readonly Grant[], access: Access): boolean {
  return grants.some(({ type, name, actions }) =>
    actions.includes(access.action) && name === (type === access.type ? access.name : tenantOf(access)) &&
    (type === access.type || type === 'artifact-repository'))
}
