// What Node's HTTP parser, chartgate's parser and Go's make of the same request line,
// over real sockets: what they might read differently never reaches the upstream, and
// every refusal comes at once, in the one form.
import t from 'tap'
import { startApp } from '../helpers/app.ts'
import { sendRaw } from '../helpers/raw.ts'
import { startStubUpstream } from '../helpers/stub-upstream.ts'

const FILE = '/org1/repo1/charts/x-1.0.0.tgz'

await t.test('a request line has one reading, or is refused in the one form', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: 'bytes' })
  const gateway = await startApp(t, { origin: stub.origin })
  const long = 'x'.repeat(14_000)
  // the line, the status, and what the upstream is asked for; undefined: nothing
  const cases: [line: string, status: number, upstream?: string][] = [
    [`GET ${FILE} HTTP/1.1`, 200, `GET ${FILE}`],
    [`GET ${FILE} HTTP/1.0`, 200, `GET ${FILE}`],
    [`GET ${FILE}?a?b=/../c HTTP/1.1`, 200, `GET ${FILE}`],
    [`GET ${FILE}?%zz&a"b<c>{|}\` HTTP/1.1`, 200, `GET ${FILE}`],
    [`GET ${FILE}?${long} HTTP/1.1`, 200, `GET ${FILE}`],
    // spaces and blank lines that Node takes and Go does not: read, and sent in one spelling
    [`GET  ${FILE} HTTP/1.1`, 200, `GET ${FILE}`],
    [`GET ${FILE}  HTTP/1.1`, 200, `GET ${FILE}`],
    [`\r\n\r\nGET ${FILE} HTTP/1.1`, 200, `GET ${FILE}`],
    [`GET\t${FILE} HTTP/1.1`, 400],
    [`GET ${FILE}\tHTTP/1.1`, 400],
    [`GET ${FILE} HTTP/1.1 `, 400],
    [` GET ${FILE} HTTP/1.1`, 400],
    [`GET ${FILE} x HTTP/1.1`, 400],
    ['GET HTTP/1.1', 400],
    // versions: Node reads these and answers them as HTTP/1.1
    [`GET ${FILE}`, 400],
    [`GET ${FILE} HTTP/0.9`, 400],
    [`GET ${FILE} HTTP/2.0`, 400],
    [`GET ${FILE} HTTP/1.2`, 400],
    [`GET ${FILE} http/1.1`, 400],
    ['PRI * HTTP/2.0', 400],
    // the other forms of a target
    [`GET http://x${FILE} HTTP/1.1`, 400],
    [`GET HTTPS://user:password@x${FILE} HTTP/1.1`, 400],
    [`GET //x${FILE} HTTP/1.1`, 400],
    ['GET * HTTP/1.1', 400],
    ['OPTIONS * HTTP/1.1', 400],
    ['GET x:80 HTTP/1.1', 400],
    [`GET ${FILE.slice(1)} HTTP/1.1`, 400],
    ['CONNECT x:80 HTTP/1.1', 400],
    [`CONNECT ${FILE} HTTP/1.1`, 400],
    ['CONNECT /health HTTP/1.1', 400],
    // bytes
    ...['\0', '\x0b', '\x0c', '\x7f', '\x80', '\xc3\xa9', '#a', '\\', ';a'].map((bytes): [string, number] => [`GET ${FILE}${bytes} HTTP/1.1`, 400]),
    [`GET ${FILE}?x#y HTTP/1.1`, 400],
    [`GET /org1/repo1/charts/${'x'.repeat(20_000)}-1.tgz HTTP/1.1`, 431],
    // methods: case counts, and one that is not in the table is told those that are
    [`get ${FILE} HTTP/1.1`, 400],
    [`Get ${FILE} HTTP/1.1`, 400],
    [`GETX ${FILE} HTTP/1.1`, 400],
    ...['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE', 'PROPFIND', 'PURGE', 'LINK', 'SOURCE', 'M-SEARCH'].map((method): [string, number] => [`${method} ${FILE} HTTP/1.1`, 405]),
    [`HEAD ${FILE} HTTP/1.1`, 200, `GET ${FILE}`],
    ['HEAD /health HTTP/1.1', 200],
    ...['POST', 'PROPFIND'].map((method): [string, number] => [`${method} /health HTTP/1.1`, 405]),
    // another protocol's methods, which Node's parser knows and no router
    ['DESCRIBE rtsp://x/ RTSP/1.0', 400],
    [`ANNOUNCE ${FILE}?x=secret-value RTSP/1.0`, 400],
    ['SETUP /health RTSP/1.0', 400]
  ]
  for (const [line, status, upstream] of cases) {
    stub.seen.length = 0
    const answer = await sendRaw(gateway.port, Buffer.from(`${line}\r\nHost: x\r\nAuthorization: Bearer ${gateway.masterKey}\r\n\r\n`, 'latin1'), { quiet: 5 })
    const name = JSON.stringify(line).slice(0, 80)
    t.equal(answer.status, status, name)
    t.same(stub.seen.map(seen => `${seen.method} ${seen.target}`), upstream === undefined ? [] : [upstream], `upstream: ${name}`)
    t.match(answer.headers['x-request-id']?.[0], /^[0-9a-f-]{36}$/, `request id: ${name}`)
    if (status !== 200 && !line.startsWith('HEAD')) t.match(JSON.parse(answer.body), { error: String }, `body: ${name}`)
  }
  t.same(gateway.log.filter(line => (line['level'] as number) > 40), [], 'nothing of it is an error of ours')
  t.equal(gateway.log.filter(line => line['decision'] === undefined).length, 1, 'nothing else is logged but where it listens')
  t.notMatch(gateway.logText(), /secret-value|password/)
})

