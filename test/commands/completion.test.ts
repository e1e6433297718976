import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { COMMANDS } from '../../src/commands/table.ts'
import { OPTIONS } from '../../src/commands/options.ts'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { notTried } from '../helpers/not-tried.ts'
import { findProgram, run } from '../helpers/processes.ts'

const script = async (shell: string): Promise<string> => (await command(['completion', shell])).out

await t.test('each shell is told every command and every option', async t => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    const text = await script(shell)
    for (const word of new Set(COMMANDS.flatMap(({ name }) => name.split(' ')))) t.match(text, new RegExp(`\\b${word}\\b`), `${shell}: ${word}`)
    for (const option of Object.keys(OPTIONS)) t.match(text, shell === 'fish' ? `-l ${option}` : `--${option}`, `${shell}: ${option}`)
    t.match(text, 'RS256 ES256 EdDSA')
  }
  t.match(await command(['completion', 'csh']), { code: 2, out: '', err: /"csh" is no shell that is known here: bash, zsh, fish/ })
  t.match(await command(['completion', 'constructor']), { code: 2 })
})

await t.test('bash completes commands, options, values and files', async t => {
  if (await findProgram('bash') === undefined) {
    await notTried(t, 'completion in bash', 'no bash on the PATH')
    return
  }
  const dir = testFolder(t, { 'team a.yaml': '', 'other.txt': '', completion: await script('bash') })
  const complete = async (...words: string[]): Promise<string[]> => {
    writeFileSync(join(dir, 'ask.sh'), [
      'source ./completion',
      `COMP_WORDS=(${['chartgate', ...words].map(word => `'${word}'`).join(' ')})`,
      `COMP_CWORD=${words.length}`,
      '_chartgate',
      // eslint-disable-next-line no-template-curly-in-string -- bash's own
      'printf "%s\\n" "${COMPREPLY[@]}"'
    ].join('\n'))
    const { code, stdout, stderr } = await run('bash', ['ask.sh'], { cwd: dir })
    t.strictSame([code, stderr], [0, ''], words.join(' '))
    return stdout.split('\n').filter(word => word !== '').sort()
  }
  t.strictSame(await complete('he'), ['healthcheck', 'help'])
  t.strictSame(await complete('keys', ''), ['--help', 'export', 'list', 'rotate', 'secret'])
  t.strictSame(await complete('keys', 'rotate', '--'), ['--alg', '--config', '--help'])
  t.strictSame(await complete('keys', 'rotate', '--alg', 'E'), ['ES256', 'EdDSA'])
  t.strictSame(await complete('explain', '--who', 'pu'), ['pull', 'push'])
  t.strictSame(await complete('completion', 'z'), ['zsh'])
  t.strictSame(await complete('check', '--config', 'te'), ['team a.yaml'])
  t.strictSame(await complete('explain', '--as', ''), [])
  t.strictSame(await complete('help', 'rob'), ['robot'])
  t.ok((await complete('')).includes('serve'))
})
