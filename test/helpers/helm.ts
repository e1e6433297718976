// Stock Helm, built from the versions that test/clients/*/go.mod pin, once for each
// machine.
import { createHash } from 'node:crypto'
import { access, mkdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { ROOT, findProgram, run, temporaryFolder, type RunResult } from './processes.ts'

export interface Helm {
  readonly name: 'helm3' | 'helm4'
  /** The binary. */
  readonly path: string
}

export type HelmVersions =
  | { readonly ok: true, readonly versions: readonly Helm[] }
  | { readonly ok: false, readonly reason: string }

/** Milliseconds for a test file that may have to build both with cold caches. */
export const BUILD_LIMIT = 20 * 60_000

/** Both Helms, built if need be; or why there are none. */
export async function helmVersions (): Promise<HelmVersions> {
  const versions: Helm[] = []
  for (const name of ['helm3', 'helm4'] as const) {
    const built = await findOrBuild(name)
    if ('reason' in built) return { ok: false, reason: built.reason }
    versions.push({ name, path: built.path })
  }
  return { ok: true, versions }
}

/**
 * Step 6 of the walkthrough, and what people do next.
 * @param chart what `mychart` 0.1.0, the newest version there, has to be, byte for byte
 */
export async function useRepository (t: Test, helm: Helm, url: string, login: readonly string[], chart: Buffer): Promise<void> {
  const home = await temporaryFolder(t)
  const helmSays = async (...args: string[]): Promise<string> => await succeed(t, helm, args, { home })
  t.match(await helmSays('repo', 'add', 'r', url, ...login), '"r" has been added')
  t.match(await helmSays('repo', 'update'), 'Successfully got an update from the "r" chart repository')
  t.match(await helmSays('search', 'repo', 'r/'), /r\/mychart\s+0\.1\.0/)
  await helmSays('pull', 'r/mychart')
  t.ok((await readFile(join(home, 'mychart-0.1.0.tgz'))).equals(chart), 'the chart comes byte for byte')
  t.match(await helmSays('template', 'x', 'r/mychart'), 'name: x-message')
  t.match(await helmSays('show', 'chart', 'r/mychart'), 'version: 0.1.0')
}

/** examples/mychart as this Helm packages it. */
export async function packageExample (t: Test, helm: Helm): Promise<Buffer> {
  const home = await temporaryFolder(t)
  await succeed(t, helm, ['package', join(ROOT, 'examples', 'mychart')], { home })
  return await readFile(join(home, 'mychart-0.1.0.tgz'))
}

/** Helm's output; a command that fails, fails the test with what Helm said. */
async function succeed (t: Test, helm: Helm, args: readonly string[], options: { readonly home: string }): Promise<string> {
  const { code, stdout, stderr } = await runHelm(helm, args, options)
  t.equal(code, 0, `helm ${args.slice(0, 2).join(' ')}`, { stderr })
  return stdout
}

/** Runs Helm with nothing but the folder `home` as its memory; it is also the working directory. */
export async function runHelm (helm: Helm, args: readonly string[], { home }: { readonly home: string }): Promise<RunResult> {
  const env = { HOME: home, HELM_CACHE_HOME: join(home, 'cache'), HELM_CONFIG_HOME: join(home, 'config'), HELM_DATA_HOME: join(home, 'data') }
  return await run(helm.path, args, { cwd: home, env })
}

async function findOrBuild (name: Helm['name']): Promise<{ path: string } | { reason: string }> {
  const module = join(ROOT, 'test', 'clients', name)
  const pins = await Promise.all(['go.mod', 'go.sum'].map(async file => await readFile(join(module, file))))
  const hash = createHash('sha256').update(Buffer.concat(pins)).digest('hex').slice(0, 16)
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'chartgate-test-clients', hash)
  const path = join(folder, name)
  if (await access(path).then(() => true, () => false)) return { path }
  if (await findProgram('go') === undefined) return { reason: 'Go is not installed' }
  await mkdir(folder, { recursive: true })
  // Two test files may build at once: whoever comes last renames the same thing again.
  const temporary = `${path}.${process.pid}.tmp`
  const built = await run('go', ['build', '-o', temporary, 'tool'], { cwd: module, env: process.env as Record<string, string> })
  if (built.code !== 0) {
    await rm(temporary, { force: true })
    return { reason: `go build of ${name} failed: ${built.stderr.trim().split('\n').at(-1) ?? ''}` }
  }
  await rename(temporary, path)
  return { path }
}
