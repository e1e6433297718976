// Authorised on one thing, forwarded another: what three of Traefik's advisories of April
// 2026 share, and all classes of paths, queries and headers beside this one. The rule
// against it: the target, the query and the headers that the upstream gets are built from
// what was understood and authorised, and from nothing else that the client sent.
import fc from 'fast-check'
import t from 'tap'
import { grant } from '../helpers/app.ts'
import { chartOf, formOf, provenanceOf } from '../helpers/packages.ts'
import type { SeenRequest } from '../helpers/stub-upstream.ts'
import { authorisedFor, bearer, differenceOf, OWN, startTwoTenants, type TwoTenants } from '../helpers/two-tenants.ts'
import { inShort } from '../helpers/in-short.ts'

const chart = await chartOf('mychart', '1.0.0')
const form = formOf([{ field: 'chart', filename: '../../org2/repo2/evil.tgz', body: chart }, { field: 'prov', filename: 'evil', body: provenanceOf('mychart', '1.0.0') }])

interface Row { method: string, path: string, sent: string, action: 'pull' | 'push' | 'overwrite' | 'delete', demands: 'pull' | 'push', body?: Buffer, type?: string, names?: string[], /** a second one behind it */ then?: string }

/** Every kind of request, how the upstream must be asked, and for what right. */
const ROWS: Row[] = [
  { method: 'GET', path: '/org1/repo1/index.yaml', sent: '/org1/repo1/index.yaml', action: 'pull', demands: 'pull' },
  { method: 'GET', path: '/org1/repo1/charts/x-1.0.0%2Bb.tgz', sent: '/org1/repo1/charts/x-1.0.0+b.tgz', action: 'pull', demands: 'pull' },
  { method: 'GET', path: '/org1/repo1/charts/x-1.0.0.tgz.prov', sent: '/org1/repo1/charts/x-1.0.0.tgz.prov', action: 'pull', demands: 'pull' },
  { method: 'GET', path: '/org1/repo1/artifacthub-repo.yml', sent: '/org1/repo1/artifacthub-repo.yml', action: 'pull', demands: 'pull' },
  { method: 'GET', path: '/api/org1/repo1/charts', sent: '/api/org1/repo1/charts', action: 'pull', demands: 'pull', names: ['offset', 'limit'] },
  { method: 'HEAD', path: '/api/org1/repo1/charts/x', sent: '/api/org1/repo1/charts/x', action: 'pull', demands: 'pull' },
  { method: 'GET', path: '/api/org1/repo1/charts/x/%5e1', sent: '/api/org1/repo1/charts/x/%5E1', action: 'pull', demands: 'pull' },
  { method: 'GET', path: '/api/org1/repo1/charts/x/1.0.0/values', sent: '/api/org1/repo1/charts/x/1.0.0/values', action: 'pull', demands: 'pull' },
  { method: 'POST', path: '/api/org1/repo1/charts', sent: '/api/org1/repo1/charts', action: 'push', demands: 'push', body: chart },
  { method: 'POST', path: '/api/org1/repo1/charts?%66orce=no', sent: '/api/org1/repo1/charts?force', action: 'overwrite', demands: 'push', body: form.body, type: form.contentType, then: '/api/org1/repo1/prov?force' },
  { method: 'DELETE', path: '/api/org1/repo1/charts/x/1.0.0', sent: '/api/org1/repo1/charts/x/1.0.0', action: 'delete', demands: 'push' }
]

/** The headers of a request of ours, and nothing else. */
const OURS = new Set(['host', 'connection', 'x-request-id', 'x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host', 'authorization', 'content-type', 'content-length'])

async function start (t: Parameters<typeof startTwoTenants>[0]): Promise<TwoTenants> {
  const tenants = await startTwoTenants(t)
  tenants.stub.answer = ({ method, target }) => method === 'POST' ? { status: 201, body: '{"saved":true}' } : target.includes('mychart-1.0.0') ? { status: 404, body: '{"error":"object not found"}' } : { body: '{"entries":{}}' }
  return tenants
}

/** HEAD is answered with the headers of GET. */
const askedBy = ({ method }: Row): string => method === 'HEAD' ? 'GET' : method

/** Asserts that the upstream was asked for what was authorised, in our own words. */
function differences (seen: readonly SeenRequest[], row: Row, origin: string, marker: string): string[] {
  const last = seen.at(-1)
  if (last === undefined) return ['nothing was sent']
  const found = seen.flatMap(each => {
    const foreign = Object.keys(each.headers).filter(name => !OURS.has(name))
    return [
      ...foreign.map(name => `the header ${name}`),
      ...each.headers.host === new URL(origin).host ? [] : [`the host ${each.headers.host}`],
      ...(['x-forwarded-for', 'x-forwarded-proto', 'x-forwarded-host'].every((name, i) => each.headers[name] === undefined || each.headers[name] === ['127.0.0.1', 'http', 'charts.example.test'][i]) ? [] : ['a forwarded header that is not ours']),
      ...each.headers['x-request-id'] === undefined || /^[0-9a-f-]{36}$/.test(String(each.headers['x-request-id'])) ? [] : ['a request id that is not ours'],
      ...each.rawHeaders.join('\n').includes(marker) || each.target.includes(marker) ? ['something that the client sent'] : [],
      ...each.target.startsWith('/org1/repo1/') || each.target.startsWith('/api/org1/repo1/') ? [] : [`the target ${each.target}`],
      ...[differenceOf(each, { depth: 2, allRoutes: true })].filter(text => text !== '')
    ]
  })
  if (last.method !== askedBy(row)) found.push(`the method ${last.method}`)
  if (last.target.split('?')[0] !== (row.then ?? row.sent).split('?')[0]) found.push(`the target ${last.target}`)
  const { name, actions } = authorisedFor(last)
  if (name !== OWN || actions.join() !== row.demands) found.push(`a token for ${name} ${actions.join()}`)
  return found
}

