// Class 40: a name that one part takes and another cannot say. A chart `a..b` was stored
// with 201, and from then on the index of its tenant was 502 for everybody; one of more
// than 128 letters is written `? name` by Go's YAML, and cost seconds of everybody at each
// read. Whatever push takes, index, file, API and delete handle, at every size.
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { isChartName, isVersion } from '../../src/words/chart-names.ts'
import { startGateway } from '../helpers/gateway.ts'
import { PROGRAMS, startInFront, type Answer, type Ask, type InFront, type Listed } from '../helpers/in-front.ts'
import { skipped } from '../helpers/not-tried.ts'
import { archiveOf, provenanceOf } from '../helpers/packages.ts'
import { until } from '../helpers/until.ts'
import { inShort } from '../helpers/in-short.ts'

const TENANT = 'org1/repo1'
const MIB = 1024 * 1024
/** For ext4, XFS, APFS and NTFS: bytes of a file's name. */
const LONGEST_FILE = 255

interface Name { readonly name: string, readonly version: string }

type AskPath = (path: string, options?: Ask) => Promise<Answer>

const fileOf = ({ name, version }: Name): string => `${name}-${version}.tgz`
/** A name with which `NAME-VERSION.tgz.prov` has this many bytes. */
const nameFor = (bytes: number, version: string): string => 'n'.repeat(bytes - `-${version}.tgz.prov`.length)

/** A chart whose folder is called as Helm never minds. */
async function packaged ({ name, version }: Name, more = ''): Promise<Buffer> {
  return await archiveOf([{ name: 'c/Chart.yaml', body: `apiVersion: v2\nname: ${JSON.stringify(name)}\nversion: ${JSON.stringify(version)}\n${more}` }])
}

const listOf = (index: string): Listed[] => Object.values((parse(index, { schema: 'failsafe', uniqueKeys: false }) as { entries: Record<string, Listed[]> }).entries).flat()

/** Pushes, and follows the chart through every part that has to say its name, to its end. */
async function follow (t: Test, ask: AskPath, each: Name): Promise<void> {
  const shown = `${each.name.slice(0, 40)} (${each.name.length}) ${each.version}`
  const chart = await packaged(each)
  const prov = Buffer.from(provenanceOf(each.name, each.version))
  t.strictSame([(await ask(`/api/${TENANT}/charts`, { method: 'POST', body: chart })).status, (await ask(`/api/${TENANT}/prov`, { method: 'POST', body: prov })).status], [201, 201], `${shown}: stored`)
  const index = await listed(ask, each)
  t.ok(index, `${shown}: listed`)
  const url = `/${TENANT}/${index?.urls[0] as string}`
  t.ok((await ask(url)).body.equals(chart), `${shown}: served where it is listed`)
  t.ok((await ask(`${url}.prov`)).body.equals(prov), `${shown}: with its provenance`)
  const api = `/api/${TENANT}/charts/${each.name}`
  t.strictSame([(await ask(api)).status, (await ask(`${api}/${each.version}`)).status], [200, 200], `${shown}: read over the API`)
  t.match(JSON.parse((await ask(`${api}/${each.version}`)).text), each)
  t.equal((await ask(`${api}/${each.version}`, { method: 'DELETE' })).status, 200, `${shown}: deleted`)
  t.strictSame([(await ask(url)).status, (await ask(`${url}.prov`)).status], [404, 404], `${shown}: gone`)
}

/** Its entry; ChartMuseum's index is a moment behind an upload. */
async function listed (ask: AskPath, { name, version }: Name): Promise<Listed | undefined> {
  return await until(async () => {
    const { status, text } = await ask(`/${TENANT}/index.yaml`)
    return status === 200 ? listOf(text).find(entry => entry.name === name && entry.version === version) : undefined
  }).catch(() => undefined)
}

