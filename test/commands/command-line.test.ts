import t from 'tap'
import { readCommandLine } from '../../src/commands/command-line.ts'
import { helpOf, helpOfGroup, overview } from '../../src/commands/help.ts'
import { COMMANDS, commandOf, commandsBelow, type CommandRow } from '../../src/commands/table.ts'
import { VERSION } from '../../src/lib/version.ts'

const helpText = (name: string): string => helpOf(commandOf(name.split(' ')) as CommandRow)

void t.test('a command is read with its options and words, wherever they stand', t => {
  const cases: [argv: string[], name: string, options: object, words: string[]][] = [
    [['serve'], 'serve', {}, []],
    [['--config', 'x.yaml', 'check', '--charts'], 'check', { config: 'x.yaml', charts: true }, []],
    [['robot', '--expires=1d', 'create', 'ci', '--file', 'a b'], 'robot create', { expires: '1d', file: 'a b' }, ['ci']],
    [['explain', '--as', 'alice'], 'explain', { as: 'alice' }, []],
    [['explain', '--token', '-', 'pull', 'a/b'], 'explain', { token: '-' }, ['pull', 'a/b']],
    [['explain', '--as=--x', '--', 'pull', '-'], 'explain', { as: '--x' }, ['pull', '-']],
    [['user', 'add', '--', '--file'], 'user add', {}, ['--file']]
  ]
  for (const [argv, name, options, words] of cases) t.match(readCommandLine(argv), { kind: 'run', row: { name }, options, words }, argv.join(' '))
  t.end()
})

void t.test('help and version are answered by the command line', t => {
  const cases: [argv: string[], text: string][] = [
    [['--help'], overview()],
    [['-h'], overview()],
    [['help'], overview()],
    [['help', 'help'], helpText('help')],
    [['help', 'robot', 'create'], helpText('robot create')],
    [['robot', 'create', '--help'], helpText('robot create')],
    [['robot', 'create', 'x', '--nope', '-h'], helpText('robot create')],
    [['robot', '--help'], helpOfGroup('robot', commandsBelow('robot'))],
    [['help', 'keys'], helpOfGroup('keys', commandsBelow('keys'))],
    [['version'], `chartgate ${VERSION}\n`],
    [['--version'], `chartgate ${VERSION}\n`]
  ]
  for (const [argv, text] of cases) t.strictSame(readCommandLine(argv), { kind: 'shown', text }, argv.join(' '))
  t.end()
})

void t.test('what is wrong is one line, with what was probably meant and how to see help', t => {
  const cases: [argv: string[], wrong: string, help: string][] = [
    [[], 'no command: say what to do, for example chartgate serve', 'chartgate --help'],
    [['dance'], 'there is no command dance', 'chartgate --help'],
    [['serv'], 'there is no command serv: did you mean serve?', 'chartgate --help'],
    [['help', 'serv'], 'there is no command serv: did you mean serve?', 'chartgate --help'],
    [['constructor'], 'there is no command constructor', 'chartgate --help'],
    [['keys'], 'keys needs one more word: keys list or keys rotate or keys export or keys secret', 'chartgate keys --help'],
    [['keys', 'lst'], 'there is no command keys lst: did you mean keys list?', 'chartgate --help'],
    [['robots', 'create', 'x'], 'there is no command robots create: did you mean robot create?', 'chartgate --help'],
    [['help', 'keys', 'dance'], 'there is no command keys dance', 'chartgate --help'],
    [['chekc', 'now'], 'there is no command chekc now: did you mean check?', 'chartgate --help'],
    [['--nope'], 'there is no option --nope', 'chartgate --help'],
    [['--confg', 'x', 'serve'], 'there is no option --confg: did you mean --config?', 'chartgate --help'],
    [['--config', 'x'], 'no command: say what to do, for example chartgate serve', 'chartgate --help'],
    [['serve', 'now', 'please'], 'serve takes no more words, and 2 are there', 'chartgate serve --help'],
    [['serve', '--out', 'x'], 'serve takes no --out', 'chartgate serve --help'],
    [['serve', '--version'], 'serve takes no --version', 'chartgate serve --help'],
    [['check', '--chart'], 'check takes no --chart: did you mean --charts?', 'chartgate check --help'],
    [['check', '--confg', 'x.yaml'], 'check takes no --confg: did you mean --config?', 'chartgate check --help'],
    [['check', '-c', 'x.yaml'], 'check takes no -c', 'chartgate check --help'],
    [['check', '--constructor'], 'check takes no --constructor', 'chartgate check --help'],
    [['check', '--config'], '--config needs FILE behind it', 'chartgate check --help'],
    [['check', '--config', '--json'], '--config needs FILE behind it, and --json looks like an option: --config=--json if that is meant', 'chartgate check --help'],
    [['check', '--json=yes'], '--json takes nothing behind it', 'chartgate check --help'],
    [['robot', 'create'], 'robot create takes NAME', 'chartgate robot create --help'],
    [['explain', '--as', 'x', 'pull'], 'explain takes ACTION TENANT, and 1 is there', 'chartgate explain --help'],
    [['hash-password', 'secret'], 'hash-password takes no more words, and 1 is there', 'chartgate hash-password --help'],
    [['version', 'now'], 'version takes no more words, and 1 is there', 'chartgate version --help']
  ]
  for (const [argv, wrong, help] of cases) t.strictSame(readCommandLine(argv), { kind: 'wrong', wrong: [wrong], help }, argv.join(' '))
  t.match(readCommandLine(['serve', '--out', 'x', '--dir', 'y']), { kind: 'wrong', wrong: ['serve takes no --out', 'serve takes no --dir'] }, 'every option that is wrong')
  t.end()
})

void t.test('the commands are told apart by their names', t => {
  t.equal(new Set(COMMANDS.map(({ name }) => name)).size, COMMANDS.length)
  for (const { name } of COMMANDS) t.equal(commandOf([...name.split(' '), 'x'])?.name, name)
  t.equal(commandOf([]), undefined)
  t.end()
})
