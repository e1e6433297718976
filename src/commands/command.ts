// What a command is: options and an environment in, text and an exit code out.
import type { Environment } from '../config/environment.ts'

export interface Io {
  readonly stdout: (text: string) => void
  readonly stderr: (text: string) => void
  /**
   * A secret: typed without an echo where there is a terminal, else all of standard input
   * without its last line end.
   */
  readonly readSecret: (prompt: string) => Promise<string>
}

/** 0 done, 1 a mistake of the caller's, 2 wrong usage, 3 `explain` says denied. */
export type ExitCode = 0 | 1 | 2 | 3

/** Options that are missing or have no sense; the usage follows them on the screen. */
export interface WrongUsage { readonly wrong: readonly string[] }

/** Every option with a text that some command takes. */
export const OPTIONS = [
  'config', 'out', 'dir', 'port', 'depth', 'public-key', 'as', 'token', 'expires', 'file', 'alg'
] as const
/** Those that are there or not. */
export const FLAGS = ['charts', 'upstream'] as const
type Flag = typeof FLAGS[number]
export type Option = typeof OPTIONS[number] | Flag
export type Options = Readonly<Partial<Record<typeof OPTIONS[number], string> & Record<Flag, boolean>>>

export interface Command {
  /** What it takes; anything else is wrong usage. */
  readonly takes: readonly Option[]
  /** The words that follow its name, each of them needed. */
  readonly words?: readonly string[]
  run (options: Options, env: Environment, io: Io, words: readonly string[]): Promise<ExitCode | WrongUsage>
}

/** One line on standard error; what the caller can put right is exit code 1. */
export function fail (io: Io, ...messages: readonly string[]): ExitCode {
  for (const message of messages) io.stderr(`chartgate: ${message}\n`)
  return 1
}
