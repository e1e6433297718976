// Class 30, secrets in logs: docker_auth logs claims and whole tokens. With everything
// logged that can be, no credential of a client, no key, no token's signature and nothing
// that the upstream is sent is in the output, also where an upstream sends it back; and
// a line stays a line.
import { readFile } from 'node:fs/promises'
import { createServer, type AddressInfo } from 'node:net'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { grant, startApp, type TestGateway } from '../helpers/app.ts'
import { startGateway } from '../helpers/gateway.ts'
import { chartOf } from '../helpers/packages.ts'
import { askRaw } from '../helpers/raw.ts'
import { startStubUpstream, type StubUpstream } from '../helpers/stub-upstream.ts'

const PASSWORD = 'the-users-p4ssword'
const FILE = '/org1/repo1/charts/a-1.0.0.tgz'
const basic = (user: string, password: string): string => 'Basic ' + Buffer.from(`${user}:${password}`).toString('base64')

interface Target { readonly port: number, readonly masterKey: string }

/** Requests of every kind, good and bad, with secrets wherever a client has them; the secrets. */
async function exercise ({ port, masterKey }: Target, tokens: readonly string[]): Promise<string[]> {
  const credentials = [`Bearer ${masterKey}`, basic('alice', masterKey), basic('alice', PASSWORD), `Bearer ${PASSWORD}`, PASSWORD, `Digest ${PASSWORD}`, ...tokens.flatMap(token => [`Bearer ${token}`, token, basic('alice', token), `Bearer ${token.slice(0, -1)}`])]
  const chart = await chartOf('a', '1.0.0')
  const lines = ['GET /org1/repo1/index.yaml', `GET ${FILE}`, 'GET /api/org1/repo1/charts', 'DELETE /api/org1/repo1/charts/a/1.0.0', 'GET /nowhere', `GET /nowhere?password=${PASSWORD}`, 'GET /oauth/token?scope=artifact-repository:org1/repo1:pull,push', `GET /oauth/token?username=alice&password=${PASSWORD}&grant_type=password&scope=x`, `GET ${FILE}?token=${PASSWORD}`, `GET /${PASSWORD}?x\x01`]
  for (const credential of credentials) {
    for (const line of lines) await askRaw(port, `${line} HTTP/1.1\r\nHost: x\r\nCookie: session=${PASSWORD}\r\nProxy-Authorization: ${basic('alice', PASSWORD)}\r\nX-Api-Key: ${PASSWORD}\r\nAuthorization: ${credential}\r\n\r\n`)
    await askRaw(port, Buffer.concat([Buffer.from(`POST /api/org1/repo1/charts HTTP/1.1\r\nHost: x\r\nAuthorization: ${credential}\r\nContent-Length: ${chart.length}\r\n\r\n`), chart]))
  }
  const forms = [`grant_type=password&username=alice&password=${PASSWORD}`, `grant_type=password&username=alice&password=${masterKey}&scope=artifact-repository:org1/repo1:pull`, `grant_type=refresh_token&refresh_token=${PASSWORD}`, `${PASSWORD}=${PASSWORD}`]
  for (const form of forms) {
    for (const type of ['application/x-www-form-urlencoded', 'application/json', PASSWORD]) await askRaw(port, `POST /oauth/token HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\nContent-Length: ${form.length}\r\n\r\n${form}`)
  }
  // What never becomes a request.
  await askRaw(port, `GET ${FILE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n`)
  await askRaw(port, `GET http://alice:${PASSWORD}@x/ HTTP/1.1\r\nHost: x\r\n\r\n`)
  await askRaw(port, `${PASSWORD} / HTTP/1.1\r\n\r\n`)
  return [masterKey, PASSWORD, 'c2Vzc2lvbg', ...[masterKey, PASSWORD].flatMap(secret => [Buffer.from(`alice:${secret}`).toString('base64'), encodeURIComponent(secret)]), ...tokens.flatMap(token => [token, ...token.split('.').slice(1)]), ...tokens.map(token => Buffer.from(`alice:${token}`).toString('base64'))]
}

/** Everything that the gateway said to the upstream as a credential. */
function sentTo (stub: StubUpstream): string[] {
  return [...new Set(stub.seen.map(seen => seen.headers.authorization ?? '').filter(each => each !== '').flatMap(each => [each, each.split(' ')[1] as string, ...each.split('.').slice(1)]))]
}

function checkNone (t: Test, output: string, secrets: readonly string[]): void {
  t.ok(secrets.length > 5 && output.length > 10_000, 'something was said, and something is looked for')
  for (const secret of new Set(secrets)) t.notOk(output.includes(secret), `a secret of ${secret.length} characters is not in the output`)
  t.equal(/Basic [A-Za-z0-9+/=]{8}|Bearer ey|-----BEGIN [A-Z ]*PRIVATE/.exec(output)?.[0], undefined)
}