const MARKER = 'zz-marker'

await t.test('every route is asked for in the words of the gateway, with one right and no more', async t => {
  const tenants = await start(t)
  for (const row of ROWS) {
    const authorization = await bearer(tenants.gateway, grant(OWN, row.action))
    const headers = [
      'Cookie: a=zz-marker', 'X-Request-Id: zz-marker', 'X-Forwarded-For: zz-marker', 'X-Forwarded-Host: zz-marker', 'X-Forwarded-Uri: /org2/repo2/index.yaml', 'X-Original-URL: /org2/repo2/index.yaml', 'X-Rewrite-URL: /org2/repo2/index.yaml',
      'Forwarded: for=zz-marker', 'Proxy-Authorization: zz-marker', 'Range: bytes=0-1', 'If-None-Match: "zz-marker"', 'Accept-Encoding: zz-marker', 'User-Agent: zz-marker', 'Referer: zz-marker', 'Authorization2: zz-marker', 'Content-Encoding: zz-marker',
      'Via: zz-marker', 'TE: trailers', 'X-HTTP-Method-Override: DELETE', ...row.type === undefined ? [] : [`Content-Type: ${row.type}`]
    ]
    const query = (row.path.includes('?') ? '&' : '?') + 'zz-marker=1&repo=org2/repo2&offset=1&limit=a%26zz%3d'
    const answer = await tenants.ask(row.method, row.path + query, { authorization, headers, body: row.body ?? '' })
    t.ok(answer.status < 300, `${row.method} ${row.path} is answered (${answer.status})`)
    const seen = tenants.taken()
    t.same(differences(seen, row, tenants.stub.origin, MARKER), [], `${row.method} ${row.path}`)
    const sent = seen.filter(({ method }) => method === askedBy(row)).map(({ target }) => target)
    t.same(sent.slice(askedBy(row) === 'GET' ? -1 : 0), [row.sent + (row.names === undefined ? '' : '?offset=1&limit=a%26zz%3D'), ...(row.then === undefined ? [] : [row.then])])
    t.notOk(seen.some(({ headers: { authorization: sent } }) => sent === authorization), 'the credential of the client stays behind')
  }
})

await t.test('the file names of a form are those of the chart, whatever the client calls them', async t => {
  const tenants = await start(t)
  const authorization = await bearer(tenants.gateway, grant(OWN, 'push'))
  t.equal((await tenants.ask('POST', `/api/${OWN}/charts`, { authorization, headers: [`Content-Type: ${form.contentType}`], body: form.body })).status, 201)
  const seen = tenants.taken()
  t.same(seen.map(({ method, target }) => `${method} ${target}`), [`GET /${OWN}/charts/mychart-1.0.0.tgz`, `GET /${OWN}/charts/mychart-1.0.0.tgz.prov`, `POST /api/${OWN}/charts`, `POST /api/${OWN}/prov`])
  for (const { body } of seen) t.notMatch(body.toString('latin1'), /evil|org2|test-boundary/)
})

// Header names and values, and queries, of any make
const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9_-]{0,15}$/)
const known = fc.constantFrom('Cookie', 'X-Forwarded-Uri', 'X-Forwarded-Prefix', 'X-Forwarded-Method', 'X-Original-Url', 'X-Rewrite-Url', 'X_Request_Id', 'X-Request-Id', 'Destination', 'Origin', 'Accept', 'Range', 'If-Match', 'Depth', 'Via', 'Prefer', 'Keep-Alive', 'Upgrade-Insecure-Requests', 'Proxy-Connection', 'Trailer')
const value = fc.oneof(fc.stringMatching(/^[!-~][ -~]{0,20}$/), fc.constantFrom('/org2/repo2/index.yaml', 'DELETE', 'org2', '..')).map(text => `${MARKER}${text}`)
const header = fc.tuple(fc.oneof(known, token), value).filter(([name]) => !/^(?:authorization|content-length|transfer-encoding|expect|host|connection|content-type|upgrade)$/i.test(name)).map(([name, value]) => `${name}: ${value}`)
const query = fc.array(fc.tuple(fc.oneof(token, fc.constantFrom('repo', 'tenant', '_method', 'FORCE', 'x')), fc.stringMatching(/^[!"$-~]{0,12}$/).filter(text => !/[\\#]|(?:^|&)force|%/.test(text))).map(([name, value]) => `${name}=${MARKER}${value}`), { maxLength: 4 }).map(pairs => pairs.join('&'))

await t.test('no header and no query of a client is part of what is sent', async t => {
  const tenants = await start(t)
  const tokens = new Map(await Promise.all(ROWS.map(async row => [row, await bearer(tenants.gateway, grant(OWN, row.action))] as const)))
  await fc.assert(fc.asyncProperty(fc.constantFrom(...ROWS), fc.array(header, { maxLength: 6 }), query, async (row, headers, query) => {
    const type = row.type === undefined ? [] : [`Content-Type: ${row.type}`]
    await tenants.ask(row.method, row.path + (row.path.includes('?') ? '&' : '?') + query, { authorization: tokens.get(row), headers: [...headers, ...type], body: row.body ?? '' })
    const found = differences(tenants.taken(), row, tenants.stub.origin, MARKER)
    if (found.length > 0) throw new Error(`the upstream saw ${found.join(', ')}`)
  }), { numRuns: inShort(100, 300) })
})
