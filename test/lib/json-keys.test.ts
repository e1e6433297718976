import fc from 'fast-check'
import t from 'tap'
import { hasRivalKeys } from '../../src/lib/json-keys.ts'

await t.test('two keys of one object that some reader takes for the same are rivals', async t => {
  for (const text of ['{"a":1,"a":2}', '{"a":1,"A":2}', '{"layers":[],"layer\u017f":[]}', '{"k":1,"\u212a":2}', '{"a":1,"\\u0061":2}', '[{"x":{"b":[{}],"b":1}}]', '{"a":{"b":1},"a":1}', '{ "a\\"" : 1 , "a\\"" : 2 }']) t.equal(hasRivalKeys(text), true, text)
})

await t.test('the same key in two objects, and as a value, is no rival', async t => {
  for (const text of ['1', '"a"', '{}', '[]', '{"a":"a","b":"a"}', '{"a":{"a":1},"b":[{"a":1},{"a":2}]}', '["a","a",{"a":["a","a"]}]', '{"a":"{\\"a\\":1,\\"a\\":2}"}', '{"a":"\\\\","b":1}']) t.equal(hasRivalKeys(text), false, text)
})

await t.test('of what JSON.stringify writes the keys alone say whether there are rivals', async t => {
  const folded = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.some(folded)
    if (typeof value !== 'object' || value === null) return false
    const keys = Object.keys(value).map(key => key.toUpperCase().toLowerCase())
    return new Set(keys).size < keys.length || Object.values(value).some(folded)
  }
  t.doesNotThrow(() => { fc.assert(fc.property(fc.jsonValue(), value => hasRivalKeys(JSON.stringify(value)) === folded(value))) })
})
