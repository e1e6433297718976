import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { unsayableInIndex } from '../../../src/uploads/archive/index-text.ts'
import { goNodeOf } from '../../helpers/go-yaml.ts'
import { ROOT } from '../../helpers/processes.ts'

const fault = (yaml: string): string | undefined => unsayableInIndex(goNodeOf(yaml))

await t.test('what Helm does not clean may have no character and no key that an index cannot say', t => {
  for (const text of ['\\x7f', '\\x80', '\\N', '\\x9f', '\\uFFFE', '\\uFFFF', 'a\\x85b']) {
    for (const yaml of [`annotations: { a: "${text}" }`, `annotations: { "${text}": a }`, `Annotations: { a: "${text}" }`, `apiVersion: "${text}"`, `dependencies: [{ import-values: ["${text}"] }]`, `dependencies: [{ import-values: [{ a: { b: ["${text}"] } }] }]`, `x: &x { a: "${text}" }\nannotations: *x`]) {
      t.equal(fault(yaml), 'a text with control characters', yaml)
    }
    for (const yaml of [`description: "${text}"`, `keywords: ["${text}"]`, `x: { a: "${text}" }`, `dependencies: [{ name: "${text}" }, x]`, `dependencies: "${text}"`, `"${text}"`, `["${text}"]`]) t.equal(fault(yaml), undefined, yaml)
  }
  for (const text of ['', 'größe', '\\t', '\\n', '\\L', '\\P', '\\_', '\\U0001F600', '\\uFEFF']) t.equal(fault(`annotations: { a: "${text}", "b${text}": c }`), undefined, text)
  for (const yaml of ['', 'annotations:', 'annotations: [1, true, 1.5, null]', 'annotations: { 1: 2 }', 'dependencies: [null, { import-values: 1 }]']) t.equal(fault(yaml), undefined, yaml)
  t.end()
})

await t.test('what the index reader could not be sure of is not taken', t => {
  t.match(fault('annotations: { a: "\\L\\Lx\\n\\Ly: z" }'), /empty lines that end in U\+2028/)
  const merges = ['import-values: [{ "<<": x, child: y }]', 'import-values: ["a\\n<<: b"]', 'import-values: [{ child: "a\\n<<: b" }]', `condition: "${'x'.repeat(90)} <<: b"`, 'tags: ["<<: a"]', '"<<: a": b']
  for (const each of merges) t.equal(fault(`dependencies: [{ name: a, ${each} }]`), 'a `<<` in its dependencies', each)
  for (const each of ['name: "<<"', 'condition: "a << b"', 'tags: [a, 1, null]']) t.equal(fault(`dependencies: [{ ${each} }, null]`), undefined, each)
  t.equal(fault('annotations: { "<<": a, b: "<<: c" }'), undefined, 'the index puts it in quotes')
  t.end()
})

await t.test('a key has an end, as Go writes it as JSON', t => {
  for (const [key, isTaken] of [['k'.repeat(998), true], ['k'.repeat(999), false], ['ö'.repeat(998), true], ['<'.repeat(166), true], ['<'.repeat(167), false], ['\u2028'.repeat(167), false]] as const) {
    t.equal(fault(`annotations:\n  ? ${JSON.stringify(key)}\n  : x`), isTaken ? undefined : 'a key of more than 1000 characters', encodeURIComponent(key.slice(0, 3)))
    t.equal(fault(`annotations:\n  x: ${JSON.stringify(key)}`), undefined, 'a value may be longer')
  }
  t.end()
})

await t.test('a chart that an example of ours packs is one', t => {
  t.equal(fault(readFileSync(join(ROOT, 'examples/mychart/Chart.yaml'), 'utf8')), undefined)
  t.end()
})
