import fc from 'fast-check'
import t from 'tap'
import { errors } from 'undici'
import { foundWithout, isBrokenConnection, isPage, refusalOfAnswer, refusalOfFailure } from '../../src/upstream/answers.ts'

const json = (error: unknown): string => JSON.stringify({ error })

await t.test('statuses of the upstream become ours, with its sentence where it helps', async t => {
  const cases: [status: number, code: string, says: boolean][] = [
    [400, 'upstream_rejected', true],
    [401, 'upstream_refused_us', false],
    [403, 'upstream_refused_us', false],
    [404, 'not_in_upstream', true],
    [405, 'upstream_rejected', true],
    [409, 'chart_exists', true],
    [413, 'upstream_too_large', false],
    [422, 'upstream_rejected', true],
    [429, 'upstream_busy', false],
    [499, 'upstream_rejected', true],
    [500, 'upstream_bad_answer', false],
    [502, 'upstream_bad_answer', false],
    [503, 'upstream_busy', false],
    [507, 'storage_full', true],
    [599, 'upstream_bad_answer', false],
    [204, 'upstream_bad_answer', false],
    [301, 'upstream_bad_answer', false],
    [304, 'upstream_bad_answer', false]
  ]
  for (const [status, code, says] of cases) {
    t.strictSame(refusalOfAnswer(status, json('a sentence')), says ? { code, detail: 'a sentence' } : { code }, String(status))
    t.strictSame(refusalOfAnswer(status, ''), { code }, `${status} without a body`)
  }
})

await t.test('ChartMuseum\'s own sentences come through', async t => {
  for (const sentence of ['chart not found', 'no chart version found for mychart-1.0.0', 'object not found', 'file already exists', 'repo has reached storage limit', 'no package or provenance file found in form fields chart and prov', 'improper constraint: zzz', 'gzip: invalid header', 'EOF', 'unexpected EOF', 'Chart.yaml file is missing', 'chart filename not found', 'values.yaml not found', 'Artifact Hub repository ID not found', 'mychart.tgz is improperly formatted', 'offset is not a valid non-negative integer', 'validation: chart.metadata.version "notsemver" is invalid', "storage: object doesn't exist", 'read the manual: it helps / a lot', 'validation: chart.metadata.name "a/b" is invalid', 'decompressed chart file "x/files/big.bin" is larger than the maximum file size 5242880', "file does not appear to be a gzipped archive; got 'text/plain; charset=utf-8'", 'chart illegally contains content outside the base directory: "x/a"']) {
    t.strictSame(refusalOfAnswer(404, json(sentence)), { code: 'not_in_upstream', detail: sentence })
  }
})

await t.test('a path of the server does not', async t => {
  const sentences = [
    'remove /charts/org1/repo1/x-1.0.0.tgz: no such file or directory', '/charts', 'open "/charts/x": denied', "open '/charts/x'", 'open `/charts/x`', 'path=/charts/x', 'path:/charts/x', '(/charts)', '[/charts/x]', '{/charts/x}', 'a,/charts',
    'open ./charts/x', 'open ../charts/x', 'open ~/charts/x', 'C:\\charts\\x.tgz', 'open C:/charts/x', '\\\\server\\share', 'file:///charts/x', 'Get http://10.0.0.1/x: refused', 'a\n/charts/x', 'a\t/charts/x',
    'open /x: permission denied', 'open charts/org1/x.tgz: permission denied', 'remove org1/repo1/mychart-0.1.0.tgz: no such file or directory', 'remove mychart-0.1.0.tgz: no such file or directory', 'open mychart-0.1.0.tgz: permission denied',
    'stat charts: not a directory', 'PutWithLimit: clean the old chart: remove x.tgz: read-only', 'CreateFile x.tgz: Access is denied.', 'open C:\\charts\\x.tgz: Access is denied.', 'open charts\\x.tgz: The system cannot find the file specified.', 'GetFileAttributesEx x: Access is denied.',
    'org1/repo1 has none', 'charts/ is full', '"/charts/x"', '"../charts/x"', '"charts/x\\y"', 'open "charts/x": denied', '"a/b" beside /charts'
  ]
  for (const sentence of sentences) t.strictSame(refusalOfAnswer(404, json(sentence)), { code: 'not_in_upstream' }, sentence)
})

