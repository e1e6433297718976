// Every recorded routing decision of ChartMuseum 0.16.5, sent through the real gateway
// over real sockets by who may do everything: what reaches the upstream is exactly what
// ChartMuseum would demand rights for, in its canonical form, with a token for that and
// nothing else; where it is refused, nothing reaches the upstream. Each difference is a
// row of routing-differences.ts.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Config } from '../../../src/config/schema.ts'
import { startApp, type TestGateway } from '../../helpers/app.ts'
import { chartOf, provenanceOf } from '../../helpers/packages.ts'
import { rawClient } from '../../helpers/raw.ts'
import { EMPTY_INDEX, startStubUpstream, type SeenRequest, type StubUpstream } from '../../helpers/stub-upstream.ts'
import { DIFFERENCES, differencesTable, type Recorded, type Request } from './routing-differences.ts'
import { ROOT } from '../../helpers/processes.ts'

const CONTEXT = '/helm'

const recorded = (await readFile(join(ROOT, 'test/data/chartmuseum/routing.jsonl'), 'utf8')).trimEnd().split('\n').map(line => JSON.parse(line) as Recorded)
const counts = new Map(DIFFERENCES.map(({ id }) => [id, { all: 0, documented: 0 }]))
const CHART = await chartOf('mychart', '0.1.0')
const PROVENANCE = Buffer.from(provenanceOf('mychart', '0.1.0'))

/** The differences that documented paths have; a path that a person would write must have no other. */
const DOCUMENTED = ['own pages', 'home', 'welcome page, slash', 'welcome page', 'deletes', 'Artifact Hub', 'HEAD']

function requestOf (row: Recorded): Request {
  const base = row.config.endsWith('context-path') ? CONTEXT : ''
  const depth = row.config === 'depth-dynamic' ? 'dynamic' : Number(row.config.split('-')[1])
  const [path = ''] = row.target.split('?')
  return { ...row, depth, path: path.startsWith(base) ? path.slice(base.length) : path }
}

/** `/<tenant>/api/…` at a fixed depth, of which the first spelling is `/api/<tenant>/…`. */
function firstSpelling (path: string, { config, tenant = '' }: Recorded): string {
  const base = config.endsWith('context-path') ? CONTEXT : ''
  const second = `${base}/${tenant}/api/`
  return path.startsWith(second) && !/\.(?:yaml|tgz|prov)$/.test(path) && config !== 'depth-dynamic' ? `${base}/api/${tenant}/${path.slice(second.length)}` : path
}

/** The one target that an understood request has, made from its bytes alone: the recorded queries are `?force`, `?offset=0&limit=5` and ones without a meaning. */
function canonicalOf (row: Recorded): string {
  const { method, target } = row
  const [received = '', query = ''] = target.split('?')
  const path = firstSpelling(received, row)
  const means = query === 'force' ? method === 'POST' : query === 'offset=0&limit=5' && (method === 'GET' || method === 'HEAD') && /^(?:\/helm)?\/api\/.*charts$/.test(path)
  return path.replace(/%2b/gi, '+') + (means ? `?${query}` : '')
}

/** What the upstream is asked for a request that is let through. */
function expectedRequests (row: Recorded): string[] {
  const canonical = canonicalOf(row)
  const [path = ''] = canonical.split('?')
  const tenant = path.replace(/^((?:\/helm)?)\/api\b/, '$1').replace(/\/(?:charts|prov)(?:\/[^/]+\/[^/]+)?$/, '')
  // What is in the file that is to be deleted or overwritten, or that a provenance file belongs to.
  // A chart called `charts` is not asked for by the API's path, which is another tenant's at dynamic depth.
  const look = (name: string, version: string): string[] => [...(name === 'charts' ? [] : [`GET ${path.replace(/\/(?:charts|prov)(?:\/[^/]+\/[^/]+)?$/, '')}/charts/${name}/${version}`]), `GET ${tenant}/charts/${name}-${version}.tgz`]
  if (row.method === 'DELETE') return [...look(...path.split('/').slice(-2) as [string, string]), `DELETE ${canonical}`]
  // HEAD is answered with what GET is.
  if (row.method !== 'POST') return [`GET ${canonical}`]
  // Without `force`, whether it is there is asked first.
  const [isProv, force] = [path.endsWith('/prov'), canonical.endsWith('?force')]
  const file = `GET ${tenant}/charts/mychart-0.1.0.tgz${isProv ? '.prov' : ''}`
  return [...(force ? [] : [file]), ...(force || isProv ? look('mychart', '0.1.0') : []), `POST ${canonical}`]
}

/** What the token that the upstream was sent allows. */
function accessOf ({ headers }: SeenRequest): unknown {
  const payload = String(headers.authorization).split('.')[1] as string
  return (JSON.parse(Buffer.from(payload, 'base64url').toString()) as { access: unknown }).access
}

interface Outcome { readonly status: number, readonly seen: readonly SeenRequest[] }

