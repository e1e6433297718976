// What does help say? The list of all commands, of those that share a first word, and one
// screen for each: usage, options, an example.
import { EXIT_CODES } from './command.ts'
import { OPTIONS, type OptionRow } from './options.ts'
import { COMMANDS, type CommandRow } from './table.ts'

/** What `chartgate --help` prints. */
export function overview (): string {
  const codes = Object.entries(EXIT_CODES).map(([code, meaning]) => `  ${code}  ${meaning}`)
  return 'usage: chartgate COMMAND [OPTIONS]\n\n' +
    `${listed(COMMANDS)}\n` +
    `exit codes:\n${codes.join('\n').replaceAll('`', '')}\n\n` +
    'chartgate help COMMAND says more of one, with an example; docs/commands.md has them all.\n'
}

/** What `chartgate COMMAND --help` prints. */
export function helpOf (row: CommandRow): string {
  const { name, summary, takes, more = [], examples } = row
  const width = Math.max(...takes.map(option => optionWords(option).length), 0)
  const options = takes.map(option => `  ${optionWords(option).padEnd(width)}  ${OPTIONS[option].says}\n`)
  return `chartgate ${name}: ${summary}\n\n` +
    `usage: ${usageOf(row)}\n` +
    paragraph(options.join('')) +
    paragraph(more.map(line => `${line}\n`).join('')) +
    `\n${examples.length === 1 ? 'example' : 'examples'}:\n${examples.map(each => `  ${each}\n`).join('')}`
}

/** What `chartgate robot --help` prints. */
export function helpOfGroup (word: string, rows: readonly CommandRow[]): string {
  return `usage: chartgate ${word} COMMAND [OPTIONS]\n\n${listed(rows)}\n` +
    `chartgate help ${word} COMMAND says more of one, with an example.\n`
}

function listed (rows: readonly CommandRow[]): string {
  const width = Math.max(...rows.map(({ name }) => name.length))
  return rows.map(({ name, summary }) => `  ${name.padEnd(width)}  ${summary}\n`).join('')
}

function usageOf ({ name, words = [], orNoWords, manyWords, takes }: CommandRow): string {
  const all = manyWords === true ? `${words.join(' ')}...` : words.join(' ')
  const shownWords = orNoWords === true ? [`[${all}]`] : [all].filter(each => each !== '')
  return ['chartgate', name, ...shownWords, ...takes.map(option => `[${optionWords(option)}]`)].join(' ')
}

function optionWords (option: keyof typeof OPTIONS): string {
  const { value }: OptionRow = OPTIONS[option]
  return value === undefined ? `--${option}` : `--${option} ${value}`
}

function paragraph (text: string): string {
  return text === '' ? '' : `\n${text}`
}
