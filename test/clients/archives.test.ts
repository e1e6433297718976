// Is a chart what chartgate takes for one? Real Helm is the judge, and ChartMuseum, which
// is made of Helm: both must find the same name and version in whatever is accepted.
import { mkdir, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import t, { type Test } from 'tap'
import { parse } from 'yaml'
import { readChartArchive, type ArchiveResult } from '../../src/uploads/archive.ts'
import { startApp } from '../helpers/app.ts'
import { AMBIGUOUS, HARMLESS, ORDINARY } from '../helpers/archive-corpus.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { helmVersions, runHelm, type Helm } from '../helpers/helm.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { chartYaml } from '../helpers/packages.ts'
import { findProgram, run, temporaryFolder } from '../helpers/processes.ts'
import { OPEN, findChartMuseum, startChartMuseum } from '../repository/servers.ts'

interface Identity { readonly name: string, readonly version: string }

const X: Identity = { name: 'x', version: '1.0.0' }

// Names of more than 100 and of more than 255 bytes, which each form of tar writes in its own way.
const PATHS = ['values.yaml', 'templates/a.yaml', `templates/${'folder/'.repeat(14)}a.yaml`, `templates/${'folder/'.repeat(40)}a.yaml`, `files/${'n'.repeat(150)}`]
const SHORT = PATHS.slice(0, 3)

const PACKERS: readonly (readonly [what: string, command: readonly string[], paths: readonly string[]])[] = [
  ['tar, as it is', ['tar', 'czf'], PATHS],
  ['tar in the form of GNU', ['tar', '--format=gnu', '-czf'], PATHS],
  ['tar in the form of POSIX', ['tar', '--format=posix', '-czf'], PATHS],
  ['tar in the form of 1988', ['tar', '--format=ustar', '-czf'], SHORT],
  ['bsdtar, as it is', ['bsdtar', '-czf'], PATHS],
  ['bsdtar in the form of pax', ['bsdtar', '--format=pax', '-czf'], PATHS],
  ['bsdtar in the form of GNU', ['bsdtar', '--format=gnutar', '-czf'], PATHS],
  ['busybox', ['busybox', 'tar', '-czf'], PATHS]
]

t.setTimeout(BUILD_LIMIT)
const helms = await helmVersions()
if (!helms.ok) await notTried(t, 'real Helm', helms.reason)
else for (const helm of helms.versions) await t.test(helm.name, async t => { await judge(t, helm) })

async function judge (t: Test, helm: Helm): Promise<void> {
  const home = await temporaryFolder(t)
  await t.test('reads every ordinary archive as chartgate does', async t => {
    for (const [what, bytes] of [...ORDINARY, ...HARMLESS]) {
      t.match(await readBytes(bytes), { ok: true, ...X }, what)
      t.same(await helmReads(helm, home, bytes), X, what)
    }
  })
  await t.test('finds something in archives that chartgate refuses, and not what they seem to be', async t => {
    for (const { what, bytes, helm: expected } of AMBIGUOUS) {
      t.match(await readBytes(bytes), { ok: false }, what)
      t.same(await helmReads(helm, home, bytes), expected, what)
    }
  })
  await t.test('reads what packers made of a chart with long names as chartgate does', async t => { await tryPackers(t, helm, home) })
}

async function tryPackers (t: Test, helm: Helm, home: string): Promise<void> {
  await writeChart(join(home, 'all', 'x'), PATHS)
  await writeChart(join(home, 'short', 'x'), SHORT)
  const packaged = await runHelm(helm, ['package', join(home, 'all', 'x')], { home })
  t.equal(packaged.code, 0, packaged.stderr)
  await agree(t, helm, home, join(home, 'x-1.0.0.tgz'), `${helm.name} package`)
  for (const [what, command, paths] of PACKERS) {
    const [program, ...args] = command as [string, ...string[]]
    if (await findProgram(program) === undefined) {
      t.comment(`${program} is not installed`)
      continue
    }
    const file = join(home, 'packed.tgz')
    const made = await run(program, [...args, file, 'x'], { cwd: join(home, paths === PATHS ? 'all' : 'short') })
    t.equal(made.code, 0, `${what} ${made.stderr}`)
    await agree(t, helm, home, file, what)
  }
}

async function writeChart (folder: string, paths: readonly string[]): Promise<void> {
  for (const path of ['Chart.yaml', ...paths]) {
    await mkdir(join(folder, path, '..'), { recursive: true })
    await writeFile(join(folder, path), path === 'Chart.yaml' ? chartYaml('x', '1.0.0') : '# nothing\n')
  }
}

async function agree (t: Test, helm: Helm, home: string, file: string, what: string): Promise<void> {
  const bytes = await readFile(file)
  t.same(await readBytes(bytes), { ok: true, ...X }, what)
  t.same(await helmReads(helm, home, bytes), X, what)
}

async function readBytes (bytes: Buffer): Promise<ArchiveResult> {
  return await readChartArchive(Readable.from([bytes]), bytes.length)
}

/** Name and version as Helm shows them; its words when it shows none. */
async function helmReads (helm: Helm, home: string, bytes: Buffer): Promise<Identity | string> {
  const file = join(home, 'judged.tgz')
  await writeFile(file, bytes)
  const { code, stdout, stderr } = await runHelm(helm, ['show', 'chart', file], { home })
  if (code !== 0) return stderr
  const { name, version } = parse(stdout) as Identity
  return { name, version }
}

const chartMuseum = findChartMuseum()
if (chartMuseum === undefined) await skipped(t, 'real ChartMuseum', 'no chartmuseum on the PATH, and CHARTMUSEUM names none')
else {
  await t.test('ChartMuseum stores every ordinary archive under the name that chartgate found, and sees none of the others', async t => {
    const storage = await temporaryFolder(t)
    const { port } = await startChartMuseum(t, storage, OPEN)
    const gateway = await startApp(t, { origin: `http://127.0.0.1:${port}`, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' } }) })
    const push = async (bytes: Buffer): Promise<[number, string[]]> => {
      const answer = await fetch(`${gateway.url}/api/org1/repo1/charts`, { method: 'POST', body: new Uint8Array(bytes), headers: { authorization: `Bearer ${gateway.masterKey}` } })
      await answer.arrayBuffer()
      const files = (await readdir(join(storage, 'org1/repo1')).catch(() => [])).filter(file => file.endsWith('.tgz')) // beside the index that it keeps
      await rm(join(storage, 'org1'), { recursive: true, force: true })
      return [answer.status, files]
    }
    for (const [what, bytes] of [...ORDINARY, ...HARMLESS]) t.same(await push(bytes), [201, ['x-1.0.0.tgz']], what)
    for (const { what, bytes } of AMBIGUOUS) t.same(await push(bytes), [400, []], what)
  })
}
