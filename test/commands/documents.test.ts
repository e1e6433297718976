import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { commandsMarkdown } from '../../scripts/command-documents.ts'
import { command } from '../helpers/commands.ts'
import { testFolder } from '../helpers/folder.ts'
import { ROOT } from '../helpers/processes.ts'

const FILE = join(ROOT, 'docs/commands.md')

await t.test('docs/commands.md says what the table says (npm run docs:commands writes it)', async t => {
  if (process.env['UPDATE_DOCS'] === '1') await writeFile(FILE, commandsMarkdown())
  t.equal(await readFile(FILE, 'utf8'), commandsMarkdown())
  t.match(await readFile(join(ROOT, 'README.md'), 'utf8'), '(docs/commands.md)', 'and is found from the README')
})

await t.test('what it shows of init is what is printed', async t => {
  const line = '$ chartgate init --situation embedded --public-url http://localhost:5001'
  const [, block = ''] = (await readFile(FILE, 'utf8')).split(`\`\`\`\n${line}\n`)
  const before = process.cwd()
  t.teardown(() => { process.chdir(before) })
  const dir = testFolder(t)
  process.chdir(dir)
  const { code, out, err } = await command(line.split(' ').slice(2))
  t.equal(code, 0)
  const linesOf = (text: string): string[] => text.trim().split('\n').sort() // of two outputs
  t.strictSame(linesOf((out + err).replaceAll(dir, '/etc/chartgate')), linesOf(block.split('```')[0] as string))
})

await t.test('what it shows of wrong usage is what is printed', async t => {
  const { code, err } = await command(['check', '--confg', 'chartgate.yaml'])
  t.equal(code, 2)
  t.match(await readFile(FILE, 'utf8'), `$ chartgate check --confg chartgate.yaml\n${err}`)
})
