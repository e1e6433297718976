// docs/migrate.md can be followed: each of its blocks runs, in order and in one shell, and
// prints what stands below it; with a real ChartMuseum where there is one, else with what
// stands in for it. And what its table says of ChartMuseum's flags is so.
import { cp, mkdir, readFile, symlink, writeFile } from 'node:fs/promises'
import { delimiter, join, resolve } from 'node:path'
import t from 'tap'
import type { Config } from '../../src/config/schema.ts'
import { startApp } from '../helpers/app.ts'
import { chartMuseum, NO_CHARTMUSEUM } from '../helpers/chartmuseum.ts'
import { runnableBlocks } from '../helpers/documents.ts'
import { follow } from '../helpers/follow.ts'
import { notTried, skipped } from '../helpers/not-tried.ts'
import { chartOf } from '../helpers/packages.ts'
import { findProgram, freePorts, ROOT, startProcess, temporaryFolder, type Environment } from '../helpers/processes.ts'
import { askAs } from '../helpers/repositories.ts'

const PAGE = 'docs/migrate.md'

await t.test(`${PAGE} can be followed`, async t => {
  for (const program of ['curl', 'openssl']) {
    if (await findProgram(program) !== undefined) continue
    await notTried(t, PAGE, `no ${program} on the PATH`)
    return
  }
  await follow(t, runnableBlocks(await readFile(join(ROOT, PAGE), 'utf8')), { ports: ['5001', '5002', '8080', '8081'], furnish })
})

/** A clone that is built, and the programs that the page has. */
async function furnish (folder: string): Promise<Environment> {
  const [clone, bin] = [join(folder, 'clone'), join(folder, 'bin')]
  for (const each of [clone, bin]) await mkdir(each)
  for (const name of ['dist', 'node_modules', 'package.json']) await symlink(join(ROOT, name), join(clone, name))
  await cp(join(ROOT, 'examples'), join(clone, 'examples'), { recursive: true })
  const standIn = async (name: string, ...words: readonly string[]): Promise<void> => {
    await writeFile(join(bin, name), `#!/bin/sh\nexec ${[process.execPath, ...words].map(word => `'${word}'`).join(' ')} "$@"\n`, { mode: 0o755 })
  }
  if (chartMuseum !== undefined) await symlink(resolve(chartMuseum), join(bin, 'chartmuseum'))
  else await standIn('chartmuseum', join(ROOT, 'test/helpers/chartmuseum-stand-in.js'), join(ROOT, 'dist/src/cli.js'))
  if (await findProgram('htpasswd') === undefined) await standIn('htpasswd', join(ROOT, 'test/helpers/htpasswd.js'))
  return { HOME: folder, TMPDIR: folder, PATH: `${bin}${delimiter}${process.env['PATH']}` }
}

interface Asked {
  readonly push: number
  /** Other bytes of the same version, without `?force`. */
  readonly again: number
  readonly force: number
  readonly next: number
  readonly remove: number
}

const AS_WITHOUT: Asked = { push: 201, again: 409, force: 201, next: 201, remove: 200 }

/** What is answered through chartgate, with every right, when ChartMuseum has these flags. */
const FLAGS: readonly (readonly [flags: readonly string[], answers: Asked, charts?: Partial<Config['charts']>])[] = [
  [['--depth', '2'], AS_WITHOUT],
  [['--depth-dynamic'], AS_WITHOUT, { depth: 'dynamic' }],
  [['--depth', '2', '--context-path', '/charts'], AS_WITHOUT, { contextPath: '/charts' }],
  [['--depth', '2', '--allow-overwrite'], AS_WITHOUT],
  [['--depth', '2', '--disable-force-overwrite'], { push: 201, again: 409, force: 409, next: 201, remove: 200 }],
  [['--depth', '2', '--disable-delete'], { push: 201, again: 409, force: 201, next: 201, remove: 404 }],
  [['--depth', '2', '--disable-api'], { push: 404, again: 404, force: 404, next: 404, remove: 404 }],
  [['--depth', '2', '--disable-statefiles'], AS_WITHOUT],
  [['--depth', '2', '--chart-url', 'https://elsewhere.example.com/charts'], AS_WITHOUT],
  [['--depth', '2', '--max-storage-objects', '1'], { push: 201, again: 409, force: 201, next: 507, remove: 200 }]
]

await t.test('what is answered with a flag of ChartMuseum', async t => {
  if (chartMuseum === undefined) {
    await skipped(t, 'ChartMuseum', NO_CHARTMUSEUM)
    return
  }
  for (const [flags, answers, charts = {}] of FLAGS) {
    await t.test(flags.join(' '), async t => {
      const [port] = await freePorts(1) as [number]
      const storage = await temporaryFolder(t)
      const origin = `http://127.0.0.1:${port}`
      await startProcess(t, chartMuseum as string, ['--storage', 'local', '--storage-local-rootdir', storage, '--listen-host', '127.0.0.1', '--port', String(port), ...flags], { readyUrl: `${origin}${charts.contextPath ?? ''}/health` })
      const gateway = await startApp(t, { origin, config: config => ({ ...config, upstream: { ...config.upstream, auth: 'none' }, charts: { ...config.charts, ...charts } }) })
      const ask = async (method: string, path: string, body?: Buffer): Promise<number> => (await askAs(gateway, method, `/api/org1/repo1/charts${path}`, body)).status
      const [first, other, next] = [await chartOf('web', '1.0.0'), await chartOf('web', '1.0.0', [{ name: 'web/README.md', body: 'another' }]), await chartOf('web', '2.0.0')]
      const seen: Asked = {
        push: await ask('POST', '', first),
        again: await ask('POST', '', other),
        force: await ask('POST', '?force', other),
        next: await ask('POST', '', next),
        remove: await ask('DELETE', '/web/1.0.0')
      }
      t.strictSame(seen, answers)
      const index = (await askAs(gateway, 'GET', '/org1/repo1/index.yaml')).bytes.toString()
      if (seen.next === 201) t.match(index, /- charts\/web-2\.0\.0\.tgz/, 'links lead to chartgate')
      t.notMatch(index, /elsewhere/)
      t.equal((await askAs(gateway, 'GET', '/org1/repo1/charts/index-cache.yaml')).bytes.includes('entries'), false, 'its own file is given to nobody')
    })
  }
})
