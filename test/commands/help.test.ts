import t from 'tap'
import { helpOf, helpOfGroup, overview } from '../../src/commands/help.ts'
import { OPTIONS } from '../../src/commands/options.ts'
import { readCommandLine } from '../../src/commands/command-line.ts'
import { COMMANDS, commandsBelow } from '../../src/commands/table.ts'

const LINES_OF_A_SCREEN = 24
const COLUMNS = 110

void t.test('the help of each command is one screen, with all that it takes and examples that are right', t => {
  for (const row of COMMANDS) {
    const text = helpOf(row)
    const lines = text.split('\n')
    t.ok(lines.length <= LINES_OF_A_SCREEN, `${row.name}: ${lines.length} lines`)
    t.ok(lines.every((line, i) => line.length <= COLUMNS || i === 2), `${row.name} is not wide`)
    t.match(text, `chartgate ${row.name}: ${row.summary}\n`)
    for (const option of row.takes) t.match(text, OPTIONS[option].says)
    for (const example of row.examples) {
      const command = /(?:^|[|(] ?)chartgate ([^)|#]*)/.exec(example)?.[1]?.trim() ?? ''
      t.notMatch(readCommandLine(command.split(/\s+/)), { kind: 'wrong' }, example)
    }
  }
  t.end()
})

void t.test('usage says what follows a command', t => {
  const usage = (name: string): string | undefined => helpOf(COMMANDS.find(row => row.name === name) as typeof COMMANDS[number]).split('\n')[2]
  t.equal(usage('version'), 'usage: chartgate version')
  t.equal(usage('robot create'), 'usage: chartgate robot create NAME [--expires TIME] [--groups GROUPS] [--file FILE] [--config FILE] [--json]')
  t.equal(usage('help'), 'usage: chartgate help [COMMAND]')
  t.end()
})

void t.test('the list has every command, and the exit codes', t => {
  for (const { name, summary } of COMMANDS) t.match(overview(), new RegExp(`^ {2}${name} +${summary.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`, 'm'))
  for (const code of [0, 1, 2, 3]) t.match(overview(), `\n  ${code}  `)
  t.match(helpOfGroup('keys', commandsBelow('keys')), /^usage: chartgate keys COMMAND \[OPTIONS\]\n\n {2}keys list .*\n {2}keys rotate .*\n {2}keys export .*\n {2}keys secret .*\n\nchartgate help keys COMMAND /)
  t.end()
})
