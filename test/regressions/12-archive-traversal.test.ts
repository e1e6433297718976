// Traversal through the archive: what a pushed file says of itself decides where it is
// written. ChartMuseum CVE-2019-1000009 and helm/chartmuseum#235: a chart named
// `../proj1/test-a` overwrote another tenant's. And its kin: a file in which the gateway
// reads one name and ChartMuseum another, so that what is checked is not what is stored.
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { grant, startApp } from '../helpers/app.ts'
import { skipped } from '../helpers/not-tried.ts'
import { archiveOf, chartOf, chartYaml, formOf, provenanceOf } from '../helpers/packages.ts'
import { temporaryFolder } from '../helpers/processes.ts'
import { sendRaw } from '../helpers/raw.ts'
import { bearer, isRefused, OTHER, OWN, SECRET, shown, startTwoTenants } from '../helpers/two-tenants.ts'
import { findChartMuseum, OPEN, startChartMuseum } from '../repository/servers.ts'

interface Attack { readonly name: string, readonly path: string, readonly contentType: string, readonly body: Buffer }

const CHARTS = `/api/${OWN}/charts`
const PROV = `/api/${OWN}/prov`
const UP = '/../../../org2/repo2/x'

async function charts (): Promise<Attack[]> {
  const raw = async (name: string, yaml: string, more: { name: string, body: string }[] = []): Promise<Attack> =>
    ({ name: `a chart with ${name}`, path: CHARTS, contentType: 'application/octet-stream', body: await archiveOf([{ name: 'x/Chart.yaml', body: yaml }, ...more]) })
  const named = async (name: string, version = '1.0.0'): Promise<Attack> => await raw(`the name ${shown(name)} and the version ${shown(version)}`, chartYaml(JSON.stringify(name), JSON.stringify(version)))
  const good = chartYaml('mychart', '1.0.0')
  return await Promise.all([
    ...['../../org2/repo2/x', '../x', '/x', 'a/b', 'a\\b', '..\\x', '.', '..', '', 'a\0b', 'a\nb', 'a\u2028b', 'caf\u00e9', '%2e%2e%2fx', 'a b', 'a#b'].map(async name => await named(name)),
    ...['1.0.0/../../../org2/repo2/x-1.0.0', '../1.0.0', '1.0.0+a/b', '1.0.0\\..', '1.0.0-a/../b', '', ' 1.0.0', '1.0.0\n', 'latest'].map(async version => await named('x', version)),
    // what Go reads as another name or version (sigs.k8s.io/yaml, encoding/json)
    raw('a comment that ends at NEL', good + '# x\u0085version: 2.0.0\n'),
    raw('a comment that ends at LINE SEPARATOR', good + '# x\u2028version: 2.0.0\n'),
    raw('a comment that ends at PARAGRAPH SEPARATOR', good + '# x\u2029version: 2.0.0\n'),
    raw('a comment that ends at CR', good + '# x\rversion: 2.0.0\n'),
    raw('a second version behind a BOM', good + '\ufeffversion: 2.0.0\n'),
    raw('a merge key', good + '<<: {version: 2.0.0}\n'),
    raw('a merge of aliases', good + 'annotations: &a {version: 2.0.0}\n<<: *a\n'),
    raw('a key that folds to version', good + 'ver\u017fion: 2.0.0\n'),
    raw('a key in capitals', good + 'NAME: other\n'),
    raw('a key in base64', good + '!!binary dmVyc2lvbg==: 2.0.0\n'),
    raw('a key that is an alias', good + 'icon: &v version\n*v : 2.0.0\n'),
    raw('a version twice', good + 'version: 2.0.0\n'),
    raw('a name that is a number to Go', chartYaml('0o17', '1.0.0')),
    raw('a version in base64', chartYaml('mychart', '!!binary MS4wLjA=')),
    raw('a requirements.yaml with a version', good, [{ name: 'x/requirements.yaml', body: 'version: 2.0.0\n' }]),
    raw('a requirements.yaml with a name', good, [{ name: 'x/requirements.yaml', body: 'dependencies: []\nNaMe: ../../org2/repo2/x\n' }]),
    raw('a requirements.yaml with a merge key', good, [{ name: 'x/requirements.yaml', body: '<<: {version: 2.0.0}\n' }]),
    raw('a requirements.yaml with a version twice', good, [{ name: 'x/requirements.yaml', body: 'a: 1\na: 2\nversion: 2.0.0\n' }]),
    raw('an entry above its folder', good, [{ name: 'x/../../org2/repo2/y', body: '' }])
  ])
}

async function forms (): Promise<Attack[]> {
  const chart = { field: 'chart', filename: 'mychart-1.0.0.tgz', body: await chartOf('mychart', '1.0.0') }
  const prov = (text: string): { field: string, filename: string, body: string } => ({ field: 'prov', filename: 'mychart-1.0.0.tgz.prov', body: text })
  const form = (name: string, parts: Parameters<typeof formOf>[0]): Attack => ({ name: `a form with ${name}`, path: CHARTS, ...formOf(parts) })
  return [
    ...badProvenances.map(([name, text]) => form(`its chart and a provenance file with ${name}`, [chart, prov(text)])),
    ...badProvenances.map(([name, text]) => form(`a provenance file with ${name}`, [prov(text)])),
    form('provenance of another chart', [chart, prov(provenanceOf('other', '1.0.0'))]),
    form('provenance of another version', [prov(provenanceOf('mychart', '1.0.1')), chart]),
    form('two charts', [chart, chart]),
    form('two provenance files', [chart, prov(provenanceOf('mychart', '1.0.0')), prov(provenanceOf('mychart', '1.0.0'))]),
    form('a field besides', [chart, { field: 'other', filename: 'x', body: 'x' }]),
    form('a field in capitals', [{ ...chart, field: 'CHART' }]),
    form('a chart that is no file', [{ field: 'chart', body: chart.body }])
  ]
}

