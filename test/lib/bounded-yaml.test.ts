import t from 'tap'
import { parseDocument } from 'yaml'
import { parseBounded } from '../../src/lib/bounded-yaml.ts'

const BOUNDS = { tokens: 1_000, levels: 20 }
const OPTIONS = { version: '1.1', logLevel: 'error', prettyErrors: false } as const

await t.test('within the bounds it is what the library reads', t => {
  const texts = [
    '', '\n', '# only a comment\n', 'a: b\n', '- a\n- {b: c}\n', '? a\n: b\n', '---\na: b\n...\n', 'a: |\n  text\n', 'a: &x 1\nb: *x\n', '%YAML 1.1\n---\na: yes\n',
    'a: [', ']', 'a: b\n---\nc: d\n', '"open', 'a:\n b\n  c: d', 'a: b: c', '\ta: b'
  ]
  for (const text of texts) {
    const [read, expected] = [parseBounded(text, BOUNDS, OPTIONS), parseDocument(text, OPTIONS)]
    if (expected.errors.length === 0) t.equal(read?.toString(), expected.toString(), JSON.stringify(text))
    t.equal((read?.errors.length ?? 0) > 0, expected.errors.length > 0, `${JSON.stringify(text)} is ${expected.errors.length > 0 ? 'refused' : 'read'}`)
    t.equal(read?.errors[0]?.code, expected.errors[0]?.code)
  }
  t.equal(parseBounded('a: b\n---\nc: d\n', BOUNDS, { ...OPTIONS, logLevel: 'silent' })?.errors.length, 0, 'who is silent gets the first of several')
  t.end()
})

await t.test('a level is one in whatever way it is written, and too many are not composed', t => {
  const stairs = (levels: number, tread: string): string => Array.from({ length: levels }, (_, i) => ' '.repeat(2 * i) + tread).join('\n')
  const ways: ((levels: number) => string)[] = [
    n => '['.repeat(n), n => '{'.repeat(n), n => '- '.repeat(n), n => '? '.repeat(n), n => '[? '.repeat(n), n => ']'.repeat(n) + '['.repeat(n),
    n => '}\n'.repeat(n) + '{'.repeat(n), n => stairs(n, '-'), n => stairs(n, '?'), n => stairs(n, 'a:'), n => stairs(n, '? : a'), n => `a: |\n${stairs(n, 'x')}\n${'['.repeat(n)}`
  ]
  for (const way of ways) {
    t.not(parseBounded(way(5), BOUNDS, OPTIONS), undefined, way(2))
    const deep = parseBounded(way(300), { ...BOUNDS, tokens: 100_000 }, OPTIONS)
    t.ok(deep === undefined || deep.errors.length === 1, `${way(2)}, often`)
  }
  t.end()
})

await t.test('too many tokens are not composed, and nothing behind the first fault is', t => {
  t.not(parseBounded('- a\n'.repeat(150), BOUNDS, OPTIONS), undefined)
  t.equal(parseBounded('- a\n'.repeat(400), BOUNDS, OPTIONS), undefined)
  t.equal(parseBounded(']' + '- a\n'.repeat(400), BOUNDS, OPTIONS)?.errors.length, 1)
  t.end()
})
