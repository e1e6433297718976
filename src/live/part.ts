// What is a part of what is read again, and what is said of a reading? The words that the
// watch (reload.ts) and each part share.
import type { ConfigReader } from '../config/reading.ts'
import type { Config } from '../config/schema.ts'
import type { Stamps } from '../files/files.ts'
import { withoutValues } from '../files/mistakes.ts'
import type { Check } from '../observe/checks.ts'

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
  /** What is another than before, by the keys of the configuration that it is of. */
  readonly changed: readonly string[]
  /** What cannot be used, one line each. */
  readonly mistakes: readonly string[]
  /** Another try may do. */
  readonly again: boolean
}

/** What is known when everything that changed was read. */
export interface ReloadStanding {
  /** All that cannot be used, one line each. */
  readonly mistakes: readonly string[]
  /** Keys that are written otherwise than they are here: a restart alone applies them. */
  readonly later: readonly string[]
  /** The last change that was put in force; undefined: none since the start. */
  readonly last: Change | undefined
}

/**
 * For /readyz?verbose: what cannot be used, without what somebody wrote (whoever asks need
 * not be who may read the files), and what waits for a restart. Neither hinders anything.
 */
export function standingCheck (standing: () => ReloadStanding): Check {
  return {
    name: 'configuration',
    hinders: false,
    async look () {
      const { mistakes, later } = standing()
      const waiting = later.length === 0 ? [] : [`restart to apply: ${later.join(', ')}`]
      return [...mistakes.map(withoutValues), ...waiting]
    }
  }
}

export interface Change {
  /** Seconds since the epoch. */
  readonly time: number
  /** Keys of the configuration that it is of. */
  readonly changed: readonly string[]
}

/** What came of a look that somebody asked for. */
export interface Rereading extends ReloadStanding, Pick<Change, 'changed'> {}

/** What became of files that were read again. */
export interface ReloadFacts {
  /** All that was read in this look is in force. */
  readonly isInForce: boolean
  /** So is all that the files say. */
  readonly isSound: boolean
  /** What is not used and was not said before, one line each. */
  readonly mistakes: readonly string[]
  /** What is put in force. */
  readonly changed: readonly string[]
  /** Keys that only a restart applies, where they were not said before. */
  readonly later: readonly string[]
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
