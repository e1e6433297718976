// What a command is: options, words and an environment in, text and an exit code out.
import type { Readable } from 'node:stream'
import type { Environment } from '../config/environment.ts'
import type { Options } from './options.ts'

/** A secret that was read, or in a sentence why there is none. */
export type ReadSecret =
  | { readonly ok: true, readonly secret: string }
  | { readonly ok: false, readonly message: string }

export interface Io {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /**
   * A secret: typed without an echo where there is a terminal, else all of standard input
   * without its last line end.
   * @param again at a terminal it is asked for once more with this, and has to be the same
   */
  readonly readSecret: (prompt: string, again?: string) => Promise<ReadSecret>
  /** Standard input as it is; left out where a person sits there. */
  readonly input?: () => Readable
  /** A line that somebody types, undefined when they go away; left out where nobody sits at a terminal. */
  readonly ask?: (prompt: string) => Promise<string | undefined>
}

/** What each exit code means, of all commands. */
export const EXIT_CODES = {
  0: 'done',
  1: 'it could not be done, and a line on standard error says why',
  2: 'wrong usage: a line on standard error says what, and which help to ask for',
  3: '`explain` says denied'
} as const

export type ExitCode = keyof typeof EXIT_CODES

/** Options or words that are missing or have no sense, a line each. */
export interface WrongUsage { readonly wrong: readonly string[] }

export interface Command {
  /** @param words those behind its name, as many as its row in the table says */
  run (options: Options, env: Environment, io: Io, words: readonly string[]): Promise<ExitCode | WrongUsage>
}

/** One line each on standard error; what the caller can put right is exit code 1. */
export function fail (io: Io, ...messages: readonly string[]): ExitCode {
  for (const message of messages) io.stderr(`chartgate: ${message}\n`)
  return 1
}

/** A value for programs, on standard output. */
export function printJson (io: Io, value: unknown): void {
  io.stdout(`${JSON.stringify(value, undefined, 2)}\n`)
}

/** Rows in columns below a head, each as wide as it has to be. */
export function printTable (io: Io, rows: readonly [readonly string[], ...(readonly string[])[]]): void {
  const widths = rows[0].map((_, i) => Math.max(...rows.map(row => (row[i] as string).length)))
  for (const row of rows) io.stdout(`${row.map((cell, i) => cell.padEnd(widths[i] as number)).join('  ').trimEnd()}\n`)
}
