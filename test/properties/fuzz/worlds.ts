// Which gateways are fuzzed, and who lives behind them? One principal, who may do
// everything in one tenant, and neighbours whose every answer holds the canary.
import type { Depth } from '../../../src/words/tenant.ts'

export interface World {
  readonly name: string
  readonly depth: Depth
  readonly contextPath: string
  readonly basePath: string
  /** The tenant's name in a scope. */
  readonly tenant: string
  /** Its folder in the upstream: '' is the root. */
  readonly folder: string
  /** Part of the cases that it gets. */
  readonly share: number
}

/** In everything of a neighbour, and in nothing that is ever sent. */
export const CANARY = 'zq-canary'

export const WORLDS: readonly World[] = [
  { name: 'depth 2', depth: 2, contextPath: '', basePath: '', tenant: 'org1/repo1', folder: 'org1/repo1', share: 0.4 },
  { name: 'depth dynamic', depth: 'dynamic', contextPath: '', basePath: '', tenant: 'org1/repo1', folder: 'org1/repo1', share: 0.2 },
  { name: 'depth 2 below /helm, in front of /cm', depth: 2, contextPath: '/cm', basePath: '/helm', tenant: 'org1/repo1', folder: 'org1/repo1', share: 0.15 },
  { name: 'depth 1', depth: 1, contextPath: '', basePath: '', tenant: 'org1', folder: 'org1', share: 0.1 },
  { name: 'depth 3', depth: 3, contextPath: '', basePath: '', tenant: 'org1/repo1/sub1', folder: 'org1/repo1/sub1', share: 0.1 },
  { name: 'depth 0', depth: 0, contextPath: '', basePath: '', tenant: 'repo', folder: '', share: 0.05 }
]

/** Whose names are injected: neighbours by prefix, by parent and by case, the root's own name, and folders that are no tenant. */
const NAMES = [
  'org2/repo2', 'org1/repo2', 'org2/repo1', 'org1/repo10', 'org10/repo1', 'org1', 'org2', 'repo', 'org1/repo1', 'org1/repo1/sub1', 'org1/repo1/sub2',
  'org2/repo2/sub1', 'ORG1/repo1', 'org1/repo1/charts', 'api/org1', 'charts', 'api'
]

/** Everybody else in that world. */
export function neighbours ({ folder }: World): readonly string[] {
  return NAMES.filter(name => name !== folder)
}

/** Splits a number of cases by the worlds' shares; none is left out, and the first takes what is left. */
export function shared (cases: number): readonly { readonly world: World, readonly cases: number }[] {
  const rest = WORLDS.slice(1).map(world => ({ world, cases: Math.floor(cases * world.share) }))
  const first = WORLDS[0] as World
  return [{ world: first, cases: cases - rest.reduce((sum, each) => sum + each.cases, 0) }, ...rest]
}
