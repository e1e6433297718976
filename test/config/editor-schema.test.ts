// Does the JSON Schema help a person who writes a file by hand? It must take every good
// file, however short, and complain about a bad one.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import Value from 'typebox/value'
import { parse } from 'yaml'
import { ROOT } from '../helpers/processes.ts'

const CONFIG = join(ROOT, 'config')
const schema = JSON.parse(await readFile(join(CONFIG, 'chartgate.schema.json'), 'utf8')) as object

await t.test('the files of the project and short ones are right', async t => {
  for (const name of ['chartgate.demo.yaml', 'chartgate.example.yaml']) t.same(Value.Errors(schema, parse(await readFile(join(CONFIG, name), 'utf8'))), [], name)
  for (const text of ['{}', 'listen: { port: 80 }', 'charts: { depth: dynamic, spool: {} }', 'tokens: { keys: [{ file: a.pem, alg: ES256, state: active }], issuers: [{ name: a, publicKey: a.pem }] }']) t.same(Value.Errors(schema, parse(text)), [], text)
})

await t.test('a misspelt key, a wrong value and half a rule are not', t => {
  const wrong = ['lisen: {}', 'charts: { spool: { max: 1GiB } }', 'listen: { port: 70000 }', 'charts: { maxUploadSize: 20MB }', 'policy: [{ repositories: [a], subjects: [anonymous] }]', 'tokens: { keys: [{ file: a.pem }] }', 'tokens: { issuers: [{ publicKey: a.pem }] }']
  for (const text of wrong) t.not(Value.Errors(schema, parse(text)).length, 0, text)
  t.end()
})

await t.test('it has no keyword of our own', t => {
  t.notMatch(JSON.stringify(schema), /"(expected|secret)":/)
  t.end()
})
