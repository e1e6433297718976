// The example of a team: it is right as it is, and does what docs/accounts.md says.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { ACTIONS } from '../../src/words/access.ts'
import { command } from '../helpers/commands.ts'
import { ROOT } from '../helpers/processes.ts'

const FILE = join(ROOT, 'config/team.example.yaml')

await t.test('the example is valid, with nothing to warn of', async t => {
  t.match(await command(['check', '--config', FILE]), { code: 0, out: /7 rules, 10 users, 1 robot; configuration file \S+team\.example\.yaml\n$/, err: '' })
})

/** The rows of the first table of a page, cell by cell. */
function firstTable (markdown: string): string[][] {
  const lines = markdown.split('\n')
  const start = lines.findIndex(line => line.startsWith('|'))
  const rows = lines.slice(start, lines.findIndex((line, i) => i > start && !line.startsWith('|')))
  return rows.map(line => line.split('|').slice(1, -1).map(cell => cell.trim()))
}

await t.test('explain says what the table of docs/accounts.md says', async t => {
  const [[, ...tenants] = [], , ...rows] = firstTable(await readFile(join(ROOT, 'docs/accounts.md'), 'utf8'))
  const code = (cell: string): string => /^`([^`]+)`/.exec(cell)?.[1] ?? ''
  t.ok(tenants.length === 5 && rows.length === 7, 'a table of five tenants')
  for (const [who = '', ...cells] of rows) {
    for (const [i, cell] of cells.entries()) {
      const [subject, tenant] = [code(who), code(tenants[i] as string)]
      const allowed: string[] = []
      for (const action of ACTIONS) {
        const { code } = await command(['explain', '--config', FILE, '--as', subject, action, tenant])
        if (code === 0) allowed.push(action)
        else t.equal(code, 3, `${subject} ${action} ${tenant}`)
      }
      t.equal(allowed.join(' ') || '–', cell, `${subject} in ${tenant}`)
    }
  }
})
