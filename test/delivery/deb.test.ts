// Does the Debian package bring what it promises? It is made here by nfpm, looked into, and
// installed into a folder with its scripts, started from there, removed and purged. What a
// running systemd does with it is not tried.
import { chmod, mkdir, readFile, readlink, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { serveFile } from '../helpers/gateway.ts'
import { BUILD_LIMIT } from '../helpers/go-tool.ts'
import { notTried } from '../helpers/not-tried.ts'
import { findProgram, ROOT, run, temporaryFolder, type RunResult } from '../helpers/processes.ts'
import packageJson from '../../package.json' with { type: 'json' }

t.setTimeout(BUILD_LIMIT)
const missing = (await Promise.all(['go', 'dpkg', 'dpkg-deb', 'systemd-sysusers', 'systemd-tmpfiles'].map(async name => await findProgram(name) === undefined ? [name] : []))).flat()
if (process.getuid?.() !== 0) missing.push('the right to install')
if (missing.length > 0) await notTried(t, 'the Debian package', `missing: ${missing.join(', ')}`)
else await t.test('the Debian package', async t => { await tryPackage(t) })

async function tryPackage (t: Test): Promise<void> {
  const folder = await temporaryFolder(t)
  const env = process.env as Record<string, string>
  const listed = await run(process.execPath, ['scripts/sbom.js'], { env })
  t.equal(listed.code, 0, listed.stderr)
  const made = await run(process.execPath, ['scripts/deb.js', folder], { env })
  t.equal(made.code, 0, made.stderr)
  const deb = made.stdout.trim()

  await t.test('it says what it is and what it needs', async t => {
    const { stdout } = await run('dpkg-deb', ['--field', deb])
    t.match(stdout, new RegExp(`^Package: chartgate\nVersion: ${packageJson.version}\n`))
    t.match(stdout, `nodejs (${packageJson.engines.node.replace('>=', '>= ')})`, 'the Node that package.json asks for')
    await run('dpkg-deb', ['--control', deb, join(folder, 'control')])
    t.equal(await readFile(join(folder, 'control/conffiles'), 'utf8'), '/etc/chartgate/chartgate.yaml\n/etc/logrotate.d/chartgate\n')
  })

  const root = join(folder, 'root')
  for (const name of ['var/lib/dpkg/updates', 'var/lib/dpkg/info', 'etc']) await mkdir(join(root, name), { recursive: true })
  await writeFile(join(root, 'var/lib/dpkg/status'), '')
  for (const open of [folder, root]) await chmod(open, 0o755)
  // The folder has no other packages, nor anything that a script would need of them.
  const dpkg = async (...args: string[]): Promise<RunResult> => await run('dpkg', [`--root=${root}`, '--force-script-chrootless', '--force-depends', ...args])
  const modeAndOwner = async (path: string): Promise<string> => {
    const [{ stdout: users }, { mode, uid, gid }] = [await run('cat', [join(root, 'etc/passwd')]), await stat(join(root, path))]
    const nameOf = (id: number): string => id === 0 ? 'root' : new RegExp(`^(\\w+):[^:]*:${id}:`, 'm').exec(users)?.[1] ?? String(id)
    return `${(mode & 0o7777).toString(8)} ${nameOf(uid)} ${nameOf(gid)}`
  }
  const isThere = async (path: string): Promise<boolean> => await stat(join(root, path)).then(() => true, () => false)

  await t.test('installed, it has a user, folders for it, and the unit', async t => {
    const { code, stderr } = await dpkg('--install', deb)
    t.equal(code, 0, stderr)
    t.equal(await modeAndOwner('var/lib/chartgate'), '700 chartgate chartgate')
    t.equal(await modeAndOwner('etc/chartgate'), '2750 root chartgate')
    t.equal(await readlink(join(root, 'usr/bin/chartgate')), '../lib/chartgate/dist/src/cli.js')
    t.equal(await readFile(join(root, 'usr/lib/systemd/system/chartgate.service'), 'utf8'), await readFile(join(ROOT, 'deploy/systemd/chartgate.service'), 'utf8'))
    t.ok(await isThere('usr/share/doc/chartgate/copyright'))
    t.notOk(await isThere('usr/lib/chartgate/node_modules/typescript'), 'no development dependency')
  })

  await t.test('its program runs from there, with the configuration that it brings', async t => {
    const program = join(root, 'usr/bin/chartgate')
    t.match(await run(program, ['--version']), { code: 0, stdout: `chartgate ${packageJson.version}\n` })
    const file = join(root, 'etc/chartgate/chartgate.yaml')
    const gateway = await serveFile(t, { file, cli: program })
    const index = await fetch(`${gateway.url}/org1/repo1/index.yaml`)
    t.equal(index.status, 401, 'nobody has any right')
    const { code, stdout } = await run(program, ['check', '--config', file])
    t.equal(code, 0, stdout)
  })

  await t.test('removed, it keeps configuration and data; purged, it leaves nothing but charts', async t => {
    await writeFile(join(root, 'var/lib/chartgate/key'), '')
    const removed = await dpkg('--remove', 'chartgate')
    t.equal(removed.code, 0, removed.stderr)
    t.same(await Promise.all(['usr/lib/chartgate', 'usr/bin/chartgate', 'etc/chartgate/chartgate.yaml', 'etc/logrotate.d/chartgate', 'var/lib/chartgate/key'].map(isThere)), [false, false, true, true, true])
    const purged = await dpkg('--purge', 'chartgate')
    t.equal(purged.code, 0, purged.stderr)
    t.same(await Promise.all(['etc/chartgate', 'etc/logrotate.d/chartgate', 'var/lib/chartgate'].map(isThere)), [false, false, false])

    t.match(await dpkg('--install', deb), { code: 0 })
    await mkdir(join(root, 'var/lib/chartgate/charts/team'), { recursive: true })
    await Promise.all(['key', 'charts/team/a-1.0.0.tgz'].map(async name => { await writeFile(join(root, 'var/lib/chartgate', name), '') }))
    t.match(await dpkg('--purge', 'chartgate'), { code: 0, stderr: /charts are kept in \S+\/var\/lib\/chartgate\/charts/ })
    t.same(await Promise.all(['etc/chartgate', 'var/lib/chartgate/key', 'var/lib/chartgate/charts/team/a-1.0.0.tgz'].map(isThere)), [false, false, true])
  })
}