await t.test('nor what the gateway was known by', async t => {
  for (const sentence of ['no such user: Basic dXA6c3RyZWFt', 'not for bearer  x', 'bad token eyJhbGciOiJub25lIn0.e30.x']) t.strictSame(refusalOfAnswer(404, json(sentence)), { code: 'not_in_upstream' }, sentence)
})

await t.test('neither does a dump', async t => {
  for (const sentence of ['NoSuchKey: it is not there\n\tstatus code: 404, request id: X, host id: Y', 'a\u2028b', 'a\x9b31mb', 'a\x1bb', 'x'.repeat(201)]) {
    t.strictSame(refusalOfAnswer(404, json(sentence)), { code: 'not_in_upstream' }, sentence.replace(/[^ -~]/g, '?'))
  }
})

await t.test('what is no JSON with a string error says nothing', async t => {
  for (const body of ['404 page not found', '<html>', '{', 'null', '5', '"x"', '[]', '[{"error":"x"}]', '{}', '{"message":"x"}', '{"error":""}', '{"error":5}', '{"error":null}', '{"error":{"error":"x"}}', '{"error":["x"]}', '\0', '{"error":"x"} {']) {
    t.strictSame(refusalOfAnswer(404, body), { code: 'not_in_upstream' }, JSON.stringify(body))
  }
  fc.assert(fc.property(fc.integer({ min: 100, max: 599 }), fc.oneof(fc.string(), fc.json()), (status, body) => typeof refusalOfAnswer(status, body).code === 'string'))
})

await t.test('a page is told by its type', t => {
  for (const type of ['text/html', 'text/html; charset=utf-8', 'TEXT/HTML;x', ' text/html', 'application/xhtml+xml']) t.ok(isPage({ 'content-type': type }), type)
  for (const type of ['application/x-tar', 'application/x-yaml', 'application/json; charset=utf-8', 'application/pgp-signature', 'text/plain', 'text/htmlx', 'x-text/html', '']) t.notOk(isPage({ 'content-type': type }), type)
  t.notOk(isPage({}))
  t.end()
})

await t.test('silence is a timeout, and everything else is nobody there', async t => {
  const wrapped = new TypeError('fetch failed', { cause: new errors.HeadersTimeoutError() })
  for (const error of [new errors.HeadersTimeoutError(), new errors.BodyTimeoutError(), wrapped]) t.strictSame(refusalOfFailure(error), { code: 'upstream_timeout' })
  const others = [
    new errors.ConnectTimeoutError(), new errors.SocketError('other side closed'), Object.assign(new Error('x'), { code: 'ECONNREFUSED' }), Object.assign(new Error('x'), { code: 'ENOENT' }),
    new Error('x', { cause: new Error('y') }), new Error('x', { cause: null }), undefined, null, 'x', 5, {}, { cause: 'x' }
  ]
  for (const error of others) t.strictSame(refusalOfFailure(error), { code: 'upstream_unreachable' }, String(error))
  const noSense = [Object.assign(new errors.HTTPParserError('x'), { code: 'HPE_INVALID_CHUNK_SIZE' }), new errors.HTTPParserError('x'), new errors.HeadersOverflowError(), new errors.ResponseContentLengthMismatchError()]
  for (const error of noSense) t.strictSame(refusalOfFailure(error), { code: 'upstream_bad_answer' }, String(error))
  for (const code of ['EMFILE', 'ENFILE']) t.strictSame(refusalOfFailure(Object.assign(new Error('x'), { code })), { code: 'no_descriptors' }, code)
})

await t.test('no answer is the upstream\'s silence, unless this process had no descriptor to ask with', t => {
  const coded = (code: string): Error => Object.assign(new Error('x'), { code })
  t.same([coded('ECONNREFUSED'), new errors.HeadersTimeoutError(), coded('EMFILE')].map(foundWithout), ['silence', 'silence', 'unknown'])
  t.same([coded('ECONNRESET'), coded('EPIPE'), new errors.SocketError('x'), coded('ECONNREFUSED'), new errors.HeadersTimeoutError(), new Error('x')].map(isBrokenConnection), [true, true, true, false, false, false])
  t.end()
})
