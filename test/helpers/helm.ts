// Stock Helm, from the versions that test/clients/*/go.mod pin.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Test } from 'tap'
import { goTool } from './go-tool.ts'
import { ROOT, run, temporaryFolder, type Environment, type RunResult } from './processes.ts'

export interface Helm {
  readonly name: 'helm3' | 'helm4'
  /** The binary. */
  readonly path: string
}

export type HelmVersions =
  | { readonly ok: true, readonly versions: readonly Helm[] }
  | { readonly ok: false, readonly reason: string }

/** Both Helms, built if need be; or why there are none. */
export async function helmVersions (): Promise<HelmVersions> {
  const versions: Helm[] = []
  for (const name of ['helm3', 'helm4'] as const) {
    const built = await goTool(name)
    if (!built.ok) return built
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
export async function succeed (t: Test, helm: Helm, args: readonly string[], options: { readonly home: string }): Promise<string> {
  const { code, stdout, stderr } = await runHelm(helm, args, options)
  t.equal(code, 0, `helm ${args.slice(0, 2).join(' ')}`, { stderr })
  return stdout
}

/** Runs Helm with nothing but the folder `home` as its memory; it is also the working directory. */
export async function runHelm (helm: Helm, args: readonly string[], { home, env = {} }: { readonly home: string, readonly env?: Environment }): Promise<RunResult> {
  const places = { HOME: home, HELM_CACHE_HOME: join(home, 'cache'), HELM_CONFIG_HOME: join(home, 'config'), HELM_DATA_HOME: join(home, 'data') }
  return await run(helm.path, args, { cwd: home, env: { ...places, ...env } })
}
