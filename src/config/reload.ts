// What happens when somebody changes a file of a running gateway? The part that it is
// for — accounts and rules, or keys — is read again and takes the place of what was in
// force as a whole, or not at all: a broken file leaves the old part, and says so in the
// log. Parts do not wait for each other: a key that cannot be read keeps no account in.
import { isDeepStrictEqual } from 'node:util'
import { loadAuthority, type Authority } from './authority.ts'
import type { ConfigResult } from './load.ts'
import type { Config } from './schema.ts'
import { stampsOf, watchFiles, type Stamps, type Watch } from './watch.ts'

/** What is in force; whoever asks reads `current` anew for each request. */
export interface Live<T> { current: T }
export type LiveAuthority = Live<Authority>

export interface ReloadLog {
  info (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

/** Something that is read from files, and swapped whole. */
export interface Part {
  /** The files, as this configuration names them. */
  files (config: Config): Promise<readonly string[]>
  /** Reads them and puts what they say in force; one line for each mistake, after which the old stays. */
  load (config: Config, log: ReloadLog): Promise<readonly string[]>
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

export interface WatchOptions {
  readonly parts: readonly Part[]
  /** Of the files of all parts, taken before they were read. */
  readonly stamps: Stamps
  /** What the process runs with. */
  readonly config: Config
  readonly reload: () => Promise<ConfigResult>
  readonly log: ReloadLog
}

/** Reads accounts and rules for the first time. */
export async function openAuthority (config: Config): Promise<OpenedAuthorityResult> {
  const stamps = await stampsOf([...configFile(config), ...config.accounts.files])
  const loaded = await loadAuthority(config)
  return loaded.ok ? { ok: true, opened: { live: { current: loaded.authority }, stamps, warnings: loaded.warnings } } : loaded
}

/** Accounts and rules, as a part that can be read again. */
export function authorityPart (live: LiveAuthority): Part {
  return {
    files: async ({ accounts }) => accounts.files,
    async load (config, log) {
      const loaded = await loadAuthority(config)
      if (!loaded.ok) return loaded.mistakes
      live.current = loaded.authority
      const { users, robots } = loaded.authority.accounts
      log.info({ users: users.size, robots: robots.size, rules: config.policy.length }, 'accounts and rules were read again')
      for (const warning of loaded.warnings) log.warn({ warning }, 'a rule may not mean what it says')
      return []
    }
  }
}

/** Keeps each part at what its files say. */
export function watchConfig ({ parts, stamps, config, reload, log }: WatchOptions): Watch {
  let files: readonly string[] = [...stamps.keys()]

  function report (mistakes: readonly string[]): void {
    for (const mistake of mistakes) log.error({ mistake }, 'a changed file is not used')
  }

  return watchFiles(stamps, async changed => {
    const loaded = await reload()
    if (!loaded.ok) {
      report(loaded.mistakes)
      return files
    }
    const own = configFile(loaded.config)
    const everything = own.some(file => changed.has(file))
    const named = [...own]
    for (const part of parts) {
      const its = await part.files(loaded.config)
      if (everything || its.some(file => changed.has(file))) report(await part.load(loaded.config, log))
      named.push(...its)
    }
    const later = needRestart(config, loaded.config)
    if (everything && later.length > 0) log.warn({ keys: later }, 'these changed keys take effect at the next start')
    files = named
    return files
  })
}

function configFile ({ file }: Config): string[] {
  return file === undefined ? [] : [file]
}

function needRestart (running: Config, changed: Config): string[] {
  const [before, after] = [fixed(running), fixed(changed)]
  return Object.keys(after).filter(key => !isDeepStrictEqual(before[key], after[key]))
}

/** What stays as it was at the start: everything that no part takes over. */
function fixed ({ accounts, policy, tokens: { keys, issuers, ...tokens }, ...rest }: Config): Readonly<Record<string, unknown>> {
  return { ...rest, tokens }
}
