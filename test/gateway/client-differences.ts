// Where a client of chartgate gets something else than it got from ChartMuseum, and why:
// one row for each class, asked by client-recordings.test.ts, which also keeps the table
// of docs/recordings.md equal to it. What no row says has to be as recorded, byte for byte.
import { createHash } from 'node:crypto'
import { EMPTY_INDEX } from '../helpers/stub-upstream.ts'
import { HOST, type Exchange } from './client-recordings.ts'

/** An answer without `Date`, `X-Request-Id` and the length that its body has. */
export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, readonly string[]>>
  readonly body: string
}

export interface Visible {
  readonly recorded: string
  readonly chartgate: string
  readonly because: string
  /** The answer here, made from the one that the rows above leave; undefined where this row has no say. */
  readonly here: (answer: Answer, exchange: Exchange) => Answer | undefined
  /** chartgate answers that itself, and the upstream hears nothing. */
  readonly withoutUpstream?: true
}

const JSON_TYPE = { 'content-type': ['application/json; charset=utf-8'] }
const refusal = (status: number, error: string): Answer => ({ status, headers: status === 502 || status === 503 ? { ...JSON_TYPE, 'retry-after': ['5'] } : JSON_TYPE, body: JSON.stringify({ error }) })
const withHeaders = (answer: Answer, headers: Answer['headers']): Answer => ({ ...answer, headers: { ...answer.headers, ...headers } })
const without = ({ headers, ...answer }: Answer, name: string): Answer => ({ ...answer, headers: Object.fromEntries(Object.entries(headers).filter(([each]) => each !== name)) })

/** The path below the recorded server's. */
export function pathOf ({ request, own }: Exchange): string {
  const [path = ''] = request.target.split('?')
  return path.slice((own.basePath ?? '').length)
}