/** Sends one row after the other, and says what came of each. */
async function * replay (rows: readonly Recorded[], gateway: TestGateway, stub: StubUpstream): AsyncGenerator<readonly [Request, Outcome]> {
  const connection = rawClient(gateway.port)
  try {
    for (const row of rows) {
      stub.seen.length = 0
      stub.answer = ({ method, target }) => {
        if (method === 'GET' && target.endsWith('/index.yaml')) return { headers: { 'content-length': String(EMPTY_INDEX.length) }, body: EMPTY_INDEX }
        const [status, body] = method === 'POST' ? [201, '{"saved":true}'] : [row.method === method || row.method === 'HEAD' ? 200 : 404, '{"error":"not found"}']
        return { status: status as number, headers: { 'content-type': 'application/json', 'content-length': String(body).length.toString() }, body: String(body) }
      }
      const body = row.method !== 'POST' ? Buffer.alloc(0) : /\/prov(?:\?|$)/.test(row.target) ? PROVENANCE : CHART
      const head = `${row.method} ${row.target} HTTP/1.1\r\nHost: charts.example.test\r\nAuthorization: Bearer ${gateway.masterKey}\r\n${body.length > 0 ? `Content-Length: ${body.length}\r\n` : ''}\r\n`
      const status = await connection.send(Buffer.concat([Buffer.from(head, 'latin1'), body]), { head: row.method === 'HEAD' })
      yield [requestOf(row), { status, seen: [...stub.seen] }]
    }
  } finally {
    connection.close()
  }
}

/** What is wrong with an outcome; undefined: nothing. */
function judge (request: Request, { status, seen }: Outcome): string | undefined {
  const { tenant, action, open } = request
  const difference = DIFFERENCES.find(({ fits }) => fits(request))
  const sent = seen.map(({ method, target }) => `${method} ${target}`)
  const forwarded = sent.length > 0
  if (forwarded) {
    if (sent.join() !== expectedRequests(request).join()) return `the upstream was asked ${sent.join()} in place of ${expectedRequests(request).join()}`
    if (status >= 300) return `forwarded, but answered ${status}`
  }
  if (forwarded && tenant !== undefined) {
    if (difference !== undefined) return `${difference.id}: forwarded in place of ${difference.chartgate}`
    // The look before a change is a read; everything else is what ChartMuseum demands.
    const actions = seen.map(({ method }) => request.method !== 'HEAD' && method === 'GET' ? 'pull' : action)
    const expected = JSON.stringify(actions.map(action => [{ type: 'artifact-repository', name: tenant, actions: [action] }]))
    const got = JSON.stringify(seen.map(accessOf))
    return got === expected ? undefined : `the upstream was sent a token for ${got} in place of ${expected}`
  }
  const agrees = !forwarded && tenant === undefined && open === undefined && [400, 404, 405].includes(status)
  if (agrees) return undefined
  if (difference === undefined) return `no row says why: ${forwarded ? 'forwarded' : status}`
  if (difference.chartgate !== (forwarded ? 'forwarded' : status)) return `${difference.id}: ${forwarded ? 'forwarded' : status} in place of ${difference.chartgate}`
  if (request.kind === 'canonical' && !DOCUMENTED.includes(difference.id)) return `${difference.id}: a documented path is refused`
  const count = counts.get(difference.id) as { all: number, documented: number }
  count.all++
  if (request.kind === 'canonical') count.documented++
  return undefined
}

for (const config of new Set(recorded.map(row => row.config))) {
  await t.test(`what ChartMuseum makes of a target is what is authorised and sent: ${config}`, async t => {
    const rows = recorded.filter(row => row.config === config)
    const below = config.endsWith('context-path') ? CONTEXT : ''
    const { depth } = requestOf(rows[0] as Recorded)
    const stub = await startStubUpstream(t)
    const gateway = await startApp(t, {
      origin: stub.origin,
      config: (config): Config => ({ ...config, publicUrl: config.publicUrl + below, basePath: below, charts: { ...config.charts, depth, contextPath: below } })
    })
    const wrong: string[] = []
    let [forwarded, refused] = [0, 0]
    for await (const [request, outcome] of replay(rows, gateway, stub)) {
      const what = judge(request, outcome)
      if (what !== undefined) wrong.push(`${request.method} ${request.target} (${request.kind}, tenant ${request.tenant}): ${what}`)
      if (outcome.seen.length > 0) forwarded++
      else refused++
    }
    t.strictSame(wrong, [])
    t.equal(forwarded + refused, rows.length)
    t.ok(forwarded > 20, `${forwarded} were forwarded, ${refused} were not`)
  })
}

await t.test('docs/routing.md has these differences, each seen in the recordings (UPDATE_DOCS=1 writes them)', async t => {
  for (const [id, { all }] of counts) t.ok(all > 0, id)
  t.strictSame([...counts].flatMap(([id, { documented }]) => documented > 0 ? [id] : []), DOCUMENTED, 'no more of documented paths are refused than must be')
  const file = join(ROOT, 'docs/routing.md')
  const marks = /(?<=<!-- differences -->\n)[^]*(?=<!-- \/differences -->)/
  const page = await readFile(file, 'utf8')
  const table = differencesTable(id => counts.get(id) as { all: number, documented: number })
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(file, page.replace(marks, table))
  t.equal(marks.exec(await readFile(file, 'utf8'))?.[0], table)
})