async function tokensOf (gateway: TestGateway): Promise<string[]> {
  return [await gateway.token([grant('org1/repo1', 'pull', 'push', 'overwrite', 'delete')]), await gateway.token([grant('org2/repo2', 'pull')]), await gateway.token([], 'user:nobody')]
}

await t.test('nothing secret is logged at any level, also when the upstream repeats it', async t => {
  for (const auth of ['bearer', 'basic'] as const) {
    const stub = await startStubUpstream(t)
    const gateway = await startApp(t, {
      origin: stub.origin,
      config: config => ({ ...config, log: { level: 'trace', reads: true }, upstream: { ...config.upstream, auth, username: 'gateway', password: 'the-upstreams-p4ssword' } })
    })
    // Every answer of the upstream repeats what it was sent: good ones, refusals, and what makes no sense.
    let turn = 0
    stub.answer = ({ headers: { authorization = '' }, method }) => {
      const [status, body] = [[200, authorization], [404, JSON.stringify({ error: `not for ${authorization}` })], [401, authorization], [500, authorization], [302, authorization], [409, JSON.stringify({ error: `no ${authorization}` })]][turn++ % 6] as [number, string]
      return { status: method === 'POST' && status === 200 ? 201 : status, body, headers: { 'content-type': 'application/json', 'x-echo': authorization, location: `http://x/${authorization}`, 'www-authenticate': authorization } }
    }
    const secrets = await exercise(gateway, await tokensOf(gateway))
    checkNone(t, gateway.logText(), [...secrets, ...sentTo(stub), 'the-upstreams-p4ssword', Buffer.from('gateway:the-upstreams-p4ssword').toString('base64')])
    t.ok(sentTo(stub).length > 0)
  }
})

await t.test('an upstream whose answer cannot be parsed does not get its bytes into the log', async t => {
  let sent = ''
  const server = createServer(socket => {
    socket.on('error', () => {}).on('data', chunk => {
      const authorization = /authorization: (.*)\r\n/i.exec(chunk.toString('latin1'))?.[1] ?? ''
      sent ||= authorization
      socket.end(`HTTP/1.1 200 OK\r\n${authorization}\r\n\r\n`)
    })
  })
  await new Promise<void>(resolve => { server.listen(0, '127.0.0.1', resolve) })
  t.teardown(() => { server.close() })
  const gateway = await startApp(t, { origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, config: config => ({ ...config, log: { level: 'trace', reads: true } }) })
  const secrets = await exercise(gateway, await tokensOf(gateway))
  t.ok(gateway.logText().includes('HTTPParserError'))
  t.match(sent, /^Bearer ey/)
  checkNone(t, gateway.logText(), [...secrets, sent, ...sent.split('.').slice(1)])
})

await t.test('the whole output of the program, started as users start it, has none either', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = ({ method }) => method === 'POST' ? { status: 201 } : { status: 404, body: '{"error":"chart not found"}' }
  const masterKey = 'the-masters-k3y-of-this-gateway'
  const gateway = await startGateway(t, { masterKey, log: { level: 'trace', reads: true }, upstream: { url: stub.origin } })
  const port = Number(new URL(gateway.url).port)
  const answer = await askRaw(port, `POST /oauth/token?grant_type=client_credentials&scope=artifact-repository:org1/repo1:pull,push HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${masterKey}\r\nContent-Length: 0\r\n\r\n`)
  const { token } = JSON.parse(answer.body) as { token: string }
  const secrets = await exercise({ port, masterKey }, [token])
  const keys = await Promise.all(['token.pem', 'upstream.pem'].map(async name => (await readFile(join(gateway.stateDir, 'keys', name), 'utf8')).split('\n')[1] as string))
  checkNone(t, gateway.stdout() + gateway.stderr(), [...secrets, ...sentTo(stub), ...keys])
  t.equal(gateway.stderr(), '')
})

await t.test('a line of the log is one line, of printable characters, whatever the path has', async t => {
  const gateway = await startApp(t, { origin: 'http://127.0.0.1:9', config: config => ({ ...config, log: { level: 'trace', reads: true }, trustedProxies: ['127.0.0.1'] }) })
  const before = gateway.log.length
  const targets = ['/a%0ab', '/a%0a{"level":60}', '/a\\nb', '/a"b', '/a\u007fb', '/a\tb', '/a\u001b[31mb', '/a\u0085b', '/a\u009b31mb', '/a\u00ffb', '/a\u0000b', '/a%e2%80%a8b', '/"},{"', '/org1/repo1/index.yaml?\u0001', '/' + '%0a'.repeat(4_000)]
  for (const target of targets) await askRaw(gateway.port, Buffer.from(`GET ${target} HTTP/1.1\r\nHost: a\r\nX-Forwarded-For: 1.1.1.1\u009b31m\r\nUser-Agent: a\u009bb\r\n\r\n`, 'latin1'))
  t.equal(gateway.log.length, before + targets.length, 'one each')
  for (const line of gateway.logText().trimEnd().split('\n')) {
    t.match(line, /^[\x20-\x7e]+$/)
    t.ok(line.length < 1_000, 'and a short one')
  }
})
