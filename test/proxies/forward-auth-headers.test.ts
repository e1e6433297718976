// What does the chart repository get from real proxies that ask the gateway, when a client
// writes the headers that proxies write? Whose a request is says the gateway alone, and its
// client's credentials go no further. And what nginx makes of each no.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { CLIENT_MADE, ASKING_PROXIES, dialectOf, lacked, startAskingProxy } from '../helpers/asking-proxies.ts'
import { startAsked, type AskedGateway } from '../helpers/authz.ts'
import { rawClient, type RawResponse } from '../helpers/raw.ts'
import { newPassword } from '../helpers/secrets.ts'
import { startStubUpstream, type SeenRequest } from '../helpers/stub-upstream.ts'
import { basic } from '../helpers/team.ts'
import { authorisedFor } from '../helpers/two-tenants.ts'
import { freePorts, ROOT } from '../helpers/processes.ts'

const INDEX = '/org1/repo1/index.yaml'

/** All that came under a name, of whatever case. */
function valuesOf (name: string, { rawHeaders }: SeenRequest): string[] {
  return rawHeaders.filter((_value, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name)
}

for (const name of ASKING_PROXIES) {
  await t.test(`${name}: whose a request is says the gateway alone`, async t => {
    if (await lacked(t, name)) return
    const repository = await startStubUpstream(t)
    repository.answer = () => ({ headers: { 'content-length': '2' }, body: 'up' })
    const { gateway, ci } = await startAsked(t, dialectOf(name), {
      config: config => ({ ...config, policy: [...config.policy, { repositories: ['public/x'], subjects: ['anonymous'], actions: ['pull'] }] })
    })
    const proxy = await startAskingProxy(t, name, { authz: gateway.authzPort, gateway: gateway.port, repository: Number(new URL(repository.origin).port) })
    const client = rawClient(proxy.port)
    t.teardown(() => { client.close() })
    let passed = 0
    for (const headers of [[], ...CLIENT_MADE, CLIENT_MADE.flat().filter(each => !each.startsWith('Connection'))]) {
      for (const [who, user, target, tenant] of [[[`Authorization: ${ci}`], 'robot:ci', INDEX, 'org1/repo1'], [[], '', '/public/x/index.yaml', 'public/x']] as const) {
        await client.ask({ head: [`GET ${target} HTTP/1.1`, 'Host: charts.example.test', ...who, ...headers, '', ''].join('\r\n') })
        for (const seen of repository.seen.splice(0)) {
          passed++
          const said = `${target} with ${headers.join(', ')}`
          t.ok(valuesOf('x-auth-user', seen).every(each => each === user), `${said}: ${valuesOf('x-auth-user', seen).join()}`)
          t.ok(valuesOf('x-auth-tenant', seen).every(each => each === tenant), said)
          const tokens = valuesOf('authorization', seen)
          t.ok(tokens.length <= 1 && !tokens.includes(ci), `${said}: nothing of the client's credentials`)
          if (tokens.length === 1) t.equal(authorisedFor(seen).name, tenant, said)
        }
      }
    }
    t.ok(passed > CLIENT_MADE.length, `${passed} passed`)
    t.equal(await asked(client, INDEX, [`Authorization: ${ci}`, `Authorization: ${ci}`]), 400, 'two Authorization headers')
    t.equal(await asked(client, INDEX, [`Authorization: ${ci}`, 'Authorization: Bearer x']), 400)
    t.same(repository.seen, [])
  })
}

async function asked (client: ReturnType<typeof rawClient>, target: string, headers: readonly string[]): Promise<number> {
  const { status } = await client.ask({ head: [`GET ${target} HTTP/1.1`, 'Host: charts.example.test', ...headers, '', ''].join('\r\n') })
  return [401, 403].includes(status) ? 400 : status // Envoy makes one of two, which is nobody's, and nginx knows no 400
}

await t.test('nginx: its clients read JSON of each no, and what may be asked again says so', async t => {
  if (await lacked(t, 'nginx')) return
  const repository = await startStubUpstream(t)
  const site: AskedGateway = await startAsked(t, 'nginx', { config: config => ({ ...config, limits: { logins: { perAccount: 2, perAddress: 2, within: 300 } } }) })
  const { gateway, ci } = site
  const proxy = await startAskingProxy(t, 'nginx', { authz: gateway.authzPort, gateway: gateway.port, repository: Number(new URL(repository.origin).port) })
  const client = rawClient(proxy.port)
  t.teardown(() => { client.close() })
  const ask = async (...headers: string[]): Promise<RawResponse> => await client.ask({ head: [`GET ${INDEX} HTTP/1.1`, 'Host: charts.example.test', ...headers, '', ''].join('\r\n') })
  const guess = `Authorization: ${basic('nobody', newPassword())}`
  t.match([(await ask(guess)).status, (await ask(guess)).status], [401, 401])
  const limited = await ask(guess)
  t.match(limited, { status: 429, headers: { 'content-type': ['application/json'], 'retry-after': ['5'], 'x-request-id': [/./] }, body: '{"error":"too many failed logins: try again shortly"}' })
  t.equal((await ask(`Authorization: ${ci}`)).status, 404, 'what the repository answers is the repository\'s')
  await gateway.app.authz?.close()
  t.match(await ask(`Authorization: ${ci}`), { status: 503, headers: { 'content-type': ['application/json'], 'retry-after': ['5'] }, body: '{"error":"the gateway cannot be asked: try again shortly"}' })
})

await t.test('docs/forward-auth.md shows the lines that were tried', async t => {
  const [page, example] = await Promise.all(['docs/forward-auth.md', 'examples/forward-auth/nginx.conf'].map(async file => await readFile(join(ROOT, file), 'utf8'))) as [string, string]
  const blocks = [...page.matchAll(/```nginx\n(.*?)```/gs)].map(([, lines]) => lines as string)
  t.equal(blocks.length, 2)
  for (const block of blocks) t.ok(example.includes(block), block)
})

await t.test('nginx without the recipe says no in a page of its own, with the first challenge', async t => {
  if (await lacked(t, 'nginx')) return
  const [repository] = await freePorts(1) as [number]
  const { gateway } = await startAsked(t, 'nginx')
  const edits = ['error_page 401 = @unauthorized;', 'error_page 403 = @forbidden;', 'error_page 500 = @later;'].map((line): readonly [string, string] => [line, ''])
  const proxy = await startAskingProxy(t, 'nginx', { authz: gateway.authzPort, gateway: gateway.port, repository }, { edits })
  const client = rawClient(proxy.port)
  t.teardown(() => { client.close() })
  const answer = await client.ask({ head: `GET ${INDEX} HTTP/1.1\r\nHost: charts.example.test\r\n\r\n` })
  t.match(answer, { status: 401, body: /<html>/ })
  t.match(answer.headers['www-authenticate']?.[0], /^Bearer realm=/)
})
