// The routes of ChartMuseum, as data: which shapes exist, which action each demands, which
// door answers it. Order matters at dynamic depth, where ChartMuseum takes the tenant's
// length from the first shape that fits (helm/chartmuseum v0.16.5,
// pkg/chartmuseum/server/multitenant/routes.go and router/match.go).
import type { Action } from '../words/access.ts'
import {
  isChartFile,
  isChartName,
  isProvenanceFile,
  isSayable,
  isStoredVersion,
  isVersionQuery
} from '../words/chart-names.ts'

export type Method = 'GET' | 'HEAD' | 'POST' | 'DELETE'
export type Door = 'index' | 'file' | 'upload' | 'delete' | 'forward'
export type RouteId =
  | 'index' | 'chart-file' | 'prov-file' | 'artifact-hub'
  | 'list' | 'chart' | 'version' | 'templates' | 'values'
  | 'upload-chart' | 'upload-prov' | 'delete-version'

/** A parameter of a shape, and the member of ChartRequest it becomes. */
export type Parameter = 'file' | 'chart' | 'version'
export type TailPart = string | ParameterPart
export interface ParameterPart {
  readonly parameter: Parameter
  /** @param value decoded */
  readonly accepts: (value: string) => boolean
  /**
   * Names that a repository holds already, of whoever made them: what a path cannot say
   * as it is, it says in its one encoding (segment.ts).
   */
  readonly encoded?: true
}

export interface Route {
  readonly id: RouteId
  readonly methods: readonly Method[]
  /** true: /api/<tenant>/<tail>, false: /<tenant>/<tail>. */
  readonly api: boolean
  readonly tail: readonly TailPart[]
  /** What a client needs; with the query parameter `force` an upload needs `overwrite`. */
  readonly action: Action
  /** What ChartMuseum demands of the token it is sent. */
  readonly upstreamAction: 'pull' | 'push'
  readonly door: Door
  /** The query parameters that mean something here; every other one is dropped. */
  readonly query: readonly string[]
  /** ChartMuseum has this route only when its depth is fixed. */
  readonly fixedDepthOnly?: true
}

const chartFile: TailPart = { parameter: 'file', accepts: isChartFile, encoded: true }
const provFile: TailPart = { parameter: 'file', accepts: isProvenanceFile, encoded: true }
const chart: TailPart = { parameter: 'chart', accepts: isChartName }
const version: TailPart = { parameter: 'version', accepts: isVersionQuery }
const storedChart: TailPart = { parameter: 'chart', accepts: isSayable, encoded: true }
const storedVersion: TailPart = { parameter: 'version', accepts: isStoredVersion, encoded: true }

/** HEAD is answered wherever GET is. */
const READ = ['GET', 'HEAD'] as const
const reads = { action: 'pull', upstreamAction: 'pull', query: [] } as const
const writes = { upstreamAction: 'push', door: 'upload', query: ['force'] } as const

export const ROUTES: readonly Route[] = [
  { id: 'index', methods: READ, api: false, tail: ['index.yaml'], ...reads, door: 'index' },
  { id: 'chart-file', methods: READ, api: false, tail: ['charts', chartFile], ...reads, door: 'file' },
  { id: 'prov-file', methods: READ, api: false, tail: ['charts', provFile], ...reads, door: 'file' },
  { id: 'list', methods: READ, api: true, tail: ['charts'], ...reads, door: 'forward', query: ['offset', 'limit'] },
  { id: 'upload-chart', methods: ['POST'], api: true, tail: ['charts'], action: 'push', ...writes },
  { id: 'chart', methods: READ, api: true, tail: ['charts', chart], ...reads, door: 'forward' },
  { id: 'version', methods: READ, api: true, tail: ['charts', chart, version], ...reads, door: 'forward' },
  {
    id: 'delete-version',
    methods: ['DELETE'],
    api: true,
    tail: ['charts', storedChart, storedVersion],
    action: 'delete',
    upstreamAction: 'push',
    door: 'delete',
    query: []
  },
  {
    id: 'templates',
    methods: READ,
    api: true,
    tail: ['charts', chart, version, 'templates'],
    ...reads,
    door: 'forward'
  },
  { id: 'values', methods: READ, api: true, tail: ['charts', chart, version, 'values'], ...reads, door: 'forward' },
  { id: 'upload-prov', methods: ['POST'], api: true, tail: ['prov'], action: 'push', ...writes },
  {
    id: 'artifact-hub',
    methods: READ,
    api: false,
    tail: ['artifacthub-repo.yml'],
    ...reads,
    door: 'forward',
    fixedDepthOnly: true
  }
]

const byId = new Map(ROUTES.map(route => [route.id, route]))

/** The row of the table with this id. */
export function routeOf (id: RouteId): Route {
  return byId.get(id) as Route // the map is made of every member of RouteId
}

const byShape = new Map<string, readonly Route[]>()
for (const { api, tail: { length } } of ROUTES) {
  byShape.set(`${api} ${length}`, ROUTES.filter(route => route.api === api && route.tail.length === length))
}

/** The rows, in order, that are of the API or not, and have this many segments behind the tenant. */
export function routesWith (api: boolean, tailLength: number): readonly Route[] {
  return byShape.get(`${api} ${tailLength}`) ?? []
}
