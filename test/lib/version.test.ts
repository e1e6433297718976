import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { VERSION } from '../../src/lib/version.ts'
import { ROOT } from '../helpers/processes.ts'

await t.test('the program says the version of its package', async t => {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { version: string }
  t.equal(VERSION, version)
})
