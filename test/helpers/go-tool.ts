// Programs that are had from Go: the `tool` that test/clients/<name>/go.mod pins, or the
// one that lies beside it, built once for each machine.
import { createHash } from 'node:crypto'
import { access, mkdir, readdir, readFile, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { basename, join } from 'node:path'
import { ROOT, findProgram, run } from './processes.ts'

/** Folders of test/clients. */
export type GoToolName = 'helm3' | 'helm4' | 'oras' | 'compose' | 'scalars' | 'loader' | 'kubernetes' | 'conformance' | 'crane' | 'flux' | 'cosign'

export type GoTool =
  | { readonly ok: true, /** the binary */ readonly path: string }
  | { readonly ok: false, readonly reason: string }

/** Milliseconds for a test file that may have to build with cold caches. */
export const BUILD_LIMIT = 20 * 60_000

/** The program, built if need be; or why there is none. */
export async function goTool (name: GoToolName): Promise<GoTool> {
  return await goToolOf(`test/clients/${name}`)
}

/** The same for another folder of the project with a go.mod. */
export async function goToolOf (place: string): Promise<GoTool> {
  const module = join(ROOT, place)
  const name = basename(place)
  const sources = (await readdir(module)).sort()
  const hash = createHash('sha256').update(Buffer.concat(await Promise.all(sources.map(async file => await readFile(join(module, file)))))).digest('hex').slice(0, 16)
  const folder = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'chartgate-test-clients', hash)
  const path = join(folder, name)
  if (await access(path).then(() => true, () => false)) return { ok: true, path }
  if (await findProgram('go') === undefined) return { ok: false, reason: 'Go is not installed' }
  await mkdir(folder, { recursive: true })
  // Two test files may build at once: whoever comes last renames the same thing again.
  const temporary = `${path}.${process.pid}.tmp`
  const built = await run('go', ['build', '-o', temporary, 'tool'], { cwd: module, env: process.env as Record<string, string> })
  if (built.code !== 0) {
    await rm(temporary, { force: true })
    return { ok: false, reason: `go build of ${name} failed: ${built.stderr.trim().split('\n').at(-1) ?? ''}` }
  }
  await rename(temporary, path)
  return { ok: true, path }
}