/** The documented routes at depth 2, told by their bytes. */
const ROUTES: readonly (readonly [methods: string, path: RegExp])[] = [
  ['GET HEAD', /^\/\w+\/\w+\/index\.yaml$/],
  ['GET HEAD', /^\/\w+\/\w+\/charts\/[\w.+-]+\.tgz(?:\.prov)?$/],
  ['GET HEAD DELETE', /^\/api\/\w+\/\w+\/charts\/\w+\/[\d.]+$/],
  ['POST', /^\/api\/\w+\/\w+\/(?:charts|prov)$/]
]
export const isRoute = (exchange: Exchange): boolean => ROUTES.some(([methods, path]) => methods.includes(exchange.request.method) && path.test(pathOf(exchange)))
/** How many segments are in front of index.yaml. */
const partsOfTenant = (exchange: Exchange): number | undefined => pathOf(exchange).endsWith('/index.yaml') && !pathOf(exchange).includes('//') ? pathOf(exchange).split('/').length - 2 : undefined
/** What the upstream has for GET, where ChartMuseum has nothing for HEAD. */
export const HEAD_OF_FILE = 'the bytes of a file'
export const isHeadOfFile = (exchange: Exchange): boolean => isRoute(exchange) && exchange.request.method === 'HEAD' && /\.tgz(?:\.prov)?$/.test(pathOf(exchange))
const isIndex = (exchange: Exchange): boolean => isRoute(exchange) && pathOf(exchange).endsWith('/index.yaml')
const isUpload = (exchange: Exchange): boolean => isRoute(exchange) && exchange.request.method === 'POST'
const isYaml = (body: string): boolean => /^(?:apiVersion: |\{"apiVersion")/.test(body)
const authorization = ({ request }: Exchange): string | undefined => request.headers.find(line => line.startsWith('Authorization: '))

const NO_SENSE = 'the chart repository gave an answer that makes no sense'
const OUR_BASIC = `Basic realm="${HOST}", charset="UTF-8"`

/** In the order in which they are applied. */
export const VISIBLE: readonly Visible[] = [
  {
    recorded: 'A repository URL of the wrong depth, or another path that is no route: a welcome page with 200, a 500, or what a proxy has there',
    chartgate: '404 `{"error":"not found"}`',
    because: 'Helm calls a page broken YAML, and a 404 by its name',
    here: (answer, exchange) => !isRoute(exchange) && answer.status !== 404 && !pathOf(exchange).startsWith('/oauth/') ? refusal(404, 'not found') : undefined,
    withoutUpstream: true
  },
  {
    recorded: 'The same for a path that would be a route at another depth',
    chartgate: '404, and the sentence that names both depths',
    because: 'it is the most frequent mistake in a repository URL',
    here: (answer, exchange) => {
      const parts = partsOfTenant(exchange)
      return answer.status === 404 && parts !== undefined && parts !== 2 ? refusal(404, `not found: this path names a tenant of ${parts} part${parts === 1 ? '' : 's'}, and a tenant has 2 parts here (charts.depth)`) : undefined
    },
    withoutUpstream: true
  },
  {
    recorded: 'A method that a path does not have: 404',
    chartgate: '405 with `Allow`',
    because: 'the methods that it has say what was meant',
    here: (_answer, exchange) => exchange.request.method === 'PUT' && /\/charts$/.test(pathOf(exchange)) ? withHeaders(refusal(405, 'method not allowed'), { allow: ['GET, HEAD, POST'] }) : undefined,
    withoutUpstream: true
  },
  {
    recorded: 'A path outside of the one that the server is mounted at: 404 `{"error":"not found"}`',
    chartgate: '404, and the sentence that the path does not begin with that of `publicUrl`',
    because: 'a proxy that takes a prefix off, or a client that knows of none, is found by it',
    here: (answer, { request, own }) => own.basePath !== undefined && answer.status === 404 && !request.target.startsWith(`${own.basePath}/`) ? refusal(404, `the path does not begin with ${own.basePath}, the path of publicUrl: does a proxy in front take it off?`) : undefined,
    withoutUpstream: true
  },
  {
    recorded: 'Two slashes in a row: 404',
    chartgate: '400 with a sentence',
    because: 'one object has one name (see [routing](routing.md))',
    here: (_answer, exchange) => pathOf(exchange).includes('//') ? refusal(400, 'the path has an empty segment: it must not end with / or have two in a row') : undefined,
    withoutUpstream: true
  },
  {
    recorded: 'A token server beside it: `access_token` alone',
    chartgate: 'the token endpoint is its own, and its answer has what every kind of client reads',
    because: 'one process instead of two; `token`, `expires_in`, `issued_at` and `scope` are what OCI clients look for',
    here: (answer, exchange) => pathOf(exchange) === '/oauth/token'
      ? { status: answer.status, headers: { ...JSON_TYPE, 'cache-control': ['no-store'], pragma: ['no-cache'] }, body: '{"token":"{TOKEN}","access_token":"{TOKEN}","token_type":"Bearer","expires_in":300,"issued_at":"{DATE}","scope":"artifact-repository:org1/repo1:pull"}' }
      : undefined,
    withoutUpstream: true
  },
  {
    recorded: 'User and password where ChartMuseum runs with `--bearer-auth`: 401',
    chartgate: 'the same right as with a token',
    because: 'stock Helm can send nothing else',
    here: (answer, exchange) => answer.status === 401 && /BASIC/.test(authorization(exchange) ?? '') && /^Bearer/.test(answer.headers['www-authenticate']?.[0] ?? '')
      ? { status: 200, headers: { 'content-type': ['application/x-yaml'] }, body: EMPTY_INDEX }
      : undefined
  },
  {
    recorded: 'A 429 or 503 of the upstream',
    chartgate: '503 as JSON, with `Retry-After`',
    because: 'it was not this client that asked too often; Flux and the like try again',
    here: answer => answer.status === 429 || answer.status === 503 ? refusal(503, 'the chart repository is busy: try again shortly') : undefined
  },
  {
    recorded: 'A 500 or 502 of the upstream, empty, as a page or as JSON',
    chartgate: '502 as JSON',
    because: 'cm-push prints the `error` of a JSON body and nothing else; what a server says of its insides is for the log',
    here: ({ status }) => status === 500 || status === 502 ? refusal(502, NO_SENSE) : undefined
  },
  {
    recorded: 'A redirect of an index or an upload, to a login page or to another place',
    chartgate: '502',
    because: 'a credential does not follow the upstream anywhere, and cm-push would take what a GET finds there for success',
    here: answer => answer.headers['location'] !== undefined ? refusal(502, NO_SENSE) : undefined
  },
  {
    recorded: 'A 401 or 403 of the upstream to a request that may be made',
    chartgate: '502 `the chart repository does not accept the gateway`',
    because: 'the client\'s credential was right: it is the gateway\'s that was not, and asking again with another cannot help',
    here: (answer, { response }) => response.madeUp === true && (answer.status === 401 || answer.status === 403) ? refusal(502, 'the chart repository does not accept the gateway') : undefined
  },
  {
    recorded: 'An index that is a page, empty, a 304 that nobody asked for, or compressed though nobody asked for that',
    chartgate: '502 as JSON',
    because: 'what is no index is not passed on, and never remembered',
    here: (answer, exchange) => isIndex(exchange) && (answer.status === 304 || answer.status === 200) && !isYaml(answer.body) ? refusal(502, NO_SENSE) : undefined
  },
  {
    recorded: 'An upload that is answered 200 or 202',
    chartgate: '502',
    because: 'ChartMuseum says 201 when it has saved a chart; whoever says something else may not have',
    here: (answer, exchange) => isUpload(exchange) && (answer.status === 200 || answer.status === 202) ? refusal(502, NO_SENSE) : undefined
  },
  {
    recorded: 'An upload that is answered 201 with any body, or none',
    chartgate: '201 `{"saved":true}`',
    because: 'the answer is chartgate\'s own',
    here: (answer, exchange) => isUpload(exchange) && answer.status === 201 && answer.body !== '{"saved":true}' ? { status: 201, headers: JSON_TYPE, body: '{"saved":true}' } : undefined
  },
  {
    recorded: 'An upload that is too large: 413 as text, from ChartMuseum or a proxy before it',
    chartgate: '413 as JSON, with the limit when it is chartgate\'s own',
    because: 'cm-push prints `413: could not properly parse response JSON` otherwise',
    here: ({ status }, { own }) => status !== 413 ? undefined : refusal(413, own.maxUploadSize === undefined ? 'request too large for the chart repository' : `request too large: at most ${own.maxUploadSize} bytes`)
  },
  {
    recorded: 'An error with more in its JSON than `error`',
    chartgate: '`error` alone',
    because: 'one form for every error',
    here: answer => {
      if (answer.status < 400 || !answer.body.startsWith('{')) return undefined
      const { error, ...more } = JSON.parse(answer.body) as Record<string, unknown>
      return Object.keys(more).length === 0 ? undefined : { ...answer, body: JSON.stringify({ error }) }
    }
  },
  {
    recorded: 'An index as JSON with the content type of JSON',
    chartgate: '`application/x-yaml`',
    because: 'ChartMuseum\'s own type, with `--json-index` too; no client looks at it',
    here: (answer, exchange) => isIndex(exchange) && answer.status === 200 && answer.headers['content-type']?.[0] !== 'application/x-yaml' ? withHeaders(answer, { 'content-type': ['application/x-yaml'] }) : undefined
  },
  {
    recorded: 'A prefix in front of ChartMuseum that its `serverInfo.contextPath` does not name: cm-push goes astray',
    chartgate: '`serverInfo.contextPath` is the path of `publicUrl`',
    because: 'cm-push makes the address that it pushes to from it',
    here: (answer, exchange) => isIndex(exchange) && exchange.own.basePath !== exchange.own.contextPath ? { ...answer, body: answer.body.replace('serverInfo: {}', `serverInfo:\n  contextPath: ${exchange.own.basePath as string}`) } : undefined
  },
  {
    recorded: 'An index, or anything else that is read and has no more than 64 KiB, in chunks, because it has more than 2 KiB',
    chartgate: 'with its length',
    because: 'it is whole in memory before it is sent, so that one that breaks off is a 502 and no half file',
    here: (answer, exchange) => (isIndex(exchange) || answer.body.length <= 64 * 1024) && answer.headers['transfer-encoding'] !== undefined ? without(answer, 'transfer-encoding') : undefined
  },
  {
    recorded: 'An index without `ETag`, `Cache-Control`, `Vary`',
    chartgate: 'with them',
    because: 'who has it gets 304, and no cache in between hands it to somebody else',
    here: (answer, exchange) => isIndex(exchange) && answer.status === 200 ? withHeaders(answer, { etag: ['{ETAG}'], 'cache-control': ['private, no-cache'], vary: ['accept-encoding'] }) : undefined
  },
  {
    recorded: 'HEAD of a file: 404',
    chartgate: 'the headers of GET',
    because: 'RFC 9110 section 9.1: HEAD is answered wherever GET is',
    here: (_answer, exchange) => isHeadOfFile(exchange) ? { status: 200, headers: { 'content-type': ['application/x-tar'], 'content-length': [String(HEAD_OF_FILE.length)], etag: [`"${createHash('sha256').update(HEAD_OF_FILE).digest('hex')}"`] }, body: '' } : undefined
  },
  {
    recorded: 'A file of up to 64 KiB without `ETag`',
    chartgate: 'with the SHA-256 of its bytes',
    because: 'who has it gets 304',
    here: (answer, exchange) => isRoute(exchange) && /\.tgz(?:\.prov)?$/.test(pathOf(exchange)) && answer.status === 200 && answer.body.length <= 64 * 1024 && exchange.request.method === 'GET'
      ? withHeaders(answer, { etag: [`"${createHash('sha256').update(answer.body, 'latin1').digest('hex')}"`] })
      : undefined
  },
  {
    recorded: 'HEAD of a version without a length',
    chartgate: 'with the headers of GET',
    because: 'RFC 9110 section 9.3.2',
    here: (answer, exchange) => isRoute(exchange) && exchange.request.method === 'HEAD' && pathOf(exchange).startsWith('/api/') && answer.status === 200 ? withHeaders(answer, { 'content-length': ['0'] }) : undefined
  },
  {
    recorded: 'One challenge: `Basic realm="ChartMuseum"`, or Bearer, as ChartMuseum is run',
    chartgate: 'Bearer as recorded, then Basic',
    because: 'both are taken, and OCI clients read the first one only',
    here: (answer, exchange) => {
      const [challenge] = answer.headers['www-authenticate'] ?? []
      if (challenge === undefined) return undefined
      const action = exchange.request.method === 'POST' ? 'push' : 'pull'
      const bearer = challenge.startsWith('Bearer') ? challenge : `Bearer realm="http://${HOST}/oauth/token",service="${HOST}",scope="artifact-repository:${pathOf(exchange).replace('/api', '').split('/').slice(1, 3).join('/')}:${action}"`
      return withHeaders(answer, { 'www-authenticate': [bearer, OUR_BASIC] })
    }
  },
  {
    recorded: 'A challenge that does not say what was wrong with a token',
    chartgate: '`error="invalid_token"` or `error="insufficient_scope"`',
    because: 'RFC 6750 section 3; containerd gives up without it',
    here: (answer, exchange) => {
      const [bearer, basic] = answer.headers['www-authenticate'] ?? []
      const [, label] = /\{(?:BEARER|RAW) (.*)\}$/.exec(authorization(exchange) ?? '') ?? []
      if (bearer === undefined || basic === undefined || label === undefined) return undefined
      return withHeaders(answer, { 'www-authenticate': [`${bearer},error="${/^expired|signature/.test(label) ? 'invalid_token' : 'insufficient_scope'}"`, basic] })
    }
  },
  {
    recorded: 'Nothing about the connection',
    chartgate: '`Connection: keep-alive` with the time that it is kept; `close` with the refusal of a request whose body is still on its way',
    because: 'Node\'s HTTP server says so; and nobody reads the rest of what is refused',
    here: answer => answer.headers['connection'] === undefined ? withHeaders(answer, { connection: ['keep-alive'], 'keep-alive': ['timeout=75'] }) : undefined
  }
]

/** The table in docs/recordings.md. */
export function differencesTable (count: (row: Visible) => number): string {
  const rows = VISIBLE.map(row => [row.recorded, row.chartgate, row.because, String(count(row))])
  return [['recorded', 'from chartgate', 'because', 'exchanges'], ['---', '---', '---', '---'], ...rows].map(cells => `| ${cells.join(' | ')} |\n`).join('')
}
