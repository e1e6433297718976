// HEAD wherever GET is, entity tags of files, other methods, and what is at the root.
import { createHash } from 'node:crypto'
import type { Socket } from 'node:net'
import t from 'tap'
import { startApp, type TestGateway } from '../helpers/app.ts'
import { askRaw, openRaw } from '../helpers/raw.ts'
import { startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'
import { untilTrue } from '../helpers/until.ts'

const FILE = '/org1/repo1/charts/a-1.0.0.tgz'
const LARGE = '/org1/repo1/charts/large-1.0.0.tgz'
const API = '/api/org1/repo1/charts'
const BODY = 'the bytes of a small file'
const TAG = `"${createHash('sha256').update(BODY).digest('hex')}"`

interface Lab { readonly stub: StubUpstream, readonly gateway: TestGateway, ask (line: string, headers?: Readonly<Record<string, string>>): Promise<Response> }

async function start (more: Parameters<typeof startApp>[1] | object = {}): Promise<Lab> {
  const stub = await startStubUpstream(t)
  stub.answer = ({ target }) => target.includes('large')
    ? { headers: { 'content-type': 'application/x-tar', 'content-length': String(8 * 1024 * 1024) }, body: Buffer.alloc(8 * 1024 * 1024) }
    : { headers: { 'content-type': 'application/x-tar', 'content-length': String(BODY.length) }, body: BODY }
  const gateway = await startApp(t, { origin: stub.origin, ...more })
  return {
    stub,
    gateway,
    async ask (line, headers = {}) {
      const [method, path] = line.split(' ') as [string, string]
      return await fetch(gateway.url + path, { method, headers: { authorization: `Bearer ${gateway.masterKey}`, ...headers } })
    }
  }
}

const lab = await start()

/** Those that describe the content. */
function described ({ headers }: Response): Record<string, string | null> {
  return Object.fromEntries(['content-type', 'content-length', 'etag'].map(name => [name, headers.get(name)]))
}

await t.test('HEAD is answered with the headers of GET, wherever GET is', async t => {
  for (const path of [FILE, `${FILE}.prov`, '/org1/repo1/artifacthub-repo.yml', API, `${API}/a`, `${API}/a/1.0.0`, `${API}/a/1.0.0/values`, `${API}/a/1.0.0/templates`, '/health', '/info', '/', '/.well-known/jwks.json']) {
    const [head, get] = [await lab.ask(`HEAD ${path}`), await lab.ask(`GET ${path}`)]
    const text = await get.text()
    t.equal(await head.text(), '', path)
    t.same([head.status, get.status], [200, 200], path)
    t.same(described(head), { ...described(get), 'content-length': String(text.length) }, path)
  }
})

await t.test('of a large file no more is read for it than its beginning', async t => {
  const sockets: Socket[] = []
  lab.stub.server.on('connection', (socket: Socket) => { sockets.push(socket) })
  for (const path of [LARGE, `${API}/large`]) {
    const head = await lab.ask(`HEAD ${path}`)
    t.equal(head.status, 200)
    t.equal(head.headers.get('content-length'), String(8 * 1024 * 1024), path)
    const connection = await openRaw(t, lab.gateway.port)
    for (const file of [path, FILE]) {
      connection.socket.write(`HEAD ${file} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${lab.gateway.masterKey}\r\n\r\n`)
      await connection.received(file === path ? /\r\n\r\n$/ : /etag/)
    }
    t.equal(connection.text().match(/HTTP\/1\.1 200/g)?.length, 2, `${path}: the connection goes on`)
  }
  await untilTrue(() => sockets.every(({ destroyed, writableLength }) => destroyed || writableLength === 0))
  t.pass('and the upstream sends nobody anything any more')
})

await t.test('a file that is read whole has a tag of its bytes, and 304 for who has them', async t => {
  for (const path of [FILE, `${FILE}.prov`]) {
    t.equal((await lab.ask(`GET ${path}`)).headers.get('etag'), TAG)
    for (const method of ['GET', 'HEAD']) {
      for (const [header, status] of [[TAG, 304], [`W/${TAG}`, 304], [`"x", ${TAG}`, 304], ['*', 304], ['"x"', 200], [TAG.slice(1, -1), 200]] as const) {
        const answer = await lab.ask(`${method} ${path}`, { 'if-none-match': header })
        t.equal(answer.status, status, `${method} ${header}`)
        t.equal(answer.headers.get('etag'), TAG)
      }
    }
  }
  const large = await lab.ask(`GET ${LARGE}`)
  t.equal(large.headers.get('etag'), null, 'of a large one it would have to be read first')
  await large.body?.cancel() // the gateway would wait for its reader
})

await t.test('a method that a known path does not have is 405, and says which it has', async t => {
  for (const [line, allow] of [[`PUT ${FILE}`, 'GET, HEAD'], ['POST /org1/repo1/index.yaml', 'GET, HEAD'], [`PUT ${API}`, 'GET, HEAD, POST'], ['DELETE /health', 'GET, HEAD'], ['POST /', 'GET, HEAD'], ['PUT /oauth/token', 'GET, POST']] as const) {
    const answer = await lab.ask(line)
    t.equal(answer.status, 405, line)
    t.equal(answer.headers.get('allow'), allow, line)
  }
})

await t.test('the root says what this is, to programs and to people, and nothing of tenants', async t => {
  const json = await fetch(lab.gateway.url)
  t.match(json.headers.get('content-type'), /^application\/json/)
  t.match(await json.json(), { service: 'chartgate', use: `helm repo add NAME ${lab.gateway.config.publicUrl}/TENANT/TENANT` })
  const page = await fetch(lab.gateway.url, { headers: { accept: 'text/html,application/xhtml+xml;q=0.9' } })
  t.match(page.headers.get('content-type'), /^text\/html/)
  t.match(await page.text(), /helm repo add NAME/)
  const dynamic = await start({ config: (config: TestGateway['config']) => ({ ...config, charts: { ...config.charts, depth: 'dynamic' } }) })
  t.match(await (await fetch(dynamic.gateway.url)).json(), { use: /\/TENANT$/ })
})

await t.test('health is answered outside the base path too, and nothing else is', async t => {
  const below = await start({ config: (config: TestGateway['config']) => ({ ...config, publicUrl: `${config.publicUrl}/helm`, basePath: '/helm' }) })
  for (const method of ['GET', 'HEAD']) {
    for (const [path, status] of [['/health', 200], ['/helm/health', 200], ['/helm', 200], ['/info', 404], ['/', 404]] as const) {
      const { status: got } = await askRaw(below.gateway.port, `${method} ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n`)
      t.equal(got, status, `${method} ${path}`)
    }
  }
})