await t.test('a method that the parser knows and no route has is not allowed, with and without a body', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  for (const target of ['/org1/repo1/index.yaml', '/api/org1/repo1/charts', '/health', '/.well-known/jwks.json']) {
    for (const head of ['', 'Content-Type: application/json\r\nContent-Length: 1\r\n']) {
      const answer = await sendRaw(gateway.port, `QUERY ${target} HTTP/1.1\r\nHost: x\r\n${head}\r\n{`, { quiet: 5 })
      t.equal(answer.status, 405, `QUERY ${target} ${head}`)
    }
  }
  t.same(stub.seen, [])
})

await t.test('a refused target is answered before a byte of its body is read or judged', async t => {
  const stub = await startStubUpstream(t)
  const gateway = await startApp(t, { origin: stub.origin })
  const cases: [line: string, status: number][] = [
    ['POST /nowhere', 404], ['POST /org1//x', 400], ['PUT /api/org1/repo1/charts', 405], ['POST /health', 405], ['PATCH /oauth/token', 405],
    ['POST /api/org1/../org2/repo2/charts', 400], ['DELETE /api/org1/repo1/charts/x/latest', 400], ['POST /upload', 404]
  ]
  const bodies = [
    'Content-Type: application/json\r\nContent-Length: 1\r\n\r\n{',
    'Content-Type: not a type\r\nContent-Length: 1\r\n\r\nx',
    'Content-Type: application/json\r\nContent-Length: 500\r\n\r\n{',
    'Content-Length: 99999999999\r\n\r\nx',
    'Transfer-Encoding: chunked\r\n\r\n5\r\nab'
  ]
  for (const [line, status] of cases) {
    for (const body of bodies) {
      const answer = await sendRaw(gateway.port, `${line} HTTP/1.1\r\nHost: x\r\nX-HTTP-Method-Override: GET\r\n${body}`, { quiet: 5 })
      t.equal(answer.status, status, `${line} ${JSON.stringify(body)}`)
    }
  }
  t.same(stub.seen, [])
})

await t.test('a header that names another method or target changes nothing', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ body: 'bytes' })
  const gateway = await startApp(t, { origin: stub.origin })
  const pull = await gateway.token([{ type: 'artifact-repository', name: 'org1/repo1', actions: ['pull'] }])
  for (const header of ['X-HTTP-Method-Override: DELETE', 'X-HTTP-Method: DELETE', 'X-Method-Override: DELETE', 'X-Original-URL: /org2/repo2/index.yaml', 'X-Rewrite-URL: /org2/repo2/index.yaml', 'X-Forwarded-Prefix: /org2', 'X-Forwarded-Uri: /health']) {
    stub.seen.length = 0
    const answer = await sendRaw(gateway.port, `GET ${FILE}?_method=DELETE HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${pull}\r\n${header}\r\n\r\n`, { quiet: 5 })
    t.equal(answer.status, 200, header)
    t.same(stub.seen.map(seen => `${seen.method} ${seen.target}`), [`GET ${FILE}`], header)
    t.notOk(stub.seen[0]?.rawHeaders.some(text => /override|rewrite|original|forwarded-(?:prefix|uri)|x-http-method/i.test(text)), header)
  }
})
