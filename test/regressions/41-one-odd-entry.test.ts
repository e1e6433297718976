// Class 41: one odd entry spoils a whole answer. A file with a space, `(1)` or an accent in
// its name, or one link that leads elsewhere (a `--chart-url` with a path, a CDN,
// credentials in it, old links in an index-cache.yaml), made the index of the whole tenant
// 502. It is decided entry by entry: what is a file of this tenant is served, what is not
// is left out with one warning, and the neighbours are there.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { startGateway } from '../helpers/gateway.ts'
import { PROGRAMS, startInFront, type Ask, type Answer, type Listed } from '../helpers/in-front.ts'
import { skipped } from '../helpers/not-tried.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { STORES, UNSAYABLE, unpackAll, unpackStore } from '../helpers/stores.ts'
import { archiveOf } from '../helpers/packages.ts'
import { startTeam, type Team } from '../helpers/team.ts'
import { until } from '../helpers/until.ts'
import { WORKER_COUNTS } from '../helpers/in-short.ts'

const TENANT = 'org1/repo1'
const MIB = 1024 * 1024
const LEFT_OUT = 'left out of the index'

type Line = Record<string, unknown>
const warnings = (log: readonly Line[]): Line[] => log.filter(({ msg }) => msg === LEFT_OUT)
const listOf = (index: string): Listed[] => Object.values((parse(index, { schema: 'failsafe' }) as { entries: Record<string, Listed[] | null> }).entries).flatMap(list => list ?? [])

// --- stores of the world --------------------------------------------------------------

/** The store as the gateway shows it: `good`, and everything that ChartMuseum lists and a path can say, byte for byte. */
async function look (t: Test, folder: string, ask: (path: string, options?: Ask) => Promise<Answer>, { case: name, chartmuseum }: typeof STORES[number]): Promise<Listed[]> {
  const { status, text } = await ask(`/org/${name}/index.yaml`)
  t.equal(status, 200, name)
  const list = status === 200 ? listOf(text) : []
  t.strictSame(list.map(({ name, version }) => `${name} ${version}`).sort(), chartmuseum.filter(({ name }) => !UNSAYABLE.test(name)).map(({ name, version }) => `${name} ${version}`).sort(), `${name}: what ChartMuseum lists, and no more`)
  for (const { urls: [url = ''] } of list) {
    t.match(url, /^charts\/[A-Za-z0-9._~%+-]+\.tgz$/)
    const { status, body } = await ask(`/org/${name}/${url}`)
    t.equal(status, 200, `${name}: ${url}`)
    t.ok(body.equals(await readFile(join(folder, 'org', name, decodeURIComponent(url.slice('charts/'.length))))), `${name}: ${url} is that file`)
  }
  return list
}

for (const { name: program, missing } of PROGRAMS) {
  await t.test(`stores of the world are listed and served, over ${program}`, async t => {
    if (missing !== undefined) return await skipped(t, `in front of ${program}`, missing)
    const folder = await unpackAll(t)
    const { gateway, ask } = await startInFront(t, program, { folder })
    for (const store of STORES) {
      await look(t, folder, ask, store)
      await ask(`/org/${store.case}/index.yaml`)
      const said = warnings(gateway.log).filter(({ tenant }) => tenant === `org/${store.case}`)
      const left = store.chartmuseum.filter(({ name }) => UNSAYABLE.test(name))
      t.match(said.map(({ level, chart, file, detail }) => ({ level, chart, file, detail })), left.map(({ name, url }) => ({ level: 'warn', chart: name, file: url.slice('charts/'.length), detail: /rename/ })), `${store.case}: one warning for each that is left out`)
    }
    t.equal(warnings(gateway.log).length, 2)
    // What is listed by its name can be removed by it, and nothing else goes.
    for (const [store, path] of [['at', 'a%40b/0.1.0'], ['excl', 'a%21b/0.1.0'], ['quote', 'it%27s/0.1.0'], ['question', 'a%3Fb/0.1.0'], ['dquote', 'a%22b/0.1.0'], ['mergename', '%3C%3C/0.1.0'], ['umlaut', 'gr%C3%B6%C3%9Fe/0.1.0'], ['vplus', 'foo/1.0.0+b.1']] as const) {
      t.equal((await ask(`/api/org/${store}/charts/${path}`, { method: 'DELETE' })).status, 200, store)
      t.strictSame(listOf((await ask(`/org/${store}/index.yaml`)).text).map(({ name }) => name), ['good'], `${store}: the other one is still there`)
    }
  })

  await t.test(`the same beside so many charts that the index is above 2 MiB, over ${program}`, async t => {
    if (missing !== undefined) return await skipped(t, `in front of ${program}`, missing)
    const folder = await temporaryFolder(t)
    for (const store of STORES) await unpackStore(store, join(folder, TENANT))
    const annotations = Array.from({ length: 180 }, (_, i) => `  "key-${i}": "${'x'.repeat(1000)}"`).join('\n')
    for (let i = 0; i < 13; i++) await writeFile(join(folder, TENANT, `large-1.${i}.0.tgz`), await archiveOf([{ name: 'large/Chart.yaml', body: `apiVersion: v2\nname: large\nversion: 1.${i}.0\nannotations:\n${annotations}\n` }]))
    const { ask, gateway } = await startInFront(t, program, { folder })
    const { status, text } = await ask(`/${TENANT}/index.yaml`)
    t.equal(status, 200)
    t.ok(text.length > 2 * MIB)
    const list = listOf(text)
    for (const name of ['good', 'größe', 'a@b', 'mychart', '<<', 'null', '123', "it's", 'large', 'n'.repeat(200)]) t.ok(list.some(each => each.name.startsWith(name)), name)
    for (const { urls: [url = ''] } of list) t.equal((await ask(`/${TENANT}/${url}`)).status, 200, url)
    t.equal(warnings(gateway.log).length, 2)
  })
}

