// Which paths does chartgate answer itself, below its base path, and by which methods?

export type OwnEndpoint = 'home' | 'token' | 'jwks' | 'health' | 'info'

interface OwnRow {
  readonly endpoint: OwnEndpoint
  /** The token endpoint says which, in its own form. */
  readonly methods: readonly string[] | 'asks itself'
}

const READ = ['GET', 'HEAD']

export const OWN_ENDPOINTS: ReadonlyMap<string, OwnRow> = new Map<string, OwnRow>([
  ['/', { endpoint: 'home', methods: READ }],
  ['/oauth/token', { endpoint: 'token', methods: 'asks itself' }],
  ['/.well-known/jwks.json', { endpoint: 'jwks', methods: READ }],
  ['/health', { endpoint: 'health', methods: READ }],
  ['/info', { endpoint: 'info', methods: READ }]
])

/** Health checks of proxies ask for it at the root, whatever the base path is. */
export const HEALTH_PATH = '/health'
