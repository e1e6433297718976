// Is the document's table of differences the one that the tests work with?
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../helpers/processes.ts'
import { DIFFERENCES, differencesTable } from './differences.ts'

await t.test('docs/architecture.md has exactly this table of differences', async t => {
  const text = await readFile(join(ROOT, 'docs/architecture.md'), 'utf8')
  const section = text.split(/^## /m).find(each => each.startsWith('The embedded repository\n')) ?? ''
  t.equal(section.split('\n').filter(line => line.startsWith('|')).map(line => `${line}\n`).join(''), differencesTable())
})

await t.test('a difference that no recording shows is shown by a test', async t => {
  for (const { shownBy } of DIFFERENCES) {
    if ('test' in shownBy) t.ok((await readFile(join(ROOT, shownBy.file), 'utf8')).includes(`t.test('${shownBy.test}'`), shownBy.test)
  }
})