await t.test('the same through the built gateway, with one worker and two', async t => {
  for (const workers of WORKER_COUNTS) {
    const stateDir = join(await temporaryFolder(t), 'state')
    for (const store of STORES) await unpackStore(store, join(stateDir, 'charts', 'org', store.case))
    const key = 'a-key-of-this-test'
    const gateway = await startGateway(t, { masterKey: key, workers }, { stateDir })
    await until(async () => (await fetch(`${gateway.adminUrl}/readyz`)).ok ? true : undefined)
    const ask = async (path: string): Promise<Answer> => {
      const answer = await fetch(gateway.url + path, { headers: { authorization: `Bearer ${key}` } })
      const body = Buffer.from(await answer.arrayBuffer())
      return { status: answer.status, body, text: body.toString('utf8') }
    }
    for (const store of STORES) await look(t, join(stateDir, 'charts'), ask, store)
  }
})

await t.test('links that a --chart-url has left are those of this tenant, over ChartMuseum', async t => {
  const { missing } = PROGRAMS.find(({ name }) => name === 'ChartMuseum') as typeof PROGRAMS[number]
  if (missing !== undefined) return await skipped(t, 'in front of ChartMuseum', missing)
  for (const chartUrl of ['https://charts.example.test', 'https://cdn.example.test/some/path', 'https://user:swordfish@cdn.example.test']) {
    const folder = await unpackAll(t)
    for (const flags of [{ chartUrl }, {}]) { // the second time without it: the links are kept in index-cache.yaml
      const { gateway, ask, upstream } = await startInFront(t, 'ChartMuseum', { folder, flags })
      for (const store of STORES) await look(t, folder, ask, store)
      t.equal(warnings(gateway.log).length, 2)
      t.notMatch(gateway.logText(), /swordfish/)
      await upstream.stop()
    }
  }
})

// --- charts that are pushed -----------------------------------------------------------

/** What one chart says of itself; ChartMuseum's writer, or a reader of the index, fails on it. */
const HOSTILE: readonly (readonly [what: string, chartYaml: string, taken: boolean])[] = [
  // ChartMuseum answers 201, and from then on nobody of the tenant any more
  ['a key with a line end of YAML 1.1', 'annotations:\n  "a\\Nb": x\n', false],
  ['a text with DEL', 'annotations:\n  a: "x\\x7f"\n', false],
  ['a text with a control character', 'annotations:\n  a: "\\x9b"\n', false],
  ['a text with what is no character', 'annotations:\n  a: "\\uffff"\n', false],
  ['a long key', `annotations:\n  ? ${'k'.repeat(1_100)}\n  : x\n`, false],
  ['a key that is long in JSON', `annotations:\n  ? "${'<'.repeat(300)}"\n  : x\n`, false],
  ['a key in what is imported', 'dependencies:\n- name: x\n  version: "1"\n  repository: https://x/\n  import-values:\n  - "a\\Nb": x\n', false],
  ['a word with DEL for the version of its API', 'apiVersion: "v2\\x7f"\n', false],
  // an index that some readers take in another way
  ['the key of a merge', 'annotations:\n  "<<": x\n', true],
  ['the key of a merge in what is imported', 'dependencies:\n- name: x\n  version: "1"\n  repository: https://x/\n  import-values:\n  - "<<": x\n', false],
  ['an empty line with an end of YAML 1.1', 'annotations:\n  a: "x\\n\\Ly"\n', false],
  ['line ends of YAML 1.1', 'annotations:\n  b: "x\\L    urls:\\L    - https://evil.example.test/"\n', true],
  ['text that looks like links', 'description: "x\\n    urls:\\n    - https://evil.example.test/"\nkeywords:\n- "urls:\\n    - https://evil.example.test/"\n', true],
  ['control characters that Helm takes out', 'description: "\\N\\x7f\\L"\n', true]
]

