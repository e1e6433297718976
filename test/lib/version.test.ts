import { readFile } from 'node:fs/promises'
import t from 'tap'
import { VERSION } from '../../src/lib/version.ts'

await t.test('the program says the version of its package', async t => {
  const { version } = JSON.parse(await readFile(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string }
  t.equal(VERSION, version)
})