const badProvenances: [string, string][] = [
  ['a traversing name', provenanceOf('../../org2/repo2/x', '1.0.0')],
  ['a traversing version', provenanceOf('mychart', `1.0.0${UP}`)],
  ...['\r', '\u2028', '\u2029', '\u0085', '\0', ' ', '\t'].flatMap((character): [string, string][] => [
    [`a name that ends before ${shown(character)}`, provenanceOf(`mychart${character}${UP}`, '1.0.0')],
    [`a version that ends before ${shown(character)}`, provenanceOf('mychart', `1.0.0${character}${UP}`)],
    [`a name with ${shown(character)} at its end`, provenanceOf(`mychart${character}`, '1.0.0')]
  ]),
  ['a name in quotes', provenanceOf('"mychart"', '1.0.0')],
  ['a name before the true one', provenanceOf('mychart', '1.0.0').replace('\nname:', `\nname: ${UP}\nname:`)],
  ['no name', provenanceOf('mychart', '1.0.0').replace('\nname:', '\nNAME:')]
]

function provenances (): Attack[] {
  // Beside its chart the first name counts, as to ChartMuseum: helm package signs what it finds.
  const alone: [string, string] = ['a name behind the true one', provenanceOf('mychart', `1.0.0\nname: ${UP}`)]
  return [...badProvenances, alone].map(([name, text]) => ({ name: `a provenance file with ${name}`, path: PROV, contentType: 'text/plain', body: Buffer.from(text) }))
}

const attacks = [...await charts(), ...await forms(), ...provenances()]
const good: Attack = { name: 'good', path: CHARTS, ...formOf([{ field: 'chart', filename: 'x', body: await chartOf('mychart', '1.0.0') }, { field: 'prov', filename: 'x', body: provenanceOf('mychart', '1.0.0') }]) }
const typeOf = ({ contentType }: Attack): string[] => [`Content-Type: ${contentType}`]

await t.test('what no chart can be, or two readers could read differently, is refused at the gateway', async t => {
  const tenants = await startTwoTenants(t)
  const authorization = await bearer(tenants.gateway, grant(OWN, 'pull', 'push', 'overwrite', 'delete'))
  for (const attack of attacks) {
    for (const query of ['', '?force']) {
      const answer = await tenants.ask('POST', attack.path + query, { authorization, headers: typeOf(attack), body: attack.body })
      isRefused(t, tenants, answer, attack.name + query)
      t.equal(answer.status, 400, attack.name)
    }
  }
  t.same(await readdir(join(tenants.gateway.config.stateDir, 'spool')), [], 'nothing is left on disk')
  tenants.stub.answer = ({ method }) => method === 'GET' ? { status: 404 } : { status: 201, body: '{"saved":true}' }
  t.equal((await tenants.ask('POST', good.path, { authorization, headers: typeOf(good), body: good.body })).status, 201, 'a good one is stored')
  t.notMatch(tenants.gateway.logText(), SECRET)
})

await t.test('nothing of it reaches the storage of a real ChartMuseum', async t => {
  if (findChartMuseum() === undefined) return await skipped(t, 'uploads before a real ChartMuseum', 'no chartmuseum on the PATH')
  const storage = await temporaryFolder(t)
  for (const folder of [OWN, OTHER]) await mkdir(join(storage, folder), { recursive: true })
  await writeFile(join(storage, OTHER, 'secret-1.0.0.tgz'), await chartOf('secret', '1.0.0'))
  const { port } = await startChartMuseum(t, storage, { ...OPEN, allowOverwrite: true })
  const gateway = await startApp(t, { origin: `http://127.0.0.1:${port}`, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
  const send = async (to: number, { path, contentType, body }: Attack): Promise<number> =>
    (await sendRaw(to, Buffer.concat([Buffer.from(`POST ${path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nAuthorization: Bearer ${gateway.masterKey}\r\nContent-Type: ${contentType}\r\nContent-Length: ${body.length}\r\n\r\n`), body]))).status
  const stored = async (): Promise<string[]> => (await readdir(storage, { recursive: true })).filter(path => /\.(?:tgz|prov)$/.test(path)).sort().map(shown)

  // ChartMuseum takes a provenance file's word for where it goes when the chart that it comes with is there
  t.equal(await send(gateway.port, good), 201)
  const before = [`${OWN}/mychart-1.0.0.tgz`, `${OWN}/mychart-1.0.0.tgz.prov`, `${OTHER}/secret-1.0.0.tgz`].map(shown)
  t.same(await stored(), before)
  for (const attack of attacks) {
    for (const query of ['', '?force']) t.equal(await send(gateway.port, { ...attack, path: attack.path + query }), 400, attack.name + query)
  }
  t.same(await stored(), before, 'nothing of it was stored')
  for (const attack of attacks) await send(port, attack)
  t.ok((await stored()).some(path => path.startsWith(`"${OTHER}/x-`)), 'ChartMuseum itself would have written into the other tenant')
})
