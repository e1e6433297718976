// Where chartgate does not do what ChartMuseum does with a request target, and why: one
// row for each class, asked by routing-recordings.test.ts, which also keeps the table of
// docs/routing.md equal to it. The classes are told by the bytes of the target and by
// what ChartMuseum made of them, not by chartgate's own parser.
import type { Depth } from '../../../src/words/tenant.ts'

/** A line of test/data/chartmuseum/routing.jsonl: what ChartMuseum 0.16.5 did without credentials. */
export interface Recorded {
  readonly config: string
  readonly kind: 'canonical' | 'fuzz'
  readonly method: string
  readonly target: string
  readonly status: number
  /** The tenant and the action of its challenge; absent when it asked for none. */
  readonly tenant?: string
  readonly action?: 'pull' | 'push'
  /** What it answered to everybody. */
  readonly open?: string
}

/** A recorded request, taken apart as text. */
export interface Request extends Recorded {
  readonly depth: Depth
  /** The raw path below the context path, without the query; '' for the context path itself. */
  readonly path: string
}

export interface Difference {
  readonly id: string
  readonly chartmuseum: string
  /** What chartgate answers: a status of its own, or `forwarded`. */
  readonly chartgate: 200 | 400 | 404 | 'forwarded'
  readonly because: string
  readonly fits: (request: Request) => boolean
}

