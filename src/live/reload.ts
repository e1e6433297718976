// What happens when somebody changes a file of a running gateway? The parts that it is for
// — accounts and rules, keys — are read again. Parts do not wait for each other: a key that
// cannot be read keeps no account in, and while the configuration cannot be used they go by
// the one before it. What cannot be used is said once, and tried again where that may help.
import { isDeepStrictEqual } from 'node:util'
import { loadAuthority, type Authority } from './authority.ts'
import { stampsOf, type Stamps } from '../files/files.ts'
import type { ConfigResult } from '../config/load.ts'
import { openReader, type ConfigReader } from '../config/reading.ts'
import type { Config } from '../config/schema.ts'
import { createLive, type Live } from '../lib/live.ts'
import { watchFiles, type Glance, type Stand, type Watch } from '../files/watch.ts'

export type LiveAuthority = Live<Authority>

export interface ReloadLog {
  info (fields: object, message: string): void
  warn (fields: object, message: string): void
  error (fields: object, message: string): void
}

/** What a part is to read. */
export interface Look {
  /** The newest configuration that could be used. */
  readonly config: Config
  /** True while that is what its file says. */
  readonly sound: boolean
  /** Of every file that is watched, taken before the part is read. */
  readonly stamps: Stamps
  /** Everything is to be read, also what seems to be as it was. */
  readonly asked: boolean
  readonly reader: ConfigReader
}

export interface ReloadOutcome {
  /** What cannot be used, one line each. */
  readonly mistakes: readonly string[]
  /** Another try may do. */
  readonly again: boolean
}

/** What became of files that were read again. */
export interface ReloadFacts {
  /** All that was read in this look is in force. */
  readonly isInForce: boolean
  /** So is all that the files say. */
  readonly isSound: boolean
  /** What is not used and was not said before, one line each. */
  readonly mistakes: readonly string[]
  /** The configuration's own file; undefined: there is none. */
  readonly file: string | undefined
}

export type ReloadReport = (facts: ReloadFacts) => void

