// The schema is checked by our own few lines; TypeBox, which has every keyword of JSON
// Schema, must say the same of any value.
import { deepEqual } from 'node:assert/strict'
import fc from 'fast-check'
import t from 'tap'
import { Settings } from 'typebox/system'
import Value from 'typebox/value'
import { AccountsSchema } from '../../src/identity/sources/accounts-schema.ts'
import { schemaMistakes } from '../../src/files/mistakes.ts'
import type { SchemaNode } from '../../src/files/nodes.ts'
import { ConfigSchema } from '../../src/config/schema.ts'

/** Of keys that people and pointers write alike. */
const LETTERS = fc.constantFrom('a', 'b')

/** Values that are right, or nearly, for a node. */
function near (node: SchemaNode): fc.Arbitrary<unknown> {
  const odd = fc.oneof(fc.constantFrom<unknown>(null, '', 'a', 'x'.repeat(200), -1, 0, 1.5, 257, 70_000, NaN, true, [], {}), fc.string(), fc.jsonValue({ maxDepth: 1, stringUnit: LETTERS }))
  return fc.oneof({ weight: 12, arbitrary: right(node) }, { weight: 1, arbitrary: odd })
}

const WORDS = ['*', '**', 'team-a/*', 'user:alice', 'anonymous', 'alice', '20MiB', '5m', '0s', '/charts', '2027-02-01', `sha256:${'0'.repeat(64)}`]

function right (node: SchemaNode): fc.Arbitrary<unknown> {
  switch (node.type) {
    case 'object': return fc.record(Object.fromEntries(Object.entries(node.properties ?? {}).map(([name, child]) => [name, near(child)])), { requiredKeys: [] })
    case 'array': return fc.array(near(node.items ?? {}), { maxLength: 3 })
    case 'integer': return fc.integer({ min: (node.minimum ?? 0) - 1, max: (node.maximum ?? 9) + 1 })
    case 'boolean': return fc.boolean()
    case 'string': return fc.constantFrom(...node.enum ?? WORDS)
    default: return fc.oneof(...(node.anyOf ?? []).map(each => each.const === undefined ? right(each) : fc.constant(each.const)))
  }
}

/** Where TypeBox finds something, but for unknown keys, and for the name of a key, which it finds in its mapping too. */
function complaints (schema: SchemaNode, value: unknown): string[] {
  const isTold = ({ keyword, schemaPath }: { keyword: string, schemaPath: string }): boolean =>
    keyword !== 'additionalProperties' && keyword !== 'boolean' && !schemaPath.endsWith('/propertyNames')
  return places(Value.Errors(schema, value).filter(isTold).map(({ instancePath }) => instancePath))
}

/** policy[0].actions as a JSON pointer. */
const pointer = (key: string): string => key === '' ? '' : `/${key.replace(/\[(\d+)\]/g, '/$1').replaceAll('.', '/').replaceAll('""', '')}`
const places = (pointers: readonly string[]): string[] => [...new Set(pointers)].sort()

Settings.Set({ maxErrors: Number.MAX_SAFE_INTEGER }) // TypeBox stops at 8
for (const [name, schema] of Object.entries({ configuration: ConfigSchema, 'list of accounts': AccountsSchema })) {
  await t.test(`the mistakes in the values of a ${name} are where TypeBox finds them`, t => {
    let wrong = 0
    fc.assert(fc.property(near(schema), value => {
      const found = places(schemaMistakes(value, schema).map(({ key }) => pointer(key)))
      if (found.length > 0) wrong++
      deepEqual(found, complaints(schema, value))
    }), { numRuns: 500 })
    t.ok(wrong > 100, `${wrong} of 500 have mistakes`)
    t.end()
  })
}

await t.test('a mapping asks for what is required, and takes no other key', t => {
  t.match(AccountsSchema, { type: 'object', additionalProperties: false, required: undefined })
  t.match(ConfigSchema.properties?.['policy']?.items, { required: ['repositories', 'subjects', 'actions'], additionalProperties: false })
  t.end()
})
