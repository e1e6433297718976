import t from 'tap'
import { DIALECT_OF } from '../../../src/doors/authz/dialects.ts'
import { readSubRequest } from '../../../src/doors/authz/sub-request.ts'
import { DIALECTS, type DialectName } from '../../../src/words/dialects.ts'

const INDEX = '/org1/repo1/index.yaml'

/** What is read of a request; of a refusal the sentence. */
function read (dialect: DialectName, rawHeaders: readonly string[], url = '/authz', method = 'GET'): unknown {
  const result = readSubRequest({ method, url, rawHeaders }, DIALECT_OF[dialect])
  if (!('code' in result)) return result
  if (result.code !== 'authz_unreadable') throw new Error(result.code)
  return String(result.detail).replace(': the proxy has to say which request it asks about', '')
}

const HEADERS = { nginx: ['X-Original-Method', 'X-Original-URI'], traefik: ['X-Forwarded-Method', 'X-Forwarded-Uri'], caddy: ['X-Forwarded-Method', 'X-Forwarded-Uri'] } as const

for (const [dialect, [method, uri]] of Object.entries(HEADERS) as [keyof typeof HEADERS, readonly [string, string]][]) {
  await t.test(`${dialect}: the two headers that the proxy writes say it, and nothing else`, async t => {
    t.same(read(dialect, [method, 'DELETE', uri, INDEX]), { method: 'DELETE', target: INDEX })
    t.same(read(dialect, [uri.toLowerCase(), INDEX, method.toUpperCase(), 'get']), { method: 'get', target: INDEX }, 'names are of any case, and a method of its own')
    t.same(read(dialect, [method, 'GET', uri, INDEX], '/authz?a=1&b=%26', 'POST'), { method: 'GET', target: INDEX }, 'the query and the method of the question count for nothing')
    const others = [...Object.values(HEADERS).flat(), 'X-Rewrite-Url', 'X-Envoy-Original-Path', 'Forwarded'].filter(name => name !== method && name !== uri)
    t.same(read(dialect, [...others.flatMap(name => [name, '/public/x/index.yaml']), method, 'GET', uri, INDEX]), { method: 'GET', target: INDEX }, 'what other proxies write is not read')
  })

  await t.test(`${dialect}: a header that is missing, empty or there twice is named`, async t => {
    const cases: [readonly string[], string][] = [
      [[], `${method} is missing`],
      [[uri, INDEX], `${method} is missing`],
      [[method, 'GET'], `${uri} is missing`],
      [[method, '', uri, INDEX], `${method} is empty`],
      [[method, 'GET', uri, ''], `${uri} is empty`],
      [[method, 'GET', uri, INDEX, method, 'GET'], `${method} came 2 times`],
      [[uri, INDEX, method, 'GET', uri, INDEX, uri.toLowerCase(), INDEX], `${uri} came 3 times`],
      [[method, 'GET, GET', uri, INDEX], `${method} is no method`],
      [[method, 'G'.repeat(33), uri, INDEX], `${method} is no method`],
      [[method.replaceAll('-', '_'), 'GET', uri, INDEX], `${method} is missing`]
    ]
    for (const [headers, says] of cases) t.equal(read(dialect, headers), says, headers.join())
    for (const url of ['/', '/authz/', `/authz${INDEX}`, '/_authz', '//authz', 'http://x/authz']) t.equal(read(dialect, [method, 'GET', uri, INDEX], url), 'the request target is not /authz', url)
  })
}

await t.test('nginx: a whole URL says it too, and where both are there they have to agree', async t => {
  const [method, uri, url] = ['X-Original-Method', 'X-Original-URI', 'X-Original-URL']
  for (const origin of ['http://charts.example.test', 'https://charts.example.test:8443', 'http://[::1]:80', '']) {
    t.same(read('nginx', [method, 'GET', url, origin + INDEX]), { method: 'GET', target: INDEX }, origin)
    t.same(read('nginx', [method, 'GET', url, origin + INDEX, uri, INDEX]), { method: 'GET', target: INDEX }, `${origin} and the other`)
  }
  t.equal(read('nginx', [method, 'GET', url, 'http://x/public/index.yaml', uri, INDEX]), 'X-Original-URI and X-Original-URL contradict each other')
  t.equal(read('nginx', [method, 'GET', uri, '/public/index.yaml', url, `http://x${INDEX}`]), 'X-Original-URI and X-Original-URL contradict each other')
  t.equal(read('nginx', [method, 'GET', uri, INDEX, url, '']), 'X-Original-URL is empty')
  t.equal(read('nginx', [method, 'GET', uri, INDEX, url, INDEX, url, INDEX]), 'X-Original-URL came 2 times')
  // A Host header that ends the authority early: what remains is no path, which the parser refuses.
  for (const host of ['a?b', 'a#b', 'a@b', '', 'a b']) {
    const whole = `http://${host}/public/x/index.yaml`
    t.same(read('nginx', [method, 'GET', url, whole]), { method: 'GET', target: whole }, `the host ${host}`)
  }
})

for (const dialect of ['envoy', 'gateway-api'] as const) {
  await t.test(`${dialect}: the request line says it, behind /authz`, async t => {
    t.same(read(dialect, [], `/authz${INDEX}?a=1`, 'DELETE'), { method: 'DELETE', target: `${INDEX}?a=1` })
    t.same(read(dialect, ['X-Forwarded-Uri', '/public', 'X-Forwarded-Method', 'GET', 'X-Original-URI', '/public'], `/authz${INDEX}`, 'POST'), { method: 'POST', target: INDEX }, 'headers are not read')
    t.same(read(dialect, [], '/authz//authz/x'), { method: 'GET', target: '//authz/x' }, 'and not a byte of it is changed')
    for (const url of ['/authz', '/authz?x=/org1', INDEX, '/authzorg1/repo1/index.yaml', `http://x/authz${INDEX}`, '*']) t.equal(read(dialect, [], url), 'the request line has no target behind /authz', url)
  })
}

await t.test('every dialect says where it asks', async t => {
  t.same(Object.keys(DIALECT_OF), DIALECTS)
})
