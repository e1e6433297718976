// What the world really packs: small archives made after public bug reports, with what Helm 3,
// Helm 4 and ChartMuseum said of each (test/data/world). Whatever they agree on, chartgate
// agrees with, unless another reader could find another chart in it; `right` says which.
import { createReadStream, readFileSync, statSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import t, { type Test } from 'tap'
import { readProvenance } from '../../src/uploads/archive/provenance.ts'
import { readChartArchive } from '../../src/uploads/archive.ts'
import { startApp } from '../helpers/app.ts'
import { skipped } from '../helpers/not-tried.ts'
import { formOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { inShort } from '../helpers/in-short.ts'
import { findChartMuseum, OPEN, startChartMuseum, startEmbedded } from '../repository/servers.ts'
import { dataUrl } from '../helpers/data.ts'

interface Known {
  readonly file: string
  readonly right: 'accept' | 'refuse' | 'either'
  readonly chartmuseum: { readonly status: number, readonly entries?: readonly { readonly name: string, readonly version: string }[] }
}

const WORLD = dataUrl('world/').pathname
const KNOWN = readFileSync(join(WORLD, 'uploads.jsonl'), 'utf8').trim().split('\n').map(line => JSON.parse(line) as Known)
const pathOf = (file: string): string => join(WORLD, 'uploads', file)
const identityOf = ({ chartmuseum }: Known): { name: string, version: string } | undefined => {
  const [entry] = chartmuseum.entries ?? []
  return entry === undefined ? undefined : { name: entry.name, version: entry.version }
}
/** How many of them go through a gateway each run; all of them in `npm run verify`. */
const SAMPLE = inShort(60, KNOWN.length)

await t.test('the reader of archives takes what is right, and finds the chart that ChartMuseum finds', async t => {
  for (const known of KNOWN) {
    const { file, right, chartmuseum } = known
    const read = await readChartArchive(createReadStream(pathOf(file)), statSync(pathOf(file)).size)
    if (read.ok) t.same({ name: read.name, version: read.version }, identityOf(known) ?? { name: read.name, version: read.version }, file)
    else t.not(right, 'accept', `${file}: ${read.detail}`)
    // What concerns the rest of the chart ChartMuseum itself refuses.
    if (right === 'refuse' && chartmuseum.status === 201) t.notOk(read.ok, `${file} is refused by chartgate, whatever ChartMuseum does`)
  }
  t.ok(KNOWN.length > 300)
})

await t.test('every provenance file that helm verify accepts speaks of the chart beside it', async t => {
  const files = (await readdir(join(WORLD, 'uploads'))).filter(file => file.endsWith('.prov'))
  for (const file of files) {
    const read = readProvenance(readFileSync(pathOf(file), 'utf8'))
    const known = KNOWN.find(each => `${each.file}.prov` === file) as Known
    t.match(read, { ok: true, meant: identityOf(known) }, file)
  }
  t.ok(files.length > 10)
})

await t.test('a gateway over the embedded repository stores what is right, under the names that ChartMuseum gives', async t => {
  await pushSample(t, (await startEmbedded(t, await temporaryFolder(t), OPEN)).port)
})

if (findChartMuseum() === undefined) await skipped(t, 'what the world packs before a real ChartMuseum', 'no chartmuseum on the PATH, and CHARTMUSEUM names none')
else {
  await t.test('a gateway before a real ChartMuseum stores what is right, under the names that it gives', async t => {
    await pushSample(t, (await startChartMuseum(t, await temporaryFolder(t), OPEN)).port)
  })

  await t.test('a chart goes in with its provenance, or the reason is said', async t => {
    const storage = await temporaryFolder(t)
    const { port } = await startChartMuseum(t, storage, OPEN)
    const gateway = await startApp(t, { origin: `http://127.0.0.1:${port}`, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
    for (const known of KNOWN.filter(({ file }) => file.startsWith('provenance--'))) {
      const [chart, prov] = [known.file, `${known.file}.prov`].map(file => readFileSync(pathOf(file))) as [Buffer, Buffer]
      const { name, version } = identityOf(known) as { name: string, version: string }
      const form = formOf([{ field: 'chart', filename: 'a', body: chart }, { field: 'prov', filename: 'a', body: prov }])
      const pushed = await fetch(`${gateway.url}/api/world/prov/charts`, { method: 'POST', body: form.body, headers: { authorization: `Bearer ${gateway.masterKey}`, 'content-type': form.contentType } })
      const words = await pushed.text()
      const stored = await readdir(join(storage, 'world/prov')).catch((): string[] => [])
      if (pushed.status === 201) t.ok(stored.includes(`${name}-${version}.tgz.prov`), known.file)
      else {
        t.match(words, /ChartMuseum would store the provenance file as/, known.file)
        t.notOk(stored.includes(`${name}-${version}.tgz`), known.file)
      }
    }
  })
}

/** Pushes some of them, or all, each to a tenant of its own. */
async function pushSample (t: Test, port: number): Promise<void> {
  const gateway = await startApp(t, { origin: `http://127.0.0.1:${port}`, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
  const headers = { authorization: `Bearer ${gateway.masterKey}` }
  const sample = fc.sample(fc.shuffledSubarray([...KNOWN], { minLength: SAMPLE, maxLength: SAMPLE }), 1)[0] as Known[]
  for (const [i, known] of sample.entries()) {
    const tenant = `world/a${i}`
    const pushed = await fetch(`${gateway.url}/api/${tenant}/charts`, { method: 'POST', body: readFileSync(pathOf(known.file)), headers })
    const words = await pushed.text()
    const listed = await (await fetch(`${gateway.url}/api/${tenant}/charts`, { headers })).json() as Record<string, { name: string, version: string }[]>
    const found = Object.values(listed).flat().map(({ name, version }) => ({ name, version }))
    judge(t, known, pushed.status, words, found)
  }
}

function judge (t: Test, { file, right, ...known }: Known, status: number, words: string, found: readonly { name: string, version: string }[]): void {
  if (status === 201) {
    t.not(right, 'refuse', `${file} was stored`)
    t.same(found, [identityOf({ file, right, ...known })], file)
    return
  }
  t.not(right, 'accept', `${file}: ${status} ${words}`)
  t.equal(status, 400, `${file}: ${words}`)
  t.same(found, [], file)
}