const EXTREMES: readonly Name[] = [
  ...['a..b', 'x...', '..x', '...', '---', '-', '--a', '_', '.', '..'].map(name => ({ name, version: '0.1.0' })).filter(({ name }) => isChartName(name)),
  ...['1e1', '0x10', '.5', '1_000', '123', 'on', 'null', 'true', 'y', '12:30', '2020-01-01', '1.0'].map(name => ({ name, version: '1.0.0' })).filter(({ name }) => isChartName(name)),
  ...['v1', '1', '1.2', '1.10.0', 'v1.2.3-rc.1+b.5', '1.0.0+0x1', '20201231', '1.0.0-a.b'].map(version => ({ name: 'versions', version })),
  ...[127, 128, 129].map(length => ({ name: 'n'.repeat(length), version: '1.0.0' })),
  { name: nameFor(LONGEST_FILE, '0.1.0'), version: '0.1.0' },
  { name: nameFor(LONGEST_FILE - 1, '0.1.0'), version: '0.1.0' },
  { name: 'a', version: `1.0.0-${'v'.repeat(LONGEST_FILE - 'a-1.0.0-.tgz.prov'.length)}` },
  { name: `${'..'.repeat(60)}x`, version: `1.0.0+${'b'.repeat(100)}` }
]

for (const { name: program, missing } of PROGRAMS) {
  await t.test(`what push takes is listed, served, read and deleted, over ${program}`, async t => {
    if (missing !== undefined) return await skipped(t, `in front of ${program}`, missing)
    const { ask } = await startInFront(t, program)
    for (const each of EXTREMES) await follow(t, ask, each)
  })

  await t.test(`a name that makes a file longer than a disk takes is refused, and the limit is named, over ${program}`, async t => {
    if (missing !== undefined) return await skipped(t, `in front of ${program}`, missing)
    const { ask } = await startInFront(t, program)
    for (const [length, version] of [[LONGEST_FILE + 1, '0.1.0'], [LONGEST_FILE + 9, '0.1.0'], [LONGEST_FILE + 2, '1.0.0+build']] as const) {
      const each = { name: nameFor(length, version), version }
      for (const [path, body] of [['charts', await packaged(each)], ['prov', Buffer.from(provenanceOf(each.name, version))]] as const) {
        const { status, text } = await ask(`/api/${TENANT}/${path}`, { method: 'POST', body })
        t.equal(status, 400, `${path}: ${length} bytes`)
        t.match(text, new RegExp(`255 bytes.*${length}`), 'the sentence says which limit, and by how much it is missed')
      }
      t.equal((await ask(`/${TENANT}/charts/${fileOf(each)}`)).status === 200, false, 'nothing is left behind')
    }
    for (const each of [{ name: 'a.tgz', version: '1.0.0' }, { name: 'a.yaml', version: '1.0.0' }, { name: 'a', version: '1.0.0-x.prov' }]) {
      const { status, text } = await ask(`/api/${TENANT}/charts`, { method: 'POST', body: await packaged(each) })
      t.equal(status, 400, `${fileOf(each)}: no path of the API could name it`)
      t.match(text, /\.yaml, \.tgz or \.prov/)
    }
  })

  await t.test(`at depth dynamic a chart is not called as a part of a path, over ${program}`, async t => {
    if (missing !== undefined) return await skipped(t, `in front of ${program}`, missing)
    const { ask } = await startInFront(t, program, { flags: { depth: 'dynamic' }, config: config => ({ ...config, charts: { ...config.charts, depth: 'dynamic' } }) })
    const { status, text } = await ask(`/api/${TENANT}/charts`, { method: 'POST', body: await packaged({ name: 'charts', version: '0.1.0' }) })
    t.equal(status, 400)
    t.match(text, /charts\.depth is dynamic/)
    for (const name of ['prov', 'index', 'api', 'values', 'templates', 'a..b']) await follow(t, ask, { name, version: '0.1.0' })
  })

  await t.test(`a long name beside an index of more than 2 MiB costs nobody the index, over ${program}`, async t => {
    if (missing !== undefined) return await skipped(t, `in front of ${program}`, missing)
    const { ask } = await startInFront(t, program, { flags: { maxUploadSize: 20 * MIB } })
    const names = ['a..b', 'n'.repeat(129), nameFor(LONGEST_FILE, '0.1.0')].map(name => ({ name, version: '0.1.0' }))
    for (const each of names) t.equal((await ask(`/api/${TENANT}/charts`, { method: 'POST', body: await packaged(each) })).status, 201)
    // Few charts that say much make an index as long as many that say little.
    const annotations = Array.from({ length: 180 }, (_, i) => `  "key-${i}": "${'x'.repeat(1000)}"`).join('\n')
    for (let i = 0; i < 13; i++) t.equal((await ask(`/api/${TENANT}/charts`, { method: 'POST', body: await packaged({ name: 'large', version: `1.${i}.0` }, `annotations:\n${annotations}\n`) })).status, 201)
    for (const each of names) {
      const entry = await listed(ask, each)
      t.equal((await ask(`/${TENANT}/${entry?.urls[0] as string}`)).status, 200, each.name.slice(0, 20))
    }
    t.ok((await ask(`/${TENANT}/index.yaml`)).body.length > 2 * MIB)
  })
}

