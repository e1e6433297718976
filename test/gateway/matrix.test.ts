// Every form of a credential, on every route, with and without the right: 401, 403 or
// through, and the upstream hears of nothing that was refused. One table makes all cases.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { request } from 'undici'
import { ROUTES, type Method } from '../../src/chartmuseum/routes.ts'
import { digestOf } from '../../src/identity/sources/robot-secret.ts'
import { cheapBcrypt, cheapHash } from '../helpers/accounts.ts'
import { grant, startApp, type TestGateway } from '../helpers/app.ts'
import { chartOf, provenanceOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { newPassword, newSecret } from '../helpers/secrets.ts'
import { startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'

const MINE = 'org1/repo1'
const OTHERS = 'org2/repo2'
const PUBLIC = 'public/charts'
const ALL = ['pull', 'push', 'overwrite', 'delete'] as const
const NOW = Math.floor(Date.now() / 1000)
const basic = (user: string, password: string): string => `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`

type Scheme = 'basic' | 'bearer' | 'none'
/** `member` has every right on MINE, `master` everywhere, `nobody` is bad. */
type Who = 'member' | 'master' | 'anonymous' | 'nobody'
interface Form { readonly name: string, readonly headers: string[], readonly scheme: Scheme, readonly who: Who }

const [password, other, secret, expired] = [newPassword(), newPassword(), newSecret(), newSecret()]

async function formsOf (gateway: TestGateway): Promise<Form[]> {
  const { masterKey } = gateway
  const token = await gateway.token([grant(MINE, ...ALL)])
  const foreign = token.slice(0, -8) + 'AAAAAAAA'
  const form = (name: string, scheme: Scheme, who: Who, ...headers: string[]): Form => ({ name, headers, scheme, who })
  return [
    form('nothing', 'none', 'anonymous'),
    form('Basic, user and password (argon2id)', 'basic', 'member', basic('alice', password)),
    form('Basic, user and password (bcrypt)', 'basic', 'member', basic('bob', other)),
    form('basic in lower case', 'basic', 'member', basic('alice', password).replace('Basic', 'basic')),
    form('Basic, robot and secret', 'basic', 'member', basic('ci', secret)),
    form('Basic, any name and a secret', 'basic', 'member', basic('any', secret)),
    form('Basic, no name and a secret', 'basic', 'member', basic('', secret)),
    form('Basic, any name and a token', 'basic', 'member', basic('any', token)),
    form('Basic, no name and a token', 'basic', 'member', basic('', token)),
    form('Basic, any name and the master key', 'basic', 'master', basic('any', masterKey)),
    form('Bearer, a token', 'bearer', 'member', `Bearer ${token}`),
    form('bearer in lower case', 'bearer', 'member', `bearer ${token}`),
    form('a token without a scheme', 'bearer', 'member', token),
    form("Bearer, a robot's secret", 'bearer', 'member', `Bearer ${secret}`),
    form('Bearer, the master key', 'bearer', 'master', `Bearer ${masterKey}`),
    form('Basic, a wrong password', 'basic', 'nobody', basic('alice', other)),
    form('Basic, an unknown user', 'basic', 'nobody', basic('carol', password)),
    form('Basic, a disabled user', 'basic', 'nobody', basic('dave', password)),
    form('Basic, an expired secret', 'basic', 'nobody', basic('old', expired)),
    form('Basic, a token with another signature', 'basic', 'nobody', basic('any', foreign)),
    form('Basic that is none', 'basic', 'nobody', 'Basic !'),
    form('Bearer, a token with another signature', 'bearer', 'nobody', `Bearer ${foreign}`),
    form('Bearer, a password', 'bearer', 'nobody', `Bearer ${password}`),
    form('Bearer, an expired secret', 'bearer', 'nobody', `Bearer ${expired}`),
    form('another scheme', 'bearer', 'nobody', 'Digest username="alice"')
  ]
}

const chart = await chartOf('mychart', '1.0.0')
const provenance = Buffer.from(provenanceOf('mychart', '1.0.0'))

interface Case { readonly method: Method, readonly path: (tenant: string) => string, readonly body?: Buffer, readonly action: string }

const PARTS: Readonly<Record<string, string>> = { chart: 'mychart', version: '1.0.0' }

/** Every row of the route table, with each of its methods; uploads also with `force`. */
const CASES: readonly Case[] = ROUTES.flatMap(route => {
  const tail = route.tail.map(part => typeof part === 'string' ? part : part.parameter === 'file' ? `mychart-1.0.0.tgz${route.id === 'prov-file' ? '.prov' : ''}` : PARTS[part.parameter]).join('/')
  const path = (tenant: string): string => `${route.api ? '/api' : ''}/${tenant}/${tail}`
  const body = route.id === 'upload-chart' ? { body: chart } : route.id === 'upload-prov' ? { body: provenance } : {}
  const plain = route.methods.map(method => ({ method, path, action: route.action as string, ...body }))
  return route.query.includes('force') ? [...plain, ...plain.map(each => ({ ...each, path: (tenant: string) => `${path(tenant)}?force`, action: 'overwrite' }))] : plain
})

async function start (t: Parameters<typeof startApp>[0]): Promise<{ gateway: TestGateway, stub: StubUpstream }> {
  const stub = await startStubUpstream(t)
  stub.answer = ({ method, target }) => method === 'POST' ? { status: 201, body: '{"saved":true}' } : { status: target.includes('/charts/mychart-') ? 404 : 200, headers: { 'content-type': 'application/json' }, body: '{"entries":{}}' }
  const file = join(await temporaryFolder(t), 'accounts.yaml')
  const hash = await cheapHash(password)
  writeFileSync(file, JSON.stringify({
    users: [{ name: 'alice', passwordHash: hash, groups: ['team'] }, { name: 'bob', passwordHash: await cheapBcrypt(other), groups: ['team'] }, { name: 'dave', passwordHash: hash, groups: ['team'], disabled: true }],
    robots: [{ name: 'ci', secrets: [{ hash: `sha256:${digestOf(secret)}` }], groups: ['team'] }, { name: 'old', groups: ['team'], secrets: [{ hash: `sha256:${digestOf(expired)}`, expires: new Date((NOW - 60) * 1000).toISOString() }] }]
  }))
  const gateway = await startApp(t, {
    origin: stub.origin,
    config: config => ({ ...config, log: { ...config.log, level: 'debug' }, accounts: { files: [file] }, policy: [{ repositories: [MINE], subjects: ['group:team'], actions: [...ALL] }, { repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }] })
  })
  return { gateway, stub }
}

/** What the contract says (design, decisions: 400, 404, 401 or 403). */
function expected ({ who, scheme }: Form, tenant: string, action: string): { status?: 401 | 403, error?: string | undefined } {
  if (who === 'nobody') return { status: 401, error: scheme === 'bearer' ? 'invalid_token' : undefined }
  const allowed = who === 'master' || (tenant === PUBLIC && action === 'pull') || (who === 'member' && tenant === MINE)
  if (allowed) return {}
  if (scheme === 'none') return { status: 401 }
  return scheme === 'basic' ? { status: 403 } : { status: 401, error: 'insufficient_scope' }
}

await t.test('every credential on every route gets what the contract says, and the upstream hears of what is allowed alone', async t => {
  const { gateway, stub } = await start(t)
  for (const form of await formsOf(gateway)) {
    await t.test(form.name, async t => {
      for (const { method, path, body, action } of CASES) {
        for (const tenant of [MINE, OTHERS, PUBLIC]) {
          const name = `${method} ${path(tenant)}`
          stub.seen.length = 0
          const answer = await request(gateway.url + path(tenant), { method, headers: form.headers.length === 0 ? {} : { authorization: form.headers }, ...(body === undefined ? {} : { body }) })
          const text = await answer.body.text()
          const { status, error } = expected(form, tenant, action)
          if (status === undefined) {
            t.ok([200, 201, 404].includes(answer.statusCode) && stub.seen.length > 0, name, { status: answer.statusCode })
            t.notOk(stub.seen.some(({ target }) => !target.includes(`/${tenant}/`)), 'and it was asked for this tenant')
            continue
          }
          const [bearer, offer, ...more] = [answer.headers['www-authenticate'] ?? []].flat()
          const scope = `scope="artifact-repository:${tenant}:${action}"${error === undefined ? '' : `,error="${error}"`}`
          t.strictSame({ status: answer.statusCode, seen: stub.seen.length, more }, { status, seen: 0, more: [] }, name)
          if (status === 401) t.ok(bearer?.endsWith(scope) === true && offer?.startsWith('Basic realm=') === true, `${name}: ${bearer}`)
          else t.equal(bearer, undefined)
          if (method !== 'HEAD') t.type((JSON.parse(text) as { error: string }).error, 'string')
        }
      }
    })
  }
  for (const part of [password, other, secret, expired, gateway.masterKey]) t.notMatch(gateway.logText(), part, 'no secret is in the log')
})

await t.test('two Authorization headers are a 400, whatever they are', async t => {
  const { gateway, stub } = await start(t)
  for (const headers of [[basic('alice', password), basic('alice', password)], [`Bearer ${secret}`, basic('alice', password)], ['', `Bearer ${secret}`]]) {
    for (const { method, path } of CASES) {
      const answer = await request(gateway.url + path(MINE), { method, headers: headers.flatMap(value => ['authorization', value]) })
      t.equal(answer.statusCode, 400)
      await answer.body.dump()
    }
    const answer = await request(`${gateway.url}/oauth/token`, { headers: headers.flatMap(value => ['authorization', value]) })
    t.equal(answer.statusCode, 400)
    await answer.body.dump()
  }
  t.equal(stub.seen.length, 0)
})

await t.test('the token endpoint gives each account what the policy does, and bad credentials nothing', async t => {
  const { gateway } = await start(t)
  const scopes = [MINE, OTHERS, PUBLIC].map(tenant => `scope=artifact-repository:${tenant}:pull,push`).join('&') + `&scope=repository:${MINE}/mychart:pull,push`
  for (const form of await formsOf(gateway)) {
    const answer = await request(`${gateway.url}/oauth/token?${scopes}`, { headers: form.headers.length === 0 ? {} : { authorization: form.headers } })
    const body = await answer.body.json() as { scope: string, access_token: string, errors: { code: string }[] }
    if (form.who === 'nobody') {
      t.match([answer.statusCode, body], [401, { error: 'invalid_client', errors: [{ code: 'UNAUTHORIZED' }] }], form.name)
      continue
    }
    const mine = `artifact-repository:${MINE}:pull,push`
    const asked = form.who === 'master'
      ? `${mine} artifact-repository:${OTHERS}:pull,push artifact-repository:${PUBLIC}:pull,push repository:${MINE}/mychart:pull,push`
      : form.who === 'anonymous' ? `artifact-repository:${PUBLIC}:pull` : `${mine} artifact-repository:${PUBLIC}:pull repository:${MINE}/mychart:pull,push`
    t.strictSame([answer.statusCode, body.scope], [200, asked], form.name)
    const opened = await request(`${gateway.url}/${MINE}/index.yaml`, { headers: { authorization: `Bearer ${body.access_token}` } })
    await opened.body.dump()
    t.equal(opened.statusCode, form.who === 'anonymous' ? 401 : 200, `${form.name}: and the token opens it`)
  }
})