/** Something that is read from files. */
export interface LivePart {
  /** The files, as this configuration names them. */
  files (config: Config): Promise<readonly string[]>
  /** Reads them and puts what they say in force, as far as it can be used. */
  load (look: Look, log: ReloadLog): Promise<ReloadOutcome>
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

/** Reads the configuration again. @param reader what reads files for a watch */
export type Reload = (reader: ConfigReader) => Promise<ConfigResult>

export interface WatchOptions {
  readonly parts: readonly LivePart[]
  /** Of the files of all parts, taken before they were read. */
  readonly stamps: Stamps
  /** What the process runs with. */
  readonly config: Config
  readonly reload: Reload
  readonly log: ReloadLog
  /** Hears of each time that something was read. */
  readonly report?: ReloadReport | undefined
}

export interface ConfigWatch extends Watch {
  /** The newest configuration that could be used, and of all files, if all of them could, what they were then. */
  newest (): { readonly config: Config, readonly stamps?: Stamps }
}

/** Reads accounts and rules for the first time. */
export async function openAuthority (config: Config): Promise<OpenedAuthorityResult> {
  const stamps = await stampsOf([...configFile(config), ...config.accounts.files])
  const loaded = await loadAuthority(config)
  return loaded.ok
    ? { ok: true, opened: { live: createLive(loaded.authority), stamps, warnings: loaded.warnings } }
    : loaded
}

const SOUND: ReloadOutcome = { mistakes: [], again: false }

/** Keeps each part at what its files say. */
export function watchConfig (
  { parts, stamps, config: running, reload, log, report = () => {} }: WatchOptions
): ConfigWatch {
  const own = configFile(running)
  let config = running
  let known = stamps
  let configOutcome = SOUND
  /** Keys of the configuration that are others than at the start. */
  let later: readonly string[] = []
  const outcomes = new Map(parts.map(part => [part, SOUND]))
  /** Of one look: what was read, and what of it was said. */
  const read: ReloadOutcome[] = []
  const said: string[] = []

  /** Says what cannot be used: once, unless somebody asks. */
  function say (outcome: ReloadOutcome, before: ReloadOutcome, asked: boolean): void {
    const { mistakes } = outcome
    read.push(outcome)
    if (!asked && isDeepStrictEqual(mistakes, before.mistakes)) return
    for (const mistake of mistakes) log.error({ mistake }, 'a changed file is not used')
    said.push(...mistakes)
  }

  /** Reports what one look has read. */
  function reportLook (): void {
    if (read.length === 0) return
    report({
      isInForce: read.every(({ mistakes, again }) => mistakes.length === 0 && !again),
      isSound: [configOutcome, ...outcomes.values()].every(({ mistakes }) => mistakes.length === 0),
      mistakes: [...said],
      file: running.file
    })
    read.length = 0
    said.length = 0
  }

  async function readConfig (reader: ConfigReader, asked: boolean): Promise<void> {
    const loaded = await reload(reader)
    const outcome = loaded.ok ? SOUND : { mistakes: loaded.mistakes, again: loaded.again === true }
    say(outcome, configOutcome, asked)
    configOutcome = outcome
    if (!loaded.ok) return
    later = needRestart(running, loaded.config)
    // Keys lie where they lay at the start, and live as long.
    config = {
      ...loaded.config,
      stateDir: running.stateDir,
      tokens: { ...loaded.config.tokens, ttl: running.tokens.ttl }
    }
  }

  async function readParts (glance: Glance, everything: boolean, reader: ConfigReader): Promise<Stamps> {
    const { changed, again, asked } = glance
    let stamps: Stamps = new Map([...glance.stamps, ...reader.stamps])
    const named = [...own]
    for (const part of parts) {
      const its = await part.files(config)
      const before = outcomes.get(part) as ReloadOutcome
      // A file that is new here has to be known before it is read.
      stamps = new Map([...await stampsOf(its.filter(file => !stamps.has(file))), ...stamps])
      named.push(...its)
      if (!(everything || (again && before.again) || its.some(file => changed.has(file)))) continue
      const sound = configOutcome.mistakes.length === 0
      const outcome = await part.load({ config, sound, stamps, asked, reader }, log)
      say(outcome, before, asked)
      outcomes.set(part, outcome)
    }
    return new Map(named.map(file => [file, reader.stamps.get(file) ?? stamps.get(file) as string]))
  }

  async function look (glance: Glance): Promise<Stand> {
    const { changed, again, asked } = glance
    const reader = openReader()
    try {
      const everything = asked || (again && configOutcome.again) || own.some(file => changed.has(file))
      if (everything) await readConfig(reader, asked)
      known = await readParts(glance, everything, reader)
      if (everything && configOutcome === SOUND && later.length > 0) {
        log.warn({ keys: later }, 'these changed keys take effect at the next start')
      }
    } finally {
      reader.close()
    }
    reportLook()
    const all = [configOutcome, ...outcomes.values()]
    if (asked) {
      const mistakes = all.flatMap(outcome => outcome.mistakes).length
      log.info({ mistakes }, 'every file was read again, as was asked')
    }
    return { stamps: known, again: all.some(outcome => outcome.again) }
  }

  return {
    ...watchFiles(stamps, look),
    newest () {
      const isWhole = [configOutcome, ...outcomes.values()]
        .every(({ mistakes, again }) => mistakes.length === 0 && !again)
      return { config, ...(isWhole ? { stamps: known } : {}) }
    }
  }
}

function configFile ({ file }: Pick<Config, 'file'>): string[] {
  return file === undefined ? [] : [file]
}

function needRestart (running: Config, changed: Config): string[] {
  const [before, after] = [fixed(running), fixed(changed)]
  return Object.keys(after).filter(key => !isDeepStrictEqual(before[key], after[key]))
}

/** What stays as it was at the start: everything that no part takes over. */
function fixed (
  { accounts, policy, identity, tokens: { keys, issuers, ...tokens }, ...rest }: Config
): Readonly<Record<string, unknown>> {
  return { ...rest, tokens }
}
