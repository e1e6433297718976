// index.yaml through the real door: conditional, under gzip, from memory, and never for
// who may not read it.
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import t from 'tap'
import { request, type Dispatcher } from 'undici'
import { grant, startApp, type TestGateway } from '../helpers/app.ts'
import { chartOf } from '../helpers/packages.ts'
import { startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'

const secretIndex = (mark: string): string => `apiVersion: v1\nentries:\n  secret:\n${Array.from({ length: 50 }, (_, i) => `  - name: secret\n    urls:\n    - charts/secret-${i}.tgz\n    version: ${i}.0.0-${mark}\n`).join('')}generated: "x"\nserverInfo: {}\n`

interface Lab { readonly gateway: TestGateway, readonly stub: StubUpstream, ask (headers?: Record<string, string>, method?: 'GET' | 'HEAD', path?: string): Promise<{ status: number, headers: Record<string, string | string[] | undefined>, body: Buffer }> }

async function start (t: Parameters<typeof startApp>[0], maxAge: number, publicUrl?: string): Promise<Lab> {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, {
    origin: stub.origin,
    config: config => ({
      ...config,
      ...(publicUrl === undefined ? {} : { publicUrl, basePath: new URL(publicUrl).pathname }),
      charts: { ...config.charts, index: { ...config.charts.index, maxAge } },
      policy: [{ repositories: ['public/*'], subjects: ['anonymous'], actions: ['pull'] }]
    })
  })
  return {
    gateway,
    stub,
    async ask (headers = {}, method = 'GET', path = '/org2/repo2/index.yaml') {
      const options: { method: Dispatcher.HttpMethod, headers: Record<string, string> } = { method, headers }
      const answer = await request(gateway.url + path, options)
      return { status: answer.statusCode, headers: answer.headers, body: Buffer.from(await answer.body.arrayBuffer()) }
    }
  }
}

await t.test('who has the index gets 304, in the form that they have', async t => {
  const { gateway, stub, ask } = await start(t, 0)
  stub.answer = () => ({ body: secretIndex('one') })
  const authorization = `Bearer ${await gateway.token([grant('org2/repo2', 'pull')])}`
  const whole = await ask({ authorization })
  const etag = String(whole.headers['etag'])
  t.match(whole, { status: 200, headers: { 'content-type': 'application/x-yaml', 'cache-control': 'private, no-cache', vary: 'accept-encoding', 'content-length': String(whole.body.length) } })
  t.equal(whole.body.toString(), secretIndex('one'))
  t.match(await ask({ authorization, 'if-none-match': etag }), { status: 304, headers: { etag }, body: Buffer.alloc(0) })
  t.match(await ask({ authorization, 'if-none-match': '"other"' }), { status: 200 })

  const zipped = await ask({ authorization, 'accept-encoding': 'gzip' })
  t.match(zipped, { status: 200, headers: { 'content-encoding': 'gzip', 'content-length': String(zipped.body.length) } })
  t.equal(gunzipSync(zipped.body).toString(), secretIndex('one'))
  const zippedEtag = String(zipped.headers['etag'])
  t.not(zippedEtag, etag)
  t.match(await ask({ authorization, 'accept-encoding': 'gzip', 'if-none-match': zippedEtag }), { status: 304 })
  t.match(await ask({ authorization, 'if-none-match': zippedEtag }), { status: 200 }, 'the one form is not the other')
  t.match(await ask({ authorization, 'accept-encoding': 'gzip;q=0' }), { headers: { 'content-encoding': undefined } })

  const head = await ask({ authorization }, 'HEAD')
  t.match(head, { status: 200, headers: { etag, 'content-length': String(whole.body.length) }, body: Buffer.alloc(0) })

  stub.answer = () => ({ body: secretIndex('two') })
  t.match(await ask({ authorization, 'if-none-match': etag }), { status: 200 }, 'a changed index is a new one')
  t.equal((await ask({}, 'GET', '/public/x/index.yaml')).headers['cache-control'], 'public, no-cache')
  stub.answer = () => ({ body: 'apiVersion: v1\nentries: {}\nserverInfo: {}\n' })
  t.match(await ask({ authorization, 'accept-encoding': 'gzip' }), { headers: { 'content-encoding': undefined } }, 'a short one is sent as it is')
})

await t.test('a push, an overwrite and a delete through this gateway are seen by the next read', async t => {
  const { gateway, stub, ask } = await start(t, 3600)
  const authorization = `Bearer ${gateway.masterKey}`
  const chart = await chartOf('secret', '1.0.0')
  let version = 0
  stub.answer = ({ method, target }) => {
    if (method === 'GET' && target.endsWith('/index.yaml')) return { body: secretIndex(String(version)) }
    if (method === 'GET') return { status: 404 }
    version++
    return { status: method === 'POST' ? 201 : 200, body: '{}' }
  }
  const seen = async (): Promise<string | undefined> => /-(\d+)\n/.exec((await ask({ authorization })).body.toString())?.[1]
  t.equal(await seen(), '0')
  const changes: [Dispatcher.HttpMethod, string, Buffer?][] = [['POST', '/api/org2/repo2/charts', chart], ['POST', '/api/org2/repo2/charts?force', chart], ['DELETE', '/api/org2/repo2/charts/secret/1.0.0']]
  for (const [i, [method, path, body]] of changes.entries()) {
    const answer = await request(gateway.url + path, { method, headers: { authorization }, ...(body === undefined ? {} : { body }) })
    await answer.body.dump()
    t.equal(answer.statusCode, method === 'POST' ? 201 : 200)
    t.equal(await seen(), String(i + 1), `${method} ${path}`)
  }
  for (const what of [chart, undefined]) {
    const before = Number(await seen())
    const left = connect(gateway.port, '127.0.0.1')
    const answer = stub.answer
    const asked = new Promise<void>(resolve => {
      stub.answer = async seen => {
        if (seen.method === 'GET') return await answer(seen)
        left.destroy()
        await once(left, 'close')
        resolve()
        return await answer(seen)
      }
    })
    left.write(`${what === undefined ? 'DELETE /api/org2/repo2/charts/secret/1.0.0' : 'POST /api/org2/repo2/charts'} HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n${what === undefined ? '\r\n' : `Content-Length: ${what.length}\r\n\r\n`}`)
    if (what !== undefined) left.write(what)
    await asked
    while (Number(await seen()) === before) await sleep(10)
    t.equal(Number(await seen()), before + 1, 'also when the client left before its answer')
    stub.answer = answer
  }
  stub.answer = ({ method }) => method === 'GET' ? { body: secretIndex('later') } : { status: 500 }
  t.equal((await request(`${gateway.url}/api/org2/repo2/charts/secret/1.0.0`, { method: 'DELETE', headers: { authorization } })).statusCode, 502)
  t.match((await ask({ authorization })).body.toString(), 'later', 'also when nobody knows what the upstream did')
})

