// Is YAML here what it is to Go? What it said of some hundred texts is in test/data/go-yaml.json,
// and test/clients/loader.test.ts asks it again, and many more.
import { readFileSync } from 'node:fs'
import t from 'tap'
import { goKey, goYamlValue } from '../../src/lib/go-yaml-values.ts'
import { goYamlText } from '../../src/lib/go-yaml-text.ts'
import { goNodeOf, readGo, writtenAsGo } from '../helpers/go-yaml.ts'
import { dataUrl } from '../helpers/data.ts'

const RECORDED = JSON.parse(readFileSync(dataUrl('go-yaml.json'), 'utf8')) as [text: string, go: { readonly value?: string, readonly error?: string }][]
/** Faults of bytes and of aliases, which are said in other words. */
const OTHER_WORDS = /control characters|unknown anchor|contains itself/

await t.test('a text has in it what Go finds, or the same fault', t => {
  const differences = RECORDED.flatMap(([text, { value, error }]) => {
    const read = readGo(text)
    const found = read.ok ? writtenAsGo(read.node) : undefined
    const isSaid = read.ok || OTHER_WORDS.test(error ?? '') || error?.endsWith(read.problem) === true
    return found === value && isSaid ? [] : [{ text, found: read.ok ? found : read.problem, go: value ?? error }]
  })
  t.same(differences, [])
  t.ok(RECORDED.filter(([, { error }]) => error === undefined).length > 200)
  t.end()
})

await t.test('an escape that the end of the text cuts is a fault', t => {
  for (const text of ['"\\x', '"\\x4', '"\\u004', '"\\U0000004']) t.match(readGo(text), { ok: false, problem: /did not find expected hexdecimal number$/ }, text)
  t.end()
})

await t.test('bytes are UTF-8, or UTF-16 behind its mark', t => {
  const text = 'a: \u00e9\u{1f600}\n'
  const utf16 = Buffer.from(text, 'utf16le')
  for (const bytes of [Buffer.from(text), Buffer.from(`\ufeff${text}`), Buffer.concat([Buffer.from([0xff, 0xfe]), utf16]), Buffer.concat([Buffer.from([0xfe, 0xff]), Buffer.from(utf16).swap16()])]) t.same(goYamlText(bytes), { ok: true, text })
  for (const bytes of [[0xff], [0xc3], [0xed, 0xa0, 0x80], [0xc0, 0x80], [0xff, 0xfe, 0x61], [0xff, 0xfe, 0x00, 0xd8]]) t.same(goYamlText(Buffer.from(bytes)), { ok: false, problem: 'is not UTF-8' }, String(bytes))
  for (const text of ['\0', '\x1b', '\x7f', '\x80', '\ufffe', '\uffff']) t.same(goYamlText(Buffer.from(text)), { ok: false, problem: 'has control characters' }, encodeURI(text))
  t.same(goYamlText(Buffer.from('\t\r\n\x85\xa0\ufffd')), { ok: true, text: '\t\r\n\x85\xa0\ufffd' })
  t.end()
})

await t.test('a value is what JSON has of it, merges where they stand', t => {
  t.same(goYamlValue(goNodeOf('a: &a {b: 1, c: [x, ~]}\nd: *a\n<<: {a: 2}\ne: !!int x\n<<: [{f: 1}, {f: 2}]\n<<: g\n~: h')), new Map<string, unknown>([
    ['a', 2n], ['d', new Map<string, unknown>([['b', 1n], ['c', ['x', null]]])], ['e', null], ['f', 1n], ['', 'h']
  ]))
  const keys: [string, string | undefined][] = [['a', 'a'], ['1', '1'], ['1.50', '1.5'], ['yes', 'true'], ['"1.50"', '1.50'], ['~', undefined], ['[a]', undefined], ['!!int a', undefined]]
  for (const [text, key] of keys) t.equal(goKey(goNodeOf(text)), key, text)
  t.end()
})

await t.test('levels and values have an end, with those that aliases repeat', t => {
  const bounds = { values: 100, levels: 10, repeated: 1000 }
  const much = { ok: false, problem: 'too much' }
  for (const open of ['[', '{a: ', '[? ', '- ', '? ']) {
    const close = open.startsWith('[') ? ']' : open.startsWith('{') ? '}' : ''
    t.match(readGo(open.repeat(5) + 'x' + close.repeat(5), bounds), { ok: true }, open)
    t.same(readGo(open.repeat(11) + 'x' + close.repeat(11), bounds), much, open)
  }
  t.match(readGo('- a\n'.repeat(99), bounds), { ok: true })
  t.same(readGo('- a\n'.repeat(100), bounds), much)
  t.match(readGo(`- &a [${'a, '.repeat(40)}]\n- *a\n`, bounds), { ok: true })
  t.same(readGo(`- &a [${'a, '.repeat(40)}]\n- *a\n- *a\n`, bounds), much)
  t.match(readGo(`- &a ${'['.repeat(8)}${']'.repeat(8)}\n- [*a]\n`, bounds), { ok: true })
  t.same(readGo(`- &a ${'['.repeat(8)}${']'.repeat(8)}\n- [[*a]]\n`, bounds), much)
  t.end()
})

await t.test('lines end where a reader of another YAML ends them', t => {
  const texts: [string, 'YAML 1.1' | 'YAML 1.2' | 'LF', string | undefined][] = [
    ['a: b\rc: d', 'YAML 1.1', '{"a": "b", "c": "d"}'], ['a: b\rc: d', 'YAML 1.2', '{"a": "b", "c": "d"}'], ['a: b\rc', 'LF', '{"a": "b\\rc"}'], ['a: b\rc: d', 'LF', undefined],
    ['a: b\r\nc: d\n', 'LF', '{"a": "b", "c": "d"}'], ['a: "b\u0085c"', 'YAML 1.2', '{"a": "b\u0085c"}'], ['a: "b\u0085c"', 'YAML 1.1', '{"a": "b c"}'], ['a: b\u2028c: d', 'YAML 1.1', '{"a": "b", "c": "d"}'], ['a: b\u2029c: d', 'YAML 1.2', undefined]
  ]
  for (const [text, ends, value] of texts) {
    const read = readGo(text, undefined, ends)
    t.equal(read.ok ? writtenAsGo(read.node) : undefined, value, `${encodeURI(text)} ${ends}`)
  }
  t.end()
})
