import t from 'tap'
import { inQuotes, printable } from '../../src/lib/printable.ts'

await t.test('what can be seen stays, and what cannot is an escape', t => {
  for (const text of ['', 'mychart-0.1.0 (1).tgz', 'gr\u00f6\u00dfe', '\u{1f600}', '\u4e2d', 'a\\b "c"']) t.equal(printable(text), text)
  const escapes: [string, string][] = [['a\nb', 'a\\u{a}b'], ['\x1b[31m', '\\u{1b}[31m'], ['\x85', '\\u{85}'], ['a\u2028b\u2029', 'a\\u{2028}b\\u{2029}'], ['\u202egnp.exe', '\\u{202e}gnp.exe'], ['a\u200bb', 'a\\u{200b}b'], ['\ufeff', '\\u{feff}'], ['\ud800', '\\u{d800}']]
  for (const [text, shown] of escapes) t.equal(printable(text), shown)
  t.end()
})

await t.test('a text in quotes has an end', t => {
  for (const [text, shown] of [['a "b"\n', '"a \\"b\\"\\n"'], ['abcdefghij', '"abcdefghij"'], ['abcdefghijk', '"abcdefghij…"']] as const) t.equal(inQuotes(text, 10), shown)
  t.end()
})
