// Class 16, header aliases: a proxy removes a header under the one spelling it knows,
// and the server behind takes another one for the same (`_` for `-`, as in CGI).
// oauth2-proxy CVE-2025-64484, Traefik GHSA-5m6w-wvh7-57vm and CVE-2026-39858.
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { provenanceOf } from '../helpers/packages.ts'
import { askRaw } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const NAMES = ['X-Forwarded-For', 'X-Forwarded-Host', 'X-Forwarded-Proto', 'X-Forwarded-User', 'X-Forwarded-Uri', 'X-Request-Id', 'X-Original-URL', 'Authorization', 'Proxy-Authorization', 'Content-Type', 'Forwarded']
/** Spellings that some reader takes for the name. */
function aliasesOf (name: string): string[] {
  return [name.replaceAll('-', '_'), name.replace('-', '_'), `${name}_`, name.replace(/-(?=[^-]*$)/, '_'), name.toUpperCase().replaceAll('-', '_'), `HTTP_${name.toUpperCase().replaceAll('-', '_')}`, name.replaceAll('-', '.'), name.replaceAll('-', '')]
    .filter(each => each.toLowerCase() !== name.toLowerCase())
}

const stub = await startStubUpstream(t)
stub.answer = ({ method }) => method === 'POST' ? { status: 201 } : { status: 200, body: 'hello' }
// The peer is a trusted proxy: its own headers count, their aliases do not.
const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, trustedProxies: ['127.0.0.1'] }) })
const EXPECTED = ['authorization', 'connection', 'host', 'x-forwarded-for', 'x-forwarded-host', 'x-forwarded-proto', 'x-request-id']
const body = provenanceOf('a', '1.0.0')

await t.test('no alias of a header reaches the upstream, nor changes the header itself', async t => {
  for (const alias of NAMES.flatMap(aliasesOf)) {
    stub.seen.length = 0
    const head = `HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n${alias}: evil\r\n`
    await askRaw(gateway.port, `GET /org1/repo1/charts/a-1.0.0.tgz ${head}\r\n`)
    await askRaw(gateway.port, `POST /api/org1/repo1/prov?force ${head}Content-Length: ${body.length}\r\n\r\n${body}`)
    // Before an overwrite it is asked what is there.
    t.ok(stub.seen.length >= 2)
    for (const seen of stub.seen) t.same(Object.keys(seen.headers).filter(name => !name.startsWith('content-')).sort(), EXPECTED, alias)
    t.notMatch(JSON.stringify(stub.seen.map(seen => seen.rawHeaders)), 'evil', alias)
  }
})

await t.test('no alias is a credential', async t => {
  stub.seen.length = 0
  for (const alias of [...aliasesOf('Authorization'), 'Proxy-Authorization', 'X-Authorization', 'X-Forwarded-Authorization', 'X-Forwarded-Access-Token', 'X-Api-Key', 'X-Auth-Token', 'Authentication']) {
    const answer = await askRaw(gateway.port, `GET /org1/repo1/charts/a-1.0.0.tgz HTTP/1.1\r\nHost: x\r\n${alias}: Bearer ${gateway.masterKey}\r\n\r\n`)
    t.equal(answer.status, 401, alias)
  }
  t.same(stub.seen, [])
})

await t.test('the case of a name makes no second header, and of several the last word is the proxy\'s', async t => {
  stub.seen.length = 0
  await askRaw(gateway.port, `GET /org1/repo1/charts/a-1.0.0.tgz HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\nx-FORWARDED-for: 6.6.6.6\r\nX-Forwarded-For: 7.7.7.7\r\nX-Forwarded-Host: evil\r\nx-forwarded-host: good\r\n\r\n`)
  t.match(stub.seen[0]?.headers, { 'x-forwarded-for': '7.7.7.7', 'x-forwarded-host': 'good' })
  t.equal(stub.seen[0]?.rawHeaders.filter(name => name.toLowerCase() === 'x-forwarded-for').length, 1)
})