for (const { name: program, missing } of PROGRAMS) {
  await t.test(`what one chart says of itself takes the index from nobody, over ${program}`, async t => {
    if (missing !== undefined) return await skipped(t, `in front of ${program}`, missing)
    const { ask } = await startInFront(t, program)
    for (const [i, [what, chartYaml, taken]] of HOSTILE.entries()) {
      const tenant = `org1/hostile${i}`
      const push = async (name: string, more: string): Promise<number> => (await ask(`/api/${tenant}/charts`, { method: 'POST', body: await archiveOf([{ name: 'c/Chart.yaml', body: `${more.includes('apiVersion') ? '' : 'apiVersion: v2\n'}name: ${name}\nversion: 1.0.0\n${more}` }]) })).status
      t.equal(await push('good', ''), 201)
      t.equal(await push('odd', chartYaml), taken ? 201 : 400, what)
      // ChartMuseum's index is a moment behind an upload, and with it what breaks it.
      t.equal(await push('last', ''), 201)
      const text = await until(async () => {
        const { status, text } = await ask(`/${tenant}/index.yaml`)
        return status === 200 && text.includes('charts/last-1.0.0.tgz') ? text : undefined
      })
      // As readers have it who know merges, and those who do not.
      for (const merge of [true, false]) {
        const { entries } = parse(text, { version: '1.1', merge }) as { entries: Record<string, Listed[]> }
        t.match(Object.keys(entries).filter(name => name !== 'odd'), ['good', 'last'], what)
        t.strictSame(Object.values(entries).flat().filter(({ urls: [url = ''] }) => !/^charts\/(?:good|odd|last)-1\.0\.0\.tgz$/.test(url)), [], `${what}: every entry is one, and leads here`)
      }
    }
  })
}

// --- links ----------------------------------------------------------------------------

interface Entry { readonly name: string, readonly version?: string, readonly urls: readonly string[] }

const INDEXES: Readonly<Record<string, (entries: readonly Entry[]) => string>> = {
  'as ChartMuseum writes it': entries => `apiVersion: v1\nentries:\n${entries.map(({ name, version = '0.1.0', urls }) => `  ${JSON.stringify(name)}:\n  - apiVersion: v2\n    name: ${JSON.stringify(name)}\n    urls:\n${urls.map(url => `    - ${JSON.stringify(url)}\n`).join('')}    version: ${version}\n`).join('')}generated: "2026-11-23T23:27:29Z"\nserverInfo: {}\n`,
  'above 2 MiB': entries => (INDEXES['as ChartMuseum writes it'] as (entries: readonly Entry[]) => string)([...Array.from({ length: 20_000 }, (_, i) => ({ name: `plain-${i}`, urls: [`charts/plain-${i}-0.1.0.tgz`] })), ...entries]),
  'as another program writes it': entries => `entries:\n${entries.map(({ name, version = '0.1.0', urls }) => `    ${JSON.stringify(name)}:\n        - name: ${JSON.stringify(name)}\n          version: ${version}\n          urls: ${JSON.stringify(urls)}\n`).join('')}apiVersion: v1\n`,
  'as JSON': entries => JSON.stringify({ apiVersion: 'v1', entries: Object.fromEntries(entries.map(({ name, version = '0.1.0', urls }) => [name, [{ name, version, urls }]])) })
}