await t.test('an index leads back here under the base path, and to no other host', async t => {
  const { gateway, stub, ask } = await start(t, 0, 'https://charts.example.test/helm')
  const authorization = `Bearer ${gateway.masterKey}`
  const path = '/org2/repo2/index.yaml'
  stub.answer = () => ({ body: secretIndex('x').replaceAll('charts/secret', 'https://upstream.example.test/org2/repo2/charts/secret') })
  const answer = await ask({ authorization }, 'GET', path)
  t.equal(answer.body.toString(), secretIndex('x').replace('serverInfo: {}', 'serverInfo:\n  contextPath: /helm'))
  stub.answer = () => ({ body: secretIndex('x').replace('charts/secret-7.tgz', 'https://evil.example.test/x.tgz') })
  const without = await ask({ authorization }, 'GET', path)
  t.equal(without.status, 200)
  t.match(without.body.toString(), 'charts/secret-8.tgz')
  t.notMatch(without.body.toString(), /evil|secret-7\.tgz/, 'the one that leads elsewhere is left out')
  t.match(gateway.log.filter(({ msg }) => msg === 'left out of the index'), [{ tenant: 'org2/repo2', file: 'x.tgz', reason: 'leads_elsewhere' }], 'and the log says it')
  stub.answer = () => ({ body: '<html><body>502</body></html>' })
  const refused = await ask({ authorization }, 'GET', path)
  t.match([refused.status, JSON.parse(refused.body.toString())], [502, { error: /makes no sense/ }])
  t.match(gateway.log.at(-1), { reason: 'upstream_bad_answer', err: /no entries/ }, 'the log says what is wrong')
})

await t.test('an upstream that fails is an error for everybody at once, and gone with the next answer', async t => {
  const { gateway, stub, ask } = await start(t, 3600)
  const authorization = `Bearer ${gateway.masterKey}`
  stub.answer = () => ({ status: 500, body: '' })
  for (const answer of await Promise.all(Array.from({ length: 20 }, async () => await ask({ authorization })))) t.equal(answer.status, 502)
  t.ok(stub.seen.length <= 20)
  stub.answer = () => ({ body: secretIndex('one') })
  t.equal((await ask({ authorization })).status, 200)
})

await t.test('a push or a delete is answered when the repository shows it to whoever reads then, from memory too', async t => {
  const { gateway, stub, ask } = await start(t, 3_600)
  const chart = await chartOf('late', '1.0.0')
  const digest = createHash('sha256').update(chart).digest('hex')
  let [isStored, isListed, left] = [false, false, 0]
  const index = (): string => `apiVersion: v1\nentries:\n  late:${isListed ? `\n  - name: late\n    urls:\n    - charts/late-1.0.0.tgz\n    version: 1.0.0\n    digest: ${digest}\n` : ' []\n'}generated: "x"\nserverInfo: {}\n`
  stub.answer = ({ method, target }) => {
    if (method !== 'GET') {
      isStored = method === 'POST'
      return { status: method === 'POST' ? 201 : 200, body: '{"saved":true}' }
    }
    if (target.endsWith('/index.yaml')) return { body: index() }
    if (target.endsWith('.tgz')) return isStored ? { body: chart } : { status: 404, body: '{}' }
    if (isListed !== isStored && left-- === 0) isListed = isStored
    return isListed ? { body: JSON.stringify({ name: 'late', version: '1.0.0', urls: ['charts/late-1.0.0.tgz'], digest }) } : { status: 404, body: '{}' }
  }
  const authorization = `Bearer ${gateway.masterKey}`
  const change = async (method: 'POST' | 'DELETE'): Promise<number> => {
    const path = method === 'POST' ? '' : '/late/1.0.0'
    const answer = await request(`${gateway.url}/api/org2/repo2/charts${path}`, { method, headers: { authorization, 'content-type': 'application/octet-stream' }, ...(method === 'POST' ? { body: chart } : {}) })
    await answer.body.dump()
    return answer.statusCode
  }
  const shows = async (): Promise<boolean> => (await ask({ authorization })).body.includes(digest)
  for (const looks of [0, 1, 4]) {
    for (const [method, status] of [['POST', 201], ['DELETE', 200]] as const) {
      await shows() // it is remembered
      left = looks
      t.equal(await change(method), status)
      t.equal(await shows(), method === 'POST', `${method}, shown at look ${looks + 1}`)
    }
  }
  await shows()
  left = 1_000
  t.equal(await change('POST'), 201, 'it is not waited for for ever')
  t.notOk(await shows(), 'and this is what the repository has')
  isListed = true
  t.ok(await shows(), 'which is remembered for nobody')
})
