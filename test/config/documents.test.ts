import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { exampleYaml, jsonSchema, referenceMarkdown } from '../../scripts/config-documents.ts'
import { loadConfig } from '../../src/config/load.ts'

const ROOT = join(import.meta.dirname, '../..')
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
  t.same({ ...example.config, stateDir: '', file: undefined }, { ...defaults.config, stateDir: '', file: undefined })
})

await t.test('the demo is valid', async t => {
  t.match(await loadConfig(join(ROOT, 'config/chartgate.demo.yaml'), {}), { ok: true, config: { masterKey: 'MASTERKEY', listen: { host: '127.0.0.1' } } })
})
