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
import type { Written } from '../config/reloads.ts'
import { CLOCK } from '../lib/clock.ts'
import { createLive, type Live } from '../lib/live.ts'
import type { Change, LivePart, ReloadLog, ReloadOutcome, ReloadReport, ReloadStanding, Rereading } from './part.ts'
import { watchFiles, type Glance, type Stand, type Watch } from '../files/watch.ts'

export type LiveAuthority = Live<Authority>

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

/**
 * Reads the configuration again.
 * @param reader what reads files for a watch
 * @param held what was written in what the process goes by
 */
export type Reload = (reader: ConfigReader, held: Written) => Promise<ConfigResult>

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

export interface ConfigWatch extends Pick<Watch, 'close'> {
  /** Reads everything again, whether it has changed or not; what that has changed, and what is known then. */
  lookNow (): Promise<Rereading>
  /** What is known now. */
  standing (): ReloadStanding
}

/** Reads accounts and rules for the first time. */
export async function openAuthority (config: Config): Promise<OpenedAuthorityResult> {
  const stamps = await stampsOf([...configFiles(config), ...config.accounts.files])
  const loaded = await loadAuthority(config)
  return loaded.ok
    ? { ok: true, opened: { live: createLive(loaded.authority), stamps, warnings: loaded.warnings } }
    : loaded
}

const SOUND: ReloadOutcome = { changed: [], mistakes: [], again: false }

/** Keeps each part at what its files say. */
export function watchConfig (
  { parts, stamps, config: running, reload, log, report = () => {} }: WatchOptions
): ConfigWatch {
  const own = configFiles(running)
  let config = running
  let configOutcome = SOUND
  let later: readonly string[] = []
  let last: Change | undefined
  const outcomes = new Map(parts.map(part => [part, SOUND]))
  /** Of one look: what was read, and what of it was said. */
  const read: ReloadOutcome[] = []
  const said: string[] = []
  let saidLater: readonly string[] = []
  let changed: readonly string[] = []

  /** Says what cannot be used: once, unless somebody asks. */
  function say (outcome: ReloadOutcome, before: ReloadOutcome, asked: boolean): void {
    const { mistakes } = outcome
    read.push(outcome)
    if (!asked && isDeepStrictEqual(mistakes, before.mistakes)) return
    for (const mistake of mistakes) log.error({ mistake }, 'a changed file is not used')
    said.push(...mistakes)
  }

  function all (): ReloadOutcome[] {
    return [configOutcome, ...outcomes.values()]
  }

  function standing (): ReloadStanding {
    return { mistakes: all().flatMap(({ mistakes }) => mistakes), later, last }
  }

  /** Reports what one look has read. */
  function reportLook (): void {
    changed = [...new Set(read.flatMap(outcome => outcome.changed))]
    if (changed.length > 0) last = { time: CLOCK.wall(), changed }
    if (read.length > 0) {
      report({
        isInForce: read.every(({ mistakes, again }) => mistakes.length === 0 && !again),
        isSound: all().every(({ mistakes }) => mistakes.length === 0),
        mistakes: [...said],
        changed,
        later: isDeepStrictEqual(later, saidLater) ? [] : later,
        file: running.file
      })
    }
    saidLater = later
    read.length = 0
    said.length = 0
  }

  async function readConfig (reader: ConfigReader, asked: boolean): Promise<void> {
    const loaded = unlessEmptied(config, await reload(reader, config.written))
    const outcome = loaded.ok ? SOUND : { ...SOUND, mistakes: loaded.mistakes, again: loaded.again === true }
    say(outcome, configOutcome, asked)
    configOutcome = outcome
    if (!loaded.ok) return
    later = loaded.later ?? []
    config = loaded.config
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
    let seen: Stamps
    try {
      const everything = asked || (again && configOutcome.again) || own.some(file => changed.has(file))
      if (everything) await readConfig(reader, asked)
      seen = await readParts(glance, everything, reader)
    } finally {
      reader.close()
    }
    if (asked) saidLater = []
    reportLook()
    if (asked) log.info({ mistakes: standing().mistakes.length }, 'every file was read again, as was asked')
    return { stamps: seen, again: all().some(outcome => outcome.again) }
  }

  const { lookNow, close } = watchFiles(stamps, look)
  return {
    close,
    standing,
    async lookNow () {
      await lookNow()
      return { changed, ...standing() }
    }
  }
}

/**
 * A file that says nothing any more is one that somebody is writing, or could not write: its
 * defaults have no rule and no token of the admin listener. Who means them writes `{}`.
 */
function unlessEmptied (before: Config, loaded: ConfigResult): ConfigResult {
  if (!loaded.ok || before.isBlank || !loaded.config.isBlank) return loaded
  return { ok: false, mistakes: [`${before.file}: the file is empty: write {} into it if the defaults are meant`] }
}

/** What the configuration itself is read from. */
function configFiles ({ file, secretFiles }: Pick<Config, 'file' | 'secretFiles'>): string[] {
  return [...file === undefined ? [] : [file], ...secretFiles]
}
