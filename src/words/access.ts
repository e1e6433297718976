// The vocabulary of rights that every room shares: what is needed (Access) and what
// was granted (Grant). The same words as in a scope and in a token's access claim.

/** What a rule can allow. ChartMuseum itself knows only pull and push. */
export type Action = 'pull' | 'push' | 'overwrite' | 'delete'
export const ACTIONS: readonly Action[] = ['pull', 'push', 'overwrite', 'delete']

export type ResourceType = 'artifact-repository' | 'repository'

/** One right that a request needs. */
export interface Access {
  readonly type: ResourceType
  /** The tenant, or for `repository` the tenant and the chart. */
  readonly name: string
  readonly action: Action
}

/** Rights on one resource, as asked for in a scope or proven by a token. */
export interface Grant {
  readonly type: ResourceType
  readonly name: string
  readonly actions: readonly Action[]
}
