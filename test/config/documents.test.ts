import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { parse } from 'yaml'
import { exampleYaml, jsonSchema, referenceMarkdown } from '../../scripts/config-documents.ts'
import { EXAMPLES } from '../../scripts/config-examples.ts'
import { leaves } from '../../src/files/nodes.ts'
import { ConfigSchema, variableOf } from '../../src/config/schema.ts'
import { temporaryFolder } from '../helpers/processes.ts'
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

await t.test('every key stands in one example that is about it, and every example loads', async t => {
  const keys = leaves(ConfigSchema).map(({ path }) => path.join('.'))
  t.same(EXAMPLES.flatMap(example => example.keys).sort(), keys.sort())
  const file = join(await temporaryFolder(t), 'chartgate.yaml')
  for (const { keys, yaml, env = {} } of EXAMPLES) {
    await writeFile(file, yaml)
    t.match(await loadConfig(file, env), { ok: true }, keys.join(', '))
    const values = parse(yaml) as object
    for (const key of keys) t.ok(has(values, key) || variableOf(key.split('.')) in env, `${key} is in it`)
  }
})

function has (values: object, key: string): boolean {
  return key.split('.').reduce<unknown>((place, name) => (place as Record<string, unknown> | undefined)?.[name], values) !== undefined
}
