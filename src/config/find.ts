// Which configuration file is read? The one that is named, by --config or CHARTGATE_CONFIG;
// else chartgate.yaml in the working directory, if nobody else can have written it; else the
// one of the whole system. It is decided once, and a reload keeps to it.
import { lstat, stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import type { Environment } from './environment.ts'

export interface FoundConfig {
  /** Undefined: there is none, and defaults and environment alone hold. */
  readonly file: string | undefined
  /** What was passed over, why, and what to do; one line each. */
  readonly passedOver: readonly string[]
}

/** Where one is looked for that nobody named, and by whom. */
export interface Whereabouts {
  /** In the working directory. */
  readonly local: string
  readonly system: string
  /** The user that this process is; undefined where the system has none. */
  readonly user: number | undefined
}

const HERE = (): Whereabouts => ({
  local: resolve('chartgate.yaml'),
  system: '/etc/chartgate/chartgate.yaml',
  user: process.geteuid?.()
})

/** @param named the value of --config */
export async function findConfig (
  named: string | undefined,
  env: Environment,
  { local, system, user }: Whereabouts = HERE()
): Promise<FoundConfig> {
  // A variable that is set to nothing counts as not set, as in a shell.
  const file = named ?? (env['CHARTGATE_CONFIG'] || undefined)
  if (file !== undefined) return { file, passedOver: [] }
  const isThere = async (path: string): Promise<boolean> => await lstat(path).then(() => true, () => false)
  const fault = await isThere(local) ? await distrust(local, user) : 'missing'
  if (fault === undefined) return { file: local, passedOver: [] }
  const passedOver = fault === 'missing' ? [] : [`${local} is passed over: ${fault}, or name it with --config`]
  return { file: await isThere(system) ? system : undefined, passedOver }
}

/** Why a file that nobody named is not read, and what to do; undefined when it is. */
async function distrust (file: string, user: number | undefined): Promise<string | undefined> {
  // A link is as much somebody's as the file: who made it chose what is read.
  for (const look of [lstat, stat]) {
    const found = await look(file).catch((error: unknown) => String((error as NodeJS.ErrnoException).code))
    if (typeof found === 'string') return `it cannot be read (${found}): put it right`
    const { uid, mode } = found
    if (user !== undefined && uid !== user && uid !== 0) {
      return `it belongs to user ${uid}, and this is user ${user}: chown it`
    }
    // Of a link the system does not look at the mode.
    if (!found.isSymbolicLink() && (mode & 0o022) !== 0) {
      return `others can write it (mode ${(mode & 0o777).toString(8)}): chmod go-w it`
    }
  }
  return undefined
}

/** For people: which one was read. */
export function nameOfConfig (file: string | undefined): string {
  return file === undefined ? 'no configuration file: defaults' : `configuration file ${file}`
}