/** One entry beside a good one, and what becomes of its links; undefined: it is left out. */
const LINKS: readonly (readonly [name: string, link: string, file: string | undefined])[] = [
  ['plain', 'charts/plain-0.1.0.tgz', 'plain-0.1.0.tgz'],
  // characters that a path cannot hold, raw and encoded
  ['paren', 'charts/paren-0.1.0 (1).tgz', 'paren-0.1.0%20%281%29.tgz'],
  ['paren', 'charts/paren-0.1.0%20(1).tgz', 'paren-0.1.0%20%281%29.tgz'],
  ['paren', 'charts/paren-0.1.0%20%281%29.tgz', 'paren-0.1.0%20%281%29.tgz'],
  ['größe', 'charts/größe-0.1.0.tgz', 'gr%C3%B6%C3%9Fe-0.1.0.tgz'],
  ['größe', 'charts/gr%c3%b6%C3%9Fe-0.1.0.tgz', 'gr%C3%B6%C3%9Fe-0.1.0.tgz'],
  ["a&:!'[]#b", "charts/a&:!'[]#b-0.1.0.tgz", 'a%26%3A%21%27%5B%5D%23b-0.1.0.tgz'],
  ['a?b', 'charts/a?b-0.1.0.tgz', 'a%3Fb-0.1.0.tgz'],
  ['a%b', 'charts/a%b-0.1.0.tgz', 'a%25b-0.1.0.tgz'],
  ['100%', 'charts/100%-0.1.0.tgz', '100%25-0.1.0.tgz'],
  ['a: b #c', 'charts/a: b #c-0.1.0.tgz', 'a%3A%20b%20%23c-0.1.0.tgz'],
  ['😀', 'charts/😀-0.1.0.tgz', '%F0%9F%98%80-0.1.0.tgz'],
  ['a+b', 'charts/a%2Bb-0.1.0.tgz', 'a+b-0.1.0.tgz'],
  // what no path says
  ['foo%20bar', 'charts/foo%20bar-0.1.0.tgz', undefined],
  ['a\\b', 'charts/a\\b-0.1.0.tgz', undefined],
  ['a\u0007b', 'charts/a\u0007b-0.1.0.tgz', undefined],
  ['a\u0090b', 'charts/a\u0090b-0.1.0.tgz', undefined],
  ['x', 'charts/..%2Fx-0.1.0.tgz', undefined],
  ['x', 'charts/%2e%2e', undefined],
  // absolute links of this tenant, with any host and path
  ['abs', `https://x.example.test/${TENANT}/charts/abs-0.1.0 (1).tgz`, 'abs-0.1.0%20%281%29.tgz'],
  ['abs', `https://x.example.test:8443/some/path/${TENANT}/charts/abs-0.1.0.tgz`, 'abs-0.1.0.tgz'],
  ['abs', `https://user:swordfish@x.example.test/${TENANT}/charts/abs-0.1.0.tgz`, 'abs-0.1.0.tgz'],
  ['abs', `//x.example.test/${TENANT}/charts/abs-0.1.0.tgz`, 'abs-0.1.0.tgz'],
  ['abs', `/${TENANT}/charts/abs-0.1.0.tgz`, 'abs-0.1.0.tgz'],
  // elsewhere, but to what has the name of this version
  ['cdn', 'https://cdn.example.test/cdn-0.1.0.tgz', 'cdn-0.1.0.tgz'],
  ['cdn', 'https://cdn.example.test/org2/repo2/charts/cdn-0.1.0.tgz?sig=swordfish', 'cdn-0.1.0.tgz'],
  ['cdn', 'cdn-0.1.0.tgz', 'cdn-0.1.0.tgz'],
  ['cdn', 'oci://cdn.example.test/cdn-0.1.0.tgz', 'cdn-0.1.0.tgz'],
  ['cdn', 'https://cdn.example.test/good-0.1.0.tgz', 'good-0.1.0.tgz'], // a file that another entry has
  // elsewhere
  ['away0', 'https://user:swordfish@cdn.example.test/download/17?token=swordfish', undefined],
  ['away1', 'https://cdn.example.test/other-9.9.9.tgz', undefined],
  ['away2', 'https://cdn.example.test/', undefined],
  ['away3', 'oci://cdn.example.test/charts/away3:0.1.0', undefined],
  ['away4', 'javascript:alert(1)', undefined],
  ['away5', 'https://swordfish:swordfish@', undefined],
  ['away6', '', undefined]
]

async function startStub (t: Test, more = {}): Promise<Team & { list (): Promise<Listed[]>, readonly authorization: string }> {
  const team = await startTeam(t, { config: config => ({ ...config, ...more }) })
  const authorization = `Bearer ${team.gateway.masterKey}`
  return {
    ...team,
    authorization,
    async list () {
      const { status, body } = await team.ask(`/${TENANT}/index.yaml`, { authorization })
      t.equal(status, 200)
      // A parser takes seconds for all of a large one.
      return status === 200 ? listOf(body.replace(/^ {2}"plain-\d+":\n {2}- .*\n(?: {4}.*\n)+/gm, '')) : []
    }
  }
}

