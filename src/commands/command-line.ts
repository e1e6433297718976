// What did somebody type? A command with options and words that it takes, a question that
// the command line answers by itself (help, version), or what is wrong with it.
import { parseArgs } from 'node:util'
import { nearest } from '../files/mistakes.ts'
import { VERSION } from '../lib/version.ts'
import { helpOf, helpOfGroup, overview } from './help.ts'
import { OPTIONS, optionRow, type Options } from './options.ts'
import { COMMANDS, commandOf, commandsBelow, type CommandRow } from './table.ts'

export type CommandLine =
  | {
    readonly kind: 'run'
    readonly row: CommandRow
    readonly options: Options
    /** Those behind the command's name. */
    readonly words: readonly string[]
  }
  | { readonly kind: 'shown', readonly text: string }
  | WrongLine

interface WrongLine {
  readonly kind: 'wrong'
  /** A line each. */
  readonly wrong: readonly string[]
  /** The command that says how it is done right. */
  readonly help: string
}

interface GivenOption {
  readonly name: string
  /** As it was typed. */
  readonly rawName: string
  readonly value?: string | undefined
  readonly inlineValue?: boolean | undefined
}

/** Reads what follows the program's name. Pure: nothing is loaded or printed. */
export function readCommandLine (argv: readonly string[]): CommandLine {
  const { given, words } = tokensOf(argv)
  const [first] = words
  if (first === 'help' || given.some(({ name }) => name === 'help')) {
    return helpAbout(first === 'help' ? words.slice(1) : words)
  }
  if (words.join(' ') === 'version' || (first === undefined && given.some(({ name }) => name === 'version'))) {
    return { kind: 'shown', text: `chartgate ${VERSION}\n` }
  }
  const row = commandOf(words)
  if (row === undefined) return unknown(words, given)
  const rest = words.slice(row.name.split(' ').length)
  const wrong = optionMistakes(given, row)
  const mistakes = wrong.length > 0 ? wrong : wordMistakes(rest, row)
  if (mistakes.length > 0) return { kind: 'wrong', wrong: mistakes, help: helpCommand(row) }
  const options = Object.fromEntries(given.map(({ name, value }) => [name, value ?? true])) as Options
  return { kind: 'run', row, options, words: rest }
}

/** How to see the help of a command. */
export function helpCommand ({ name }: CommandRow): string {
  return `chartgate ${name} --help`
}

/** parseArgs says in words of its own what is wrong, and not to whom; it is asked for the pieces alone. */
function tokensOf (argv: readonly string[]): { readonly given: readonly GivenOption[], readonly words: string[] } {
  const known = Object.entries(OPTIONS).map(([name, row]) => [name, { type: 'value' in row ? 'string' : 'boolean' }])
  const { tokens } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    strict: false,
    tokens: true,
    options: {
      ...Object.fromEntries(known) as Record<string, { type: 'string' | 'boolean' }>,
      help: { type: 'boolean', short: 'h' },
      version: { type: 'boolean' }
    }
  })
  return {
    given: tokens.filter(token => token.kind === 'option'),
    words: tokens.flatMap(token => token.kind === 'positional' ? token.value : [])
  }
}

function helpAbout (words: readonly string[]): CommandLine {
  const [first] = words
  if (first === undefined) return { kind: 'shown', text: overview() }
  const row = commandOf(words)
  if (row !== undefined) return { kind: 'shown', text: helpOf(row) }
  const below = commandsBelow(first)
  return words.length === 1 && below.length > 0
    ? { kind: 'shown', text: helpOfGroup(first, below) }
    : unknown(words, [])
}

/** What was probably meant, where no command was named. */
function unknown (words: readonly string[], options: readonly GivenOption[]): WrongLine {
  const help = 'chartgate --help'
  const stray = options.find(({ name }) => optionRow(name) === undefined)
  if (stray !== undefined) return { kind: 'wrong', wrong: [`there is no option ${stray.rawName}${hint(stray)}`], help }
  const [first] = words
  if (first === undefined) {
    return { kind: 'wrong', wrong: ['no command: say what to do, for example chartgate serve'], help }
  }
  const below = commandsBelow(first)
  if (below.length > 0 && words.length === 1) {
    const names = below.map(({ name }) => name)
    const wrong = [`${first} needs one more word: ${names.join(' or ')}`]
    return { kind: 'wrong', wrong, help: `chartgate ${first} --help` }
  }
  const near = nearest(words.slice(0, 2).join(' '), COMMANDS.map(({ name }) => name)) ??
    nearest(first, COMMANDS.map(({ name }) => name))
  const meant = near === undefined ? '' : `: did you mean ${near}?`
  return { kind: 'wrong', wrong: [`there is no command ${words.slice(0, 2).join(' ')}${meant}`], help }
}

function optionMistakes (given: readonly GivenOption[], { name: command, takes }: CommandRow): string[] {
  return given.flatMap(option => {
    const { name, rawName, value, inlineValue } = option
    const taken = takes.find(each => each === name)
    if (taken === undefined) return [`${command} takes no ${rawName}${hint(option, takes)}`]
    const needs = optionRow(name)?.value
    if (needs === undefined) return inlineValue === true ? [`${rawName} takes nothing behind it`] : []
    if (value === undefined) return [`${rawName} needs ${needs} behind it`]
    return inlineValue === false && /^-./.test(value)
      ? [`${rawName} needs ${needs} behind it, and ${value} looks like an option: ${rawName}=${value} if that is meant`]
      : []
  })
}

/** An option with a name that is nearly this one. */
function hint ({ name }: GivenOption, names: readonly string[] = Object.keys(OPTIONS)): string {
  const near = nearest(name, names)
  return near === undefined ? '' : `: did you mean --${near}?`
}

function wordMistakes (given: readonly string[], { name, words = [], orNoWords, manyWords }: CommandRow): string[] {
  const isMore = manyWords === true && given.length > words.length
  if (isMore || given.length === words.length || (orNoWords === true && given.length === 0)) return []
  const takes = words.length === 0 ? 'no more words' : words.join(' ')
  // They are not said again: one may be a password or a token, which belongs on standard input.
  const there = given.length === 0 ? '' : `, and ${given.length} ${given.length === 1 ? 'is' : 'are'} there`
  return [`${name} takes ${takes}${there}`]
}
