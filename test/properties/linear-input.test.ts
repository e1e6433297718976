// Whatever somebody sends: what it costs grows with its length, and no faster. Each input
// on its own, at the length that it may have, in shapes that have made other readers slow;
// and each header at the whole gateway, where Node and Fastify read it too. The list of
// headers is the code's: one that is read and not measured here fails.
import fc from 'fast-check'
import t from 'tap'
import { PART_HEADERS } from '../../src/http/headers.ts'
import { startApp } from '../helpers/app.ts'
import { cpuOf } from '../helpers/cpu.ts'
import { askRaw } from '../helpers/raw.ts'
import { EMPTY_INDEX, startStubUpstream } from '../helpers/stub-upstream.ts'
import { headersIn, headersRead } from './linear/headers-read.ts'
import { ARCHIVES, inputs, readArchive } from './linear/inputs.ts'
import { growth } from './linear/measure.ts'
import { shapesOf, textOf, type Alphabet, type Shape } from './linear/shapes.ts'
import { inShort } from '../helpers/in-short.ts'

/** Shapes by chance, for each input; of those that take long to measure fewer. */
const [RUNS, FEW_RUNS] = inShort([8, 4], [60, 20])
const KIB = 1024
/** At the whole gateway, where most of the cost is not the header's. */
const MOST_TIMES = 8
/** What Node and Fastify look at by themselves. */
const READ_BY_OTHERS = ['accept', 'content-encoding', 'cookie', 'host', 'keep-alive', 'proxy-connection', 'te', 'trailer', 'x-http-method-override']

const all = await inputs()

await t.test('the headers that the code reads are found, however it reads them', t => {
  const cases: [source: string, names: string[]][] = [
    ['const x = request.headers["a-b"] ?? headers.c', ['a-b', 'c']],
    ['const { d, "e-f": g } = request.headers', ['d', 'e-f']],
    ['const f = ({ raw: { headers: { h } } }) => h', ['h']],
    ['const f = (x: unknown, { i }: IncomingHttpHeaders) => i', ['i']],
    ['const x = (answer.headers as Headers)["j"], y = headers!.k, z = partHeaders["l"]', ['j', 'k', 'l']],
    ['reply.headers({ m: 1 }); raw.rawHeaders[0]; const headers = { n: 1 }; rawHeaders.length', []]
  ]
  for (const [source, names] of cases) t.strictSame(headersIn(source), names, source)
  t.end()
})

await t.test('each header that is read is measured, and none that is not', t => {
  const measured = all.flatMap(({ headers = [] }) => headers)
  const known = headersRead()
  t.strictSame(known.filter(name => !measured.includes(name)), [], 'add them to test/properties/linear/inputs.ts, with what reads them')
  t.strictSame(measured.filter(name => !known.includes(name) && !(PART_HEADERS as readonly string[]).includes(name)), [], 'nobody reads these any more')
  t.end()
})

for (const { name, read, longest = 0, dear, ...alphabet } of all) {
  if (read === undefined) continue
  await t.test(`${name}: four times as long is no more than eight times as dear`, async t => {
    const { always, some } = shapesOf(alphabet)
    const faultOf = async (shape: Shape): Promise<string | undefined> => await growth(read, length => textOf(shape, length), longest, dear)
    for (const shape of always) {
      const fault = await faultOf(shape)
      if (fault !== undefined) t.fail(`${JSON.stringify(shape)}: ${fault}`)
    }
    await fc.assert(fc.asyncProperty(some, async shape => {
      const fault = await faultOf(shape)
      if (fault !== undefined) throw new Error(fault)
    }), { numRuns: dear === undefined ? RUNS : FEW_RUNS })
  })
}

await t.test('an archive: four times as long is no more than eight times as dear', async t => {
  for (const [name, make] of Object.entries(ARCHIVES)) {
    const made = new Map<string, Buffer>()
    const lengthOf = (length: number): string => {
      const key = String(length)
      made.set(key, make(length))
      return key.padEnd(length)
    }
    t.equal(await growth(async text => { await readArchive(made.get(text.trimEnd()) as Buffer) }, lengthOf, 512 * KIB), undefined, name)
  }
})

await t.test('a header or target of 14,000 characters costs the gateway what a harmless one does', async t => {
  const stub = await startStubUpstream(t)
  stub.answer = () => ({ headers: { 'content-type': 'application/x-yaml' }, body: EMPTY_INDEX + '#'.repeat(2_000) })
  const policy = [{ repositories: ['org1/repo1'], subjects: ['anonymous'], actions: ['pull' as const, 'push' as const] }]
  const gateway = await startApp(t, { origin: stub.origin, config: config => ({ ...config, policy, trustedProxies: ['127.0.0.0/8'] }) })
  const get = (header: string) => (value: string) => `GET /org1/repo1/index.yaml HTTP/1.1\r\nHost: x\r\n${header}: ${value}\r\n`
  const post = (path: string, header: string) => (value: string) => `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n${header}: ${value}\r\n`
  const few = (alphabet: Alphabet): Shape[] => shapesOf(alphabet).always.filter(({ kind, unit }) => kind === 'run' && /^[ ,;=."01a%/]|../.test(unit))
  const types = { starts: ['application/x-www-form-urlencoded', 'application/x-www-form-urlencoded;', 'a/b; a="', 'multipart/form-data; boundary='], units: ['; a=b', ';a="', '\\"'] }
  const requests: [what: string, head: (value: string) => string, shapes: readonly Shape[]][] = [
    ...all.flatMap(input => (input.headers ?? []).map((header): [string, (value: string) => string, Shape[]] => [header, get(header), few(input)])),
    ...READ_BY_OTHERS.map((header): [string, (value: string) => string, Shape[]] => [header, get(header), few({})]),
    ['the type of a form', post('/oauth/token', 'Content-Type'), few(types)],
    ['the type of an upload', post('/api/org1/repo1/charts', 'Content-Type'), few(types)],
    ['a target', value => `GET /${value.replace(/\s/g, '_')} HTTP/1.1\r\nHost: x\r\n`, few({ starts: ['org1/repo1/', 'oauth/token?', 'http://a/'], units: ['/..', '%2e', 'a=b&', '%ff&'] })]
  ]
  const cost = async (head: string, runs: number): Promise<number> => await cpuOf(async () => { await askRaw(gateway.port, `${head}Connection: close\r\n\r\n${head.startsWith('POST') ? 'x' : ''}`) }, runs)
  const harmless = await cost(get('X')('x'.repeat(14_000)), 20)
  const isDear = async (bytes: string, runs: number): Promise<boolean> => await cost(bytes, runs) > MOST_TIMES * harmless + 5
  for (const [what, head, shapes] of requests) {
    for (const shape of shapes) {
      const bytes = head(textOf(shape, 14_000))
      if (await isDear(bytes, 1) && await isDear(bytes, 5)) t.fail(`${what}: ${JSON.stringify(shape)}`)
    }
    t.pass(what)
  }
})
