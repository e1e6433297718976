import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { exampleYaml, jsonSchema, referenceMarkdown } from '../../scripts/config-documents.ts'
import { EXAMPLES } from '../../scripts/config-examples.ts'
import { loadConfig } from '../../src/config/load.ts'
import { ConfigSchema } from '../../src/config/schema.ts'
import { leaves } from '../../src/files/nodes.ts'
import { testFolder } from '../helpers/folder.ts'
import { ROOT } from '../helpers/processes.ts'

const DOCUMENTS: Readonly<Record<string, () => string>> = {
  'config/chartgate.example.yaml': exampleYaml,
  'config/chartgate.schema.json': jsonSchema,
  'docs/configuration.md': referenceMarkdown
}

await t.test('the documents say what the schema says (npm run docs:config writes them)', async t => {
  for (const [file, make] of Object.entries(DOCUMENTS)) {
    if (process.env['UPDATE_DOCS'] === '1') await writeFile(join(ROOT, file), make())
    t.equal(await readFile(join(ROOT, file), 'utf8'), make(), file)
  }
})

await t.test('the example is valid and says the defaults', async t => {
  const example = await loadConfig(join(ROOT, 'config/chartgate.example.yaml'), {})
  const defaults = await loadConfig(undefined, {})
  if (!example.ok || !defaults.ok) throw new Error(JSON.stringify(example))
  const said = { stateDir: '', file: undefined, isBlank: false }
  t.same({ ...example.config, ...said }, { ...defaults.config, ...said })
})

await t.test('the demo is valid', async t => {
  t.match(await loadConfig(join(ROOT, 'config/chartgate.demo.yaml'), {}), { ok: true, config: { masterKey: 'MASTERKEY', listen: { host: '127.0.0.1' } } })
})

await t.test('every key has an example in its section, and every example is valid', async t => {
  const file = join(testFolder(t), 'chartgate.yaml')
  const shown = new Map<string, object[]>()
  for (const [name, text] of Object.entries(EXAMPLES)) {
    for (const example of text.split('---\n')) {
      await writeFile(file, example)
      t.match(await loadConfig(file, {}), { ok: true }, example)
      shown.set(name, [...shown.get(name) ?? [], parse(example) as object])
    }
  }
  const has = (value: unknown, path: readonly string[]): boolean => path.every(part => (value = (value as Record<string, unknown> | undefined)?.[part]) !== undefined)
  for (const { path } of leaves(ConfigSchema)) {
    const [name = ''] = path
    t.ok(shown.get(name)?.some(example => has(example, path)), path.join('.'))
  }
})
