// Scalars in Go's forms: what its emitter writes is read back, and nothing else is.
import fc from 'fast-check'
import t from 'tap'
import { entryYaml } from '../../src/repository/index-yaml.ts'
import { readScalar } from '../../src/upstream/index-scalar.ts'

await t.test('plain text, text in quotes, and text over several lines', t => {
  const cases: [lines: readonly string[], text: string][] = [
    [['charts/a-1.tgz'], 'charts/a-1.tgz'], [["it's"], "it's"], [['a"b'], 'a"b'], [['a: b'].map(text => `'${text}'`), 'a: b'], [["'it''s: x'"], "it's: x"], [["''"], ''], [['""'], ''], [['-a'], '-a'], [['?a'], '?a'], [[':a'], ':a'], [['a:b'], 'a:b'], [['a#b'], 'a#b'], [['größe'], 'größe'], [['<<'], '<<'],
    [['a b', '      c d'], 'a b c d'], [["'a", "      b'"], 'a b'], [['"a', '      b\\x41\\u00f6\\U0001F600\\"\\\\\\n\\t\\e\\0\\N\\_\\L\\P"'], 'a bA\u00f6\u{1f600}"\\\n\t\x1b\0\x85\xa0\u2028\u2029'], [['"a', '      \\ b"'], 'a  b']
  ]
  for (const [[first = '', ...more], text] of cases) t.equal(readScalar(first, more), text, JSON.stringify(first))
  t.end()
})

await t.test('everything else is undefined', t => {
  const others = ['', ' a', '*a', '&a b', '!!str a', '[a]', '{a: b}', '|', '>-', '|-', '# a', '- a', '? a', ': a', '-', 'a: b', 'a:', 'a #b', '%a', '@a', '`a', ',a', 'a\tb', '"a', 'a"b" "c"\t', "'a'b'", '"a" "b"', '"a\\"', '"\\q"', '"\\x4"', '"\\uD83"', '"\\U00110000"', 'a\u2028b', "'a\u2028b'", '"a\x85b"', 'a\rb']
  for (const text of others) t.equal(readScalar(text), undefined, encodeURIComponent(text))
  t.end()
})

await t.test('what the embedded repository writes, as Go does, is read back', async () => {
  const unit = fc.oneof(fc.constantFrom(...'ab01.:-# \'"|>&*!%@`[]{},?~\\<(\t'), fc.string({ unit: 'grapheme', minLength: 1, maxLength: 1 }))
  fc.assert(fc.property(fc.string({ unit, maxLength: 150 }), text => {
    if (/[\r\n\x85\u2028\u2029]/.test(text)) return true // a text of lines is written as such
    const [first = '', ...more] = entryYaml({ urls: [text] }).slice('  - urls:\n    - '.length, -1).split('\n')
    return readScalar(first, more) === text
  }), { numRuns: 3_000 })
})