await t.test('any name and version that push takes: stored, listed, served, read and deleted', async t => {
  const front: InFront = await startInFront(t, 'the embedded repository')
  const name = fc.oneof(
    fc.string({ unit: fc.constantFrom(...'aZ09._-'), minLength: 1, maxLength: 8 }),
    fc.string({ unit: fc.constantFrom(...'aZ09._-'), minLength: 120, maxLength: 240 }),
    fc.stringMatching(/^[0-9._+-]{1,6}(?:[eExXoObB_:][0-9._-]{0,4})?$/)
  ).filter(isChartName)
  const number = fc.nat({ max: 30 }).map(String)
  const rest = (mark: string): fc.Arbitrary<string> => fc.option(fc.string({ unit: fc.constantFrom(...'ab01-'), minLength: 1, maxLength: 6 }).map(text => mark + text), { nil: '' })
  const version = fc.tuple(fc.constantFrom('', 'v'), number, fc.option(number.map(text => `.${text}`), { nil: '' }), fc.option(number.map(text => `.${text}`), { nil: '' }), rest('-'), rest('+')).map(parts => parts.join('')).filter(isVersion)
  let taken = 0
  await fc.assert(fc.asyncProperty(name, version, async (name, version) => {
    const each = { name, version }
    const answer = await front.ask(`/api/${TENANT}/charts`, { method: 'POST', body: await packaged(each) })
    if (answer.status === 400) return Buffer.byteLength(`${fileOf(each)}.prov`) > LONGEST_FILE || /\.(?:yaml|tgz|prov)$/.test(name) || /\.(?:yaml|tgz|prov)$/.test(version)
    if (answer.status !== 201) return false
    taken++
    const index = await front.ask(`/${TENANT}/index.yaml`)
    const [entry] = listOf(index.text)
    const api = `/api/${TENANT}/charts/${name}`
    const file = await front.ask(`/${TENANT}/${entry?.urls[0] as string}`)
    const statuses = [index.status, file.status, (await front.ask(api)).status, (await front.ask(`${api}/${version}`)).status, (await front.ask(`${api}/${version}`, { method: 'DELETE' })).status]
    return entry?.name === name && entry.version === version && statuses.every(status => status === 200)
  }), { numRuns: inShort(40, 150) })
  t.ok(taken > inShort(25, 100), `${taken} were taken`)
})

await t.test('the same through the built gateway with two workers', async t => {
  const key = 'a-key-of-this-test'
  const gateway = await startGateway(t, { masterKey: key, workers: 2 })
  await until(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok ? true : undefined)
  const ask: AskPath = async (path, { method = 'GET', body } = {}) => {
    const answer = await fetch(gateway.url + path, { method, headers: { authorization: `Bearer ${key}` }, ...(body === undefined ? {} : { body: new Uint8Array(body) }) })
    const bytes = Buffer.from(await answer.arrayBuffer())
    return { status: answer.status, body: bytes, text: bytes.toString('utf8') }
  }
  for (const name of ['a..b', 'x...', '..x', '1e1', 'n'.repeat(129), nameFor(LONGEST_FILE, '0.1.0')]) await follow(t, ask, { name, version: '0.1.0' })
})