const isRead = (method: string): boolean => method === 'GET' || method === 'HEAD'
const decode = (path: string): string => path.replace(/%([0-9A-Fa-f]{2})/g, (_, hex: string) => String.fromCharCode(parseInt(hex, 16)))
const segmentsOf = (path: string): string[] => path.split('/').slice(1)
const isApi = (path: string): boolean => path.startsWith('/api/') && !/\.(?:yaml|tgz|prov)$/.test(path)
/** The tenant as it stands in a path: that of a repository without tenants has no segment. */
const tenantPath = ({ depth, tenant = '', path }: Request): string =>
  depth === 0 || (depth === 'dynamic' && tenant === 'repo' && !/^\/(?:api\/)?repo\//.test(path)) ? '' : `/${tenant}`
/** What follows the tenant. */
const tailOf = (request: Request): string => request.path.slice((isApi(request.path) ? '/api' : '').length + tenantPath(request).length)
const firstSegment = ({ tenant = '' }: Request): string => tenant.split('/')[0] as string

const ANSWERED_BY_TENANT = 'Serves it as a tenant of that name'

/** In order: the first that fits says why. */
export const DIFFERENCES: readonly Difference[] = [
  {
    id: 'own pages',
    chartmuseum: '`/health` and `/info`: answers everybody; at depth 1 and dynamic `/info` is the page of a tenant `info`',
    chartgate: 200,
    because: 'chartgate answers for itself, in the same form, at every depth: whether the gateway lives is not the upstream\'s to say, and nobody needs its version',
    fits: ({ path, method }) => isRead(method) && (path === '/health' || path === '/info')
  },
  {
    id: 'registry',
    chartmuseum: '`/v2`: a tenant\'s page at depth 1, and nothing otherwise',
    chartgate: 200,
    because: 'clients of a registry ask there first ([oci.md](oci.md)), at the root of the host alone',
    fits: ({ target, path, method }) => isRead(method) && target === '/v2' && path === target
  },
  {
    id: 'home',
    chartmuseum: '`/`: an HTML page, at depth 0 and dynamic that of the root',
    chartgate: 200,
    because: 'one sentence, or JSON, of what this is and how it is used, and nothing of tenants',
    fits: ({ path, method }) => isRead(method) && (path === '' || path === '/')
  },
  {
    id: 'token endpoint',
    chartmuseum: '`/oauth/token`: the page of a tenant `oauth/token`',
    chartgate: 200,
    because: 'chartgate\'s own token endpoint',
    fits: ({ path }) => path === '/oauth/token'
  },
  {
    id: 'absolute form',
    chartmuseum: '`GET http://host/…`: reads the path alone',
    chartgate: 400,
    because: 'only proxies are sent this form; two readers may take host or path from different places',
    fits: ({ target }) => !target.startsWith('/')
  },
  {
    id: 'fragment, backslash, bytes',
    chartmuseum: '`#`, `\\` and bytes beyond ASCII in the target: takes them as part of a name',
    chartgate: 400,
    because: 'other readers end the path at `#`, and take `\\` for `/`; no name of a tenant, chart or version has them',
    fits: ({ target }) => /[#\\]|[^\x21-\x7e]/.test(target)
  },
  {
    id: 'dot segments',
    chartmuseum: '`.` and `..`, also as `%2e`: takes them as part of a name',
    chartgate: 400,
    because: 'a name that another reader would clean is not the name that was authorised',
    fits: ({ path }) => segmentsOf(path).some(segment => /^\.{1,2}$/.test(decode(segment)))
  },
  {
    id: 'welcome page, slash',
    chartmuseum: '`/<tenant>/`: an HTML page',
    chartgate: 400,
    because: 'an empty segment; see the welcome page below',
    fits: request => request.method === 'GET' && request.tenant !== undefined && request.path === `/${request.tenant}/`
  },
  {
    id: 'empty segments',
    chartmuseum: '`//` and a `/` at the end: takes an empty part as part of a name',
    chartgate: 400,
    because: 'one object would have several names, and a rule for one of them would not hold for the others',
    fits: ({ path }) => path !== '/' && /\/(?:\/|$)/.test(path)
  },
  {
    id: 'route templates',
    chartmuseum: '`/:repo/index.yaml`, literally or as `%3arepo`: matches its own template',
    chartgate: 400,
    because: '`:` is in no name',
    fits: ({ path }) => /^(?:\/api)?\/:/.test(decode(path))
  },
  {
    id: 'percent-encodings',
    chartmuseum: 'Decodes every encoding once, `%2F` too, before it looks for segments',
    chartgate: 400,
    because: 'only `%2B` is needed, and `%5E` in the version of a read; every other encoding is a second spelling of something, or hides a separator',
    fits: ({ path }) => /%(?!2B|5E)/i.test(path)
  },
  {
    id: 'other characters',
    chartmuseum: 'Takes quotes, `;`, `@`, `:`, `*`, `|`, brackets and the like as part of a name',
    chartgate: 400,
    because: 'no name of a tenant, chart or version has them',
    fits: ({ path }) => /[^A-Za-z0-9._+~^/%-]/.test(path)
  },
  {
    id: 'welcome page',
    chartmuseum: '`/<tenant>`: an HTML page',
    chartgate: 404,
    because: 'Helm reports it as broken YAML when a URL has the wrong depth; of a 404 it says that nothing is there',
    fits: request => request.method === 'GET' && request.tenant !== undefined && request.path === `/${request.tenant}`
  },
  {
    id: 'open pages of tenants',
    chartmuseum: '`/<tenant>/health` and `/<tenant>/info`: answers everybody',
    chartgate: 404,
    because: 'one place for each is enough, and nothing of a tenant is open to everybody',
    fits: ({ open, path }) => open !== undefined && /\/(?:health|info)$/.test(path)
  },
  {
    id: 'second way to the API',
    chartmuseum: '`/<tenant>/api/…` at depth dynamic, and with the ending `.tgz`, `.yaml` or `.prov`: the API again, with another tenant than the same path has without the ending',
    chartgate: 404,
    because: 'what is a tenant would depend on the end of the path; at a fixed depth and without such an ending it is taken, as the one request that it is',
    fits: request => !isApi(request.path) && tailOf(request).startsWith('/api/') && (request.depth === 'dynamic' || /\.(?:yaml|tgz|prov)$/.test(request.path))
  },
  {
    id: 'deletes',
    chartmuseum: '`DELETE …/charts/<name>/<anything>`: removes the file of that name',
    chartgate: 400,
    because: 'a delete names one version, exactly; `latest` is a moving target',
    fits: request => request.method === 'DELETE' && !/\/v?\d+(?:\.\d+){0,2}(?:[-+][^/]*)?$/.test(request.path)
  },
  {
    id: 'names and versions',
    chartmuseum: 'Looks for a chart or version that cannot be: 404',
    chartgate: 400,
    because: 'a version is a semantic version as Helm takes it, `latest`, or one with a leading `~` or `^`: the upstream need not be asked',
    fits: request => isApi(request.path) && /^\/charts\/[^/]+\/(?!latest(?:\/|$)|v?\d+(?:\.\d+){0,2}(?:[-+/]|$))[^/]+/.test(tailOf(request))
  },
  {
    id: 'other files',
    chartmuseum: '`/<tenant>/charts/<anything>`: 500 for what is neither `.tgz` nor `.tgz.prov`',
    chartgate: 404,
    because: 'a repository has only these two kinds of files',
    fits: request => !isApi(request.path) && /^\/charts\/[^/]+$/.test(tailOf(request)) && !/[^/]\.tgz(?:\.prov)?$/.test(request.path)
  },
  {
    id: 'names of tenants',
    chartmuseum: `${ANSWERED_BY_TENANT}: \`.git\`, \`-\`, \`~\`, \`a+b\``,
    chartgate: 400,
    because: 'a part of a tenant\'s name is letters, digits, `.`, `_` and `-`, and begins with a letter or digit, so that rules, scopes and paths write it alike',
    fits: ({ tenant }) => tenant !== undefined && !tenant.split('/').every(segment => /^[A-Za-z0-9][A-Za-z0-9._-]*$/.test(segment))
  },
  {
    id: 'static files',
    chartmuseum: '`/static…`: with a web template everything that begins so is a file of it; without one, a tenant\'s',
    chartgate: 404,
    because: 'a tenant must not depend on a flag of the upstream; chartgate serves no web pages',
    fits: request => firstSegment(request).startsWith('static')
  },
  {
    id: 'reserved first segments',
    chartmuseum: `${ANSWERED_BY_TENANT}: \`api\`, \`oauth\`, \`v2\`, \`authz\`, \`health\`, \`info\`, \`metrics\``,
    chartgate: 404,
    because: 'they belong to endpoints, of ChartMuseum or of chartgate, now or later',
    fits: request => ['api', 'oauth', 'v2', 'authz', 'health', 'info', 'metrics'].includes(firstSegment(request))
  },
  {
    id: 'charts as a tenant',
    chartmuseum: `${ANSWERED_BY_TENANT}, at depth dynamic: \`charts\``,
    chartgate: 404,
    because: '`/charts/…` are the files of the root there, and `/api/charts/…` its API: which of the two a path means would depend on its end',
    fits: request => request.depth === 'dynamic' && firstSegment(request) === 'charts'
  },
  {
    id: 'repo as a tenant',
    chartmuseum: `${ANSWERED_BY_TENANT}, at depth dynamic: \`repo\``,
    chartgate: 404,
    because: 'the root\'s name in tokens is `repo` too: a right on one would be a right on both',
    fits: request => request.depth === 'dynamic' && tenantPath(request) === '/repo'
  },
  {
    id: 'tenants named like files',
    chartmuseum: `${ANSWERED_BY_TENANT}: \`….tgz\`, \`….tgz.prov\`, \`index-cache.yaml\``,
    chartgate: 400,
    because: 'so are the files that a repository keeps in a tenant\'s folder: a tenant of such a name would lie in the place of one',
    fits: ({ tenant }) => tenant !== undefined && tenant.split('/').some(segment => /\.tgz(?:\.prov)?$|^index-cache\.yaml$/i.test(segment))
  },
  {
    id: 'Artifact Hub',
    chartmuseum: '`/<tenant>/artifacthub-repo.yml`: 404 unless ids are configured, as in these recordings',
    chartgate: 'forwarded',
    because: 'whether there are ids is the upstream\'s to say; it is a read of the tenant',
    fits: ({ depth, path, method, tenant }) => isRead(method) && tenant === undefined && typeof depth === 'number' && path.endsWith('/artifacthub-repo.yml') && segmentsOf(path).length === depth + 1
  },
  {
    id: 'HEAD',
    chartmuseum: 'HEAD of files, lists, values and templates: 404',
    chartgate: 'forwarded',
    because: 'HEAD is answered wherever GET is (RFC 9110 section 9.1), with its headers; ChartMuseum is asked with GET',
    fits: ({ method, tenant, open }) => method === 'HEAD' && tenant === undefined && open === undefined
  }
]

/** The table of docs/routing.md; `count` says in how many recordings a difference was seen. */
export function differencesTable (count: (id: string) => { all: number, documented: number }): string {
  const rows = DIFFERENCES.map(({ id, chartmuseum, chartgate, because }) => {
    const { all, documented } = count(id)
    return `| ${chartmuseum.replaceAll('|', '\\|')} | ${chartgate} | ${because} | ${all}${documented > 0 ? ` (${documented})` : ''} |`
  })
  return ['| what ChartMuseum does | chartgate | because | recorded |', '| --- | --- | --- | --- |', ...rows, ''].join('\n')
}
