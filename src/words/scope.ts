// What does a token request ask for? Scopes, read and written: the grammar of the
// Docker token specification with ChartMuseum's resource type (distribution
// docs/content/spec/auth/scope.md; its documented type grammar has no hyphen and is
// not used here).
import { ACTIONS, type Action, type Access, type Grant, type ResourceType } from './access.ts'
import { isChartName } from './chart-names.ts'
import { ROOT_TENANT, isTenantName, type Depth } from './tenant.ts'

export type ScopeResult =
  | { readonly ok: true, readonly grants: Grant[] }
  | { readonly ok: false, readonly detail: string }

const MOST_SCOPES = 32

/**
 * Reads `scope` parameters: each may hold several scopes, divided by spaces.
 * Actions of the same resource are put together; an action or a resource type that
 * is not ours can never be granted and is left out, as partial grants always are.
 */
export function parseScopes (parameters: readonly string[], depth: Depth): ScopeResult {
  const scopes = parameters.flatMap(parameter => parameter.split(' ')).filter(scope => scope !== '')
  if (scopes.length > MOST_SCOPES) {
    return { ok: false, detail: `too many scopes: at most ${MOST_SCOPES} in one request` }
  }
  const byResource = new Map<string, Grant>()
  for (const scope of scopes) {
    const grant = parseScope(scope, depth)
    if (typeof grant === 'string') return { ok: false, detail: grant }
    const key = `${grant.type}:${grant.name}`
    const before = byResource.get(key)?.actions ?? []
    byResource.set(key, { ...grant, actions: [...new Set([...before, ...grant.actions])] })
  }
  return { ok: true, grants: [...byResource.values()].filter(grant => grant.actions.length > 0) }
}

/** One scope, split at its first and last colon; a sentence when it is none. */
function parseScope (scope: string, depth: Depth): Grant | string {
  const first = scope.indexOf(':')
  const last = scope.lastIndexOf(':')
  const form = 'a scope is <type>:<name>:<action>[,<action>], for example artifact-repository:org1/repo1:pull,push'
  if (first <= 0 || last <= first + 1) return `a scope has a wrong form: ${form}`
  const type = scope.slice(0, first).replace(/\([^()]*\)$/, '')
  const name = scope.slice(first + 1, last)
  if (!/^[a-z0-9]+(?:[-._][a-z0-9]+)*$/.test(type)) return `a scope has a wrong resource type: ${form}`
  if (!/^[\x21-\x7e]+$/.test(name)) return `a scope has a wrong name: ${form}`
  const actions = scope.slice(last + 1).split(',')
  if (!actions.every(action => /^(?:[a-z]+|\*)?$/.test(action))) return `a scope has a wrong action: ${form}`
  if (!isResourceType(type) || !isResourceName(type, name, depth)) {
    return { type: 'artifact-repository', name, actions: [] }
  }
  return { type, name, actions: ACTIONS.filter(action => actions.includes(action)) }
}

function isResourceType (type: string): type is ResourceType {
  return type === 'artifact-repository' || type === 'repository'
}

/** A tenant, or for `repository` a tenant and the chart in it, as OCI clients name it. */
function isResourceName (type: ResourceType, name: string, depth: Depth): boolean {
  if (type === 'artifact-repository') return isTenantName(name, depth)
  const slash = name.lastIndexOf('/')
  const isInRoot = (depth === 0 || depth === 'dynamic') && slash < 0
  const [tenant, chart] = isInRoot
    ? [ROOT_TENANT, name]
    : [name.slice(0, Math.max(slash, 0)), name.slice(slash + 1)]
  return isTenantName(tenant, depth) && isChartName(chart)
}

/** The text of grants as a `scope` member or parameter. */
export function formatScopes (grants: readonly Grant[]): string {
  return grants.map(grant => `${grant.type}:${grant.name}:${grant.actions.join(',')}`).join(' ')
}

/** The single rights that grants are made of. */
export function accessesOf (grant: Grant): Access[] {
  return grant.actions.map((action: Action) => ({ type: grant.type, name: grant.name, action }))
}