for (const [form, write] of Object.entries(INDEXES)) {
  await t.test(`a link is decided by itself, in an index ${form}`, async t => {
    const { stub, gateway, list } = await startStub(t)
    const good = { name: 'good', urls: ['charts/good-0.1.0.tgz'] }
    for (const [name, link, file] of form === 'above 2 MiB' ? LINKS.filter((_, i) => i % 4 === 0) : LINKS) {
      const shown = JSON.stringify(link)
      const before = warnings(gateway.log).length
      stub.answer = () => ({ body: write([good, { name, urls: [link] }]) })
      t.strictSame((await list()).map(({ urls }) => urls), [['charts/good-0.1.0.tgz'], ...file === undefined ? [] : [[`charts/${file}`]]], shown)
      await list()
      const said = warnings(gateway.log).slice(before)
      t.match(said, file === undefined ? [{ level: 'warn', tenant: TENANT, chart: name.startsWith('a\u0007') || name.startsWith('a\u0090') ? String : name, version: '0.1.0', file: String, reason: String, detail: String }] : [], `${shown}: ${said.length} warnings`)
      t.equal(said.length, file === undefined ? 1 : 0, shown)
    }
    t.notMatch(gateway.logText(), /swordfish/, 'a credential of a link is in no log')
  })

  await t.test(`a chart keeps its other versions, and one without any disappears, in an index ${form}`, async t => {
    const { stub, gateway, list } = await startStub(t)
    stub.answer = () => ({ body: write([{ name: 'gone', urls: ['https://elsewhere.example.test/'] }, { name: 'two', urls: ['https://elsewhere.example.test/', 'charts/two-0.1.0.tgz'] }]) })
    t.strictSame((await list()).map(({ name, urls }) => [name, urls]), [['two', ['charts/two-0.1.0.tgz']]], 'of two links the one that leads elsewhere goes')
    t.match(warnings(gateway.log), [{ chart: 'gone', reason: 'leads_elsewhere' }, { chart: 'two', reason: 'leads_elsewhere' }])
    if (form === 'above 2 MiB') return
    stub.answer = () => ({ body: write([{ name: 'gone', urls: ['https://elsewhere.example.test/'] }]) })
    t.strictSame(await list(), [], 'an index without entries is an index')
  })
}

await t.test('a warning comes once for each that is left out, however often the index is read or changes', async t => {
  const { stub, gateway, list } = await startStub(t)
  const write = INDEXES['as ChartMuseum writes it'] as (entries: readonly Entry[]) => string
  const away = (name: string): Entry => ({ name, urls: ['https://elsewhere.example.test/'] })
  const read = async (...entries: Entry[]): Promise<unknown[]> => {
    const before = warnings(gateway.log).length
    stub.answer = () => ({ body: write(entries) })
    for (let i = 0; i < 3; i++) await list()
    return warnings(gateway.log).slice(before).map(({ chart }) => chart)
  }
  t.strictSame(await read(away('a'), away('b')), ['a', 'b'])
  t.strictSame(await read(away('a'), away('b'), { name: 'good', urls: ['charts/good-0.1.0.tgz'] }), [], 'another chart was pushed')
  t.strictSame(await read(away('b'), { name: 'good', urls: ['charts/good-0.1.0.tgz'] }), [])
  t.strictSame(await read(away('b'), away('c')), ['c'])
})

await t.test('an index that is larger than what is remembered does not warn with each read', async t => {
  const { stub, gateway, list } = await startStub(t, {})
  const write = INDEXES['as ChartMuseum writes it'] as (entries: readonly Entry[]) => string
  stub.answer = () => ({ status: 200, body: write([{ name: 'a', urls: ['https://elsewhere.example.test/'] }]) })
  await list()
  stub.answer = () => ({ status: 503, body: '{"error":"busy"}' })
  await fetch(`${gateway.url}/${TENANT}/index.yaml`, { headers: { authorization: `Bearer ${gateway.masterKey}` } }) // nothing of it is kept now
  stub.answer = () => ({ status: 200, body: write([{ name: 'a', urls: ['https://elsewhere.example.test/'] }]) })
  await list()
  t.equal(warnings(gateway.log).length, 1)
})

await t.test('what is no index is 502, and nothing else is', async t => {
  const { stub, ask, authorization } = await startStub(t)
  for (const body of ['<!DOCTYPE html>\n<html></html>\n', 'hello', '- entries', 'entries: x\n', '', 'a: [', '{', '{"entries":1}', '[]', 'null']) {
    stub.answer = () => ({ body })
    t.equal((await ask(`/${TENANT}/index.yaml`, { authorization })).status, 502, JSON.stringify(body))
  }
})
