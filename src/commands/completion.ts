// `chartgate completion`: what can come next, for bash, zsh and fish? Scripts that are made
// of the table of commands, and know nothing of their own.
import type { Command } from './command.ts'
import { OPTIONS, type OptionRow } from './options.ts'
import { COMMANDS, commandsBelow, type CommandRow } from './table.ts'

const SCRIPTS: Readonly<Record<string, () => string>> = { bash, zsh, fish }

export const COMPLETION: Command = {
  async run (_options, _env, io, words) {
    const [shell] = words as [string]
    const script = Object.hasOwn(SCRIPTS, shell) ? SCRIPTS[shell] : undefined
    if (script === undefined) {
      return { wrong: [`${JSON.stringify(shell)} is no shell that is known here: ${Object.keys(SCRIPTS).join(', ')}`] }
    }
    io.stdout(script())
    return 0
  }
}

const ROWS: readonly (readonly [name: string, OptionRow])[] = Object.entries(OPTIONS)

/** Options that something of this sort follows. */
function followedBy (sort: (row: OptionRow) => boolean): string[] {
  return ROWS.filter(([, row]) => sort(row)).map(([name]) => `--${name}`)
}

const isFile = ({ value }: OptionRow): boolean => value === 'FILE' || value === 'DIR'
const isText = (row: OptionRow): boolean => row.value !== undefined && row.oneOf === undefined && !isFile(row)
const CHOICES = ROWS.flatMap(([name, { oneOf }]) => oneOf === undefined ? [] : [{ name: `--${name}`, oneOf }])

const FIRST_WORDS = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0] as string))]
const GROUPS = FIRST_WORDS.filter(word => commandsBelow(word).length > 0)

/** The words of two that follow this one. */
function secondWords (first: string): string[] {
  return commandsBelow(first).map(({ name }) => name.slice(first.length + 1))
}

interface Next {
  /** What stands before. */
  readonly words: string
  /** What can follow, with blanks between. */
  readonly list: string
}

/** What can follow, the longest words first. */
function nexts (): readonly Next[] {
  const list = ({ name, choices = [], takes }: CommandRow): string => {
    const words = name === 'help' ? FIRST_WORDS : choices
    return [...words, ...takes.map(option => `--${option}`), '--help'].join(' ')
  }
  return [
    ...COMMANDS.map(row => ({ words: row.name, list: list(row) })),
    ...GROUPS.map(words => ({ words, list: [...secondWords(words), '--help'].join(' ') }))
  ]
}

function bash (): string {
  const choices = CHOICES.map(({ name, oneOf }) => `    ${name}) list='${oneOf.join(' ')}' ;;\n`)
  const words = nexts().map(({ words, list }) => `        '${words} '*) list='${list}' ;;\n`)
  return `# bash completion for chartgate: eval "$(chartgate completion bash)"
_chartgate () {
  local before="\${COMP_WORDS[*]:1:COMP_CWORD-1}" current="\${COMP_WORDS[COMP_CWORD]}" list=
  case "\${COMP_WORDS[COMP_CWORD-1]}" in
    ${followedBy(isFile).join('|')})
      compopt -o filenames 2> /dev/null
      local IFS=$'\\n'
      COMPREPLY=($(compgen -f -- "$current")); return ;;
${choices.join('')}    ${followedBy(isText).join('|')})
      COMPREPLY=(); return ;;
    *)
      case "$before " in
${words.join('')}        ' ') list='${FIRST_WORDS.join(' ')} --help --version' ;;
      esac ;;
  esac
  COMPREPLY=($(compgen -W "$list" -- "$current"))
}
complete -F _chartgate chartgate
`
}

function zsh (): string {
  const choices = CHOICES.map(({ name, oneOf }) => `    (${name}) compadd -- ${oneOf.join(' ')}; return ;;\n`)
  const words = nexts().map(({ words, list }) => `    ('${words} '*) compadd -- ${list} ;;\n`)
  return `#compdef chartgate
# zsh completion for chartgate: eval "$(chartgate completion zsh)", after compinit
_chartgate () {
  local before="\${(j: :)words[2,CURRENT-1]} "
  case "\${words[CURRENT-1]}" in
    (${followedBy(isFile).join('|')}) _files; return ;;
${choices.join('')}    (${followedBy(isText).join('|')}) return ;;
  esac
  case "$before" in
${words.join('')}    (' ') compadd -- ${FIRST_WORDS.join(' ')} --help --version ;;
  esac
}
compdef _chartgate chartgate
`
}

function fish (): string {
  return [
    '# fish completion for chartgate: chartgate completion fish | source',
    'complete -c chartgate -f',
    ...GROUPS.map(word => fishLine('__fish_use_subcommand', `-a ${word}`, `chartgate ${word} --help`)),
    ...COMMANDS.flatMap(fishLines),
    ''
  ].join('\n')
}

function fishLine (condition: string, what: string, says: string): string {
  return `complete -c chartgate -n '${condition}' ${what} -d '${says.replace(/['\\]/g, '\\$&')}'`
}

function fishLines ({ name, summary, choices = [], takes, words = [] }: CommandRow): string[] {
  const [first, second] = name.split(' ') as [string, string?]
  const none = second === undefined
    ? '__fish_use_subcommand'
    : `__fish_seen_subcommand_from ${first}; and not __fish_seen_subcommand_from ${secondWords(first).join(' ')}`
  const seen = name.split(' ').map(word => `__fish_seen_subcommand_from ${word}`).join('; and ')
  return [
    fishLine(none, `-a ${second ?? first}`, summary),
    ...choices.map(choice => fishLine(seen, `-a ${choice}`, words.join(' '))),
    ...takes.map(option => {
      const row: OptionRow = OPTIONS[option]
      return fishLine(seen, `-l ${option}${fishValue(row)}`, row.says)
    })
  ]
}

function fishValue (row: OptionRow): string {
  if (row.oneOf !== undefined) return ` -x -a '${row.oneOf.join(' ')}'`
  if (isFile(row)) return ' -r -F'
  return isText(row) ? ' -x' : ''
}
