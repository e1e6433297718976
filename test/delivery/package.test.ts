// Does the package that `npm run package` makes run by itself? It has compiled code and what that
// reads, asks for nothing that is no dependency, and is unpacked and started here.
import { mkdir, readdir, readFile, symlink } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import t from 'tap'
import { startGateway } from '../helpers/gateway.ts'
import { newMasterKey } from '../helpers/secrets.ts'
import { ROOT, run, temporaryFolder } from '../helpers/processes.ts'
import packageJson from '../../package.json' with { type: 'json' }

const folder = await temporaryFolder(t)
const listed = await run('npm', ['run', 'sbom'], { cwd: ROOT })
if (listed.code !== 0) throw new Error(listed.stderr)
// It is built already; npm would do it once more.
const packed = await run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], { cwd: ROOT })
const [{ filename, files }] = JSON.parse(packed.stdout) as [{ filename: string, files: { path: string }[] }]
const paths = files.map(({ path }) => path)

await t.test('it has what runs, what it reads and what a person reads, and nothing else', t => {
  const folders = [...new Set(paths.map(path => path.includes('/') ? path.split('/', 2).join('/') : path))].sort()
  t.match(folders.filter(name => !/^(?:docs|deploy|config|examples)\//.test(name)), ['CHANGELOG.md', 'LICENSE', 'README.md', 'SECURITY.md', 'dist/plugins', 'dist/src', 'package.json', 'sbom.cdx.json'])
  t.same(paths.filter(path => /\.ts$|\btest\b|benchmarks|\.tsbuildinfo$/.test(path)), [])
  for (const path of ['dist/src/cli.js', 'examples/mychart/Chart.yaml', 'config/chartgate.example.yaml', 'deploy/systemd/chartgate.service']) t.ok(paths.includes(path), path)
  t.end()
})

await t.test('its list of packages has all that are no development dependencies, and no other', async t => {
  interface Sbom { readonly bomFormat: string, readonly metadata: { readonly component: { readonly name: string } }, readonly components: { readonly purl: string }[] }
  const { bomFormat, metadata, components } = JSON.parse(await readFile(join(ROOT, 'sbom.cdx.json'), 'utf8')) as Sbom
  t.same([bomFormat, metadata.component.name], ['CycloneDX', 'chartgate'])
  const { packages } = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as { packages: Record<string, { version: string, dev?: true }> }
  const locked = Object.entries(packages).filter(([path, { dev }]) => path !== '' && dev !== true)
    .map(([path, { version }]) => `pkg:npm/${path.replace(/^.*node_modules\//, '').replace('@', '%40')}@${version}`)
  t.same(components.map(({ purl }) => purl).sort(), [...new Set(locked)].sort())
  t.ok(locked.some(purl => purl.startsWith('pkg:npm/yaml@')), 'also what a development dependency asks for too')
})

await t.test('its code asks for nothing but Node and its dependencies', async t => {
  const asked = new Set<string>()
  for (const path of paths.filter(path => path.endsWith('.js'))) {
    const text = await readFile(join(ROOT, path), 'utf8')
    for (const [, ...names] of text.matchAll(/^(?:import|export) [^'"`;]*from '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm)) {
      const name = names.find(each => each !== undefined) as string
      if (!name.startsWith('.')) asked.add(name.split('/', name.startsWith('@') ? 2 : 1).join('/'))
    }
  }
  const ours = [...asked].filter(name => !name.startsWith('node:')).sort()
  t.ok(ours.length > 5)
  t.same(ours.filter(name => !Object.hasOwn(packageJson.dependencies, name)), [])
  t.same(ours.filter(name => builtinModules.includes(name)), [])
  t.same(Object.keys(packageJson.dependencies).filter(name => !ours.includes(name)), [], 'and each of them is asked for')
})

await t.test('unpacked, it serves', async t => {
  const unpacked = await run('tar', ['xzf', join(folder, filename), '-C', folder])
  t.equal(unpacked.code, 0, unpacked.stderr)
  const home = join(folder, 'package')
  // What npm would install beside it.
  await mkdir(join(home, 'node_modules'))
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (!Object.hasOwn(packageJson.devDependencies, name)) await symlink(join(ROOT, 'node_modules', name), join(home, 'node_modules', name))
  }
  const cli = join(home, 'dist/src/cli.js')
  const { stdout } = await run(process.execPath, [cli, '--version'])
  t.equal(stdout, `chartgate ${packageJson.version}\n`)
  const masterKey = newMasterKey()
  const gateway = await startGateway(t, { masterKey }, { cli })
  const index = await fetch(`${gateway.url}/org1/repo1/index.yaml`, { headers: { authorization: `Bearer ${masterKey}` } })
  t.equal(index.status, 200)
})
