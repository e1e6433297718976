// What happens when somebody changes accounts or rules of a running gateway? Everything
// is read again and takes the place of what was in force, or nothing does: a broken file
// leaves the old one, and says so in the log.
import { isDeepStrictEqual } from 'node:util'
import { loadAuthority, type Authority } from './authority.ts'
import type { ConfigResult } from './load.ts'
import type { Config } from './schema.ts'
import { stampsOf, watchFiles, type Stamps, type Watch } from './watch.ts'

/** What is in force; whoever asks reads `current` anew for each request. */
export interface LiveAuthority { current: Authority }

export interface ReloadLog {
  info (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

/** What a start opens, for the watch that follows it. */
export interface OpenedAuthority {
  readonly live: LiveAuthority
  /** Of the files, taken before they were read. */
  readonly stamps: Stamps
  /** One line each. */
  readonly warnings: readonly string[]
}

export type OpenedAuthorityResult =
  | { readonly ok: true, readonly opened: OpenedAuthority }
  | { readonly ok: false, /** one line each */ readonly mistakes: readonly string[] }

export interface WatchOptions extends Pick<OpenedAuthority, 'live' | 'stamps'> {
  /** What the process runs with. */
  readonly config: Config
  readonly reload: () => Promise<ConfigResult>
  readonly log: ReloadLog
}

/** Keys that take effect without a restart. */
const LIVE_KEYS: ReadonlySet<string> = new Set<keyof Config>(['accounts', 'policy'])

/** The files that accounts and rules come from. */
function filesOf ({ file, accounts }: Config): readonly string[] {
  return [...(file === undefined ? [] : [file]), ...accounts.files]
}

/** Reads accounts and rules for the first time. */
export async function openAuthority (config: Config): Promise<OpenedAuthorityResult> {
  const stamps = await stampsOf(filesOf(config))
  const loaded = await loadAuthority(config)
  return loaded.ok ? { ok: true, opened: { live: { current: loaded.authority }, stamps, warnings: loaded.warnings } } : loaded
}

/** Keeps `live` at what the files say. */
export function watchAuthority ({ live, config, reload, log, stamps }: WatchOptions): Watch {
  let files = filesOf(config)

  function keepOld (mistakes: readonly string[]): readonly string[] {
    for (const mistake of mistakes) log.error({ mistake }, 'a changed file is not used')
    return files
  }

  return watchFiles(stamps, async () => {
    const loaded = await reload()
    if (!loaded.ok) return keepOld(loaded.mistakes)
    const authority = await loadAuthority(loaded.config)
    if (!authority.ok) return keepOld(authority.mistakes)
    live.current = authority.authority
    files = filesOf(loaded.config)
    log.info({ users: authority.authority.accounts.users.size, robots: authority.authority.accounts.robots.size, rules: loaded.config.policy.length }, 'accounts and rules were read again')
    for (const warning of authority.warnings) log.warn({ warning }, 'a rule may not mean what it says')
    const later = needRestart(config, loaded.config)
    if (later.length > 0) log.warn({ keys: later }, 'these changed keys take effect at the next start')
    return files
  })
}

function needRestart (running: Config, changed: Config): string[] {
  return Object.keys(changed).filter(key => !LIVE_KEYS.has(key) && !isDeepStrictEqual(running[key as keyof Config], changed[key as keyof Config]))
}
