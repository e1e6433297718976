// YAML that costs more than its length, or says one thing a thousand times: refused with
// one line, at once. (These never end, or take minutes, in a reader that only parses.)
import t from 'tap'
import { parseYaml, pathOfKey, showPlace } from '../../src/files/yaml.ts'

const repeat = (text: string, times: number): string => text.repeat(times)
const each = (times: number, text: (i: number) => string): string => Array.from({ length: times }, (_, i) => text(i)).join('')

await t.test('levels are refused at once, however they are written', async t => {
  const LEVELS = 5_000
  const nested: Record<string, string> = {
    'a question mark': `${repeat('? ', LEVELS)}a`,
    'one in a list': `${repeat('- ? ', LEVELS)}a`,
    'a list in one': `${repeat('? - ', LEVELS)}a`,
    'one in brackets': `${repeat('[? ', LEVELS)}${repeat(']', LEVELS)}`,
    'one in braces': `${repeat('{? ', LEVELS)}${repeat('}', LEVELS)}`,
    dashes: `a: ${repeat('- ', LEVELS)}a`,
    'dashes below a key': `a:\n  ${repeat('- ', LEVELS)}a`,
    brackets: `a: ${repeat('[', LEVELS)}${repeat(']', LEVELS)}`,
    braces: `a: ${repeat('{a: ', LEVELS)}${repeat('}', LEVELS)}`,
    'brackets the wrong way round': `${repeat(']', LEVELS)}${repeat('[', LEVELS)}`,
    'open brackets': repeat('[', LEVELS),
    'open braces': repeat('{', LEVELS),
    lines: each(1_000, i => `${repeat(' ', i)}a:\n`),
    'question marks in lines': each(1_000, i => `${repeat(' ', i)}?\n`)
  }
  for (const [name, text] of Object.entries({ ...nested, '500 question marks': `${repeat('? ', 500)}a` })) {
    const { value, mistakes } = parseYaml('a.yaml', text)
    t.equal(value, undefined, name)
    t.equal(mistakes.length, 1, name)
    t.match(mistakes[0], /^a\.yaml:\d+:\d+: /, name)
  }
  for (const name of Object.keys(nested).filter(name => !name.startsWith('open') && name !== 'dashes')) t.match(parseYaml('a.yaml', nested[name] as string).mistakes, [/more than 20 levels$/], name)
})

await t.test('twenty levels are read', async t => {
  t.match(parseYaml('', `${each(19, i => `${repeat(' ', i)}a:\n`)}${repeat(' ', 19)}a: 1`), { value: {}, mistakes: [] })
  t.match(parseYaml('', each(21, i => `${repeat(' ', i)}a:\n`)).mistakes, [/^:21:\d+: more than 20 levels$/])
})

await t.test('many of something are read, or refused, in a time that grows as they do', async t => {
  const MANY = 20_000
  const cases: [name: string, text: string, mistakes: RegExp | undefined][] = [
    ['keys', each(MANY, i => `k${i}: 1\n`), undefined],
    ['anchors', `a:\n${each(MANY, i => `- &a${i} x\n`)}`, undefined],
    ['aliases of one', `a: &a x\nb:\n${repeat('- *a\n', MANY)}`, undefined],
    ['anchors and aliases', `a:\n${each(MANY, i => `- &a${i} x\n- *a${i}\n`)}`, undefined],
    ['anchors, and then aliases', `a:\n${each(MANY, i => `- &a${i} x\n`)}${each(MANY, i => `- *a${i}\n`)}`, undefined],
    ['tags', `a: ${repeat('!t ', MANY)}x\n`, /a\.yaml:1:\d+: A node can have at most one tag/],
    ['blank lines in a text', `a: |\n  x\n${repeat('\n', MANY)}  y\n`, undefined],
    ['a long key', `${repeat('k', MANY)}: 1\n`, /a\.yaml:1:\d+: The : indicator must be at most 1024 chars/],
    ['a list as a key', `[${repeat('k,', 400)}]: 1\n`, /a\.yaml:1:\d+: a key is a plain text here/],
    ['an alias as a key', 'a: &a x\n*a : 1\n', /a\.yaml:2:\d+: a key is a plain text here/]
  ]
  for (const [name, text, mistake] of cases) {
    const read = parseYaml('a.yaml', text)
    t.match(read.mistakes, mistake === undefined ? [] : [mistake], name)
    t.equal(read.mistakes.length, mistake === undefined ? 0 : 1, name)
  }
})

await t.test('an alias stands for a value of its own, and not for more than anybody writes', async t => {
  const { value } = parseYaml('', 'a: &a { x: &b [1] }\nb: *a\nc: [*a, *b]\nd: &b 2\ne: *a\nf: *b')
  t.strictSame(value, { a: { x: [1] }, b: { x: [1] }, c: [{ x: [1] }, [1]], d: 2, e: { x: [1] }, f: 2 })
  t.not((value as { a: object }).a, (value as { b: object }).b)
  const laughs = `a0: &a0 [${repeat('x,', 9)}]\n${each(8, i => `a${i + 1}: &a${i + 1} [${repeat(`*a${i},`, 9)}]\n`)}`
  for (const [text, expected] of [
    [laughs, /^a\.yaml:\d:\d+: aliases that stand for more than 100000 values$/],
    ['a: &a [*a]', /^a\.yaml:1:\d+: an alias that contains itself$/],
    ['a: &a { b: { c: *a } }', /^a\.yaml:1:\d+: an alias that contains itself$/],
    ['a: *b\nb: &b 1', /^a\.yaml:1:\d+: an alias of an anchor that is not there before it$/]
  ] as const) {
    const read = parseYaml('a.yaml', text)
    t.equal(read.value, undefined, text.slice(0, 40))
    t.match(read.mistakes, [expected])
    t.equal(read.mistakes.length, 1)
  }
})

await t.test('one slip of the pen is one line, however much comes after it', async t => {
  const users = each(300, i => `  - name: a${i}\n    passwordHash: "x"\n    groups: [a, b]\n`)
  const inFlow = each(300, i => `- { name: a${i}, passwordHash: "x", groups: [a, b] }\n`)
  const slips: Record<string, string> = {
    'a bracket that is not closed': `users: [\n${inFlow}`,
    'a brace': `users: {\n${inFlow}`,
    'a bracket in the middle': `users:\n${users}  - { name: x, groups: [a, b\n${users}`,
    'a brace in the middle': `users:\n${users}  - { name: x, passwordHash: "y"\n${users}`,
    'a bracket that was not opened': `users:\n${users}  - name: x]\n    groups: ]\n${users}`,
    'a quote': `users:\n${users}  - name: "x\n${users}`,
    'a tab': `users:\n\t- name: x\n${users}`,
    'an indent': `users:\n${users.replaceAll('    passwordHash', '   passwordHash')}`,
    commas: `a: [${repeat(',', 5_000)}]`,
    colons: `a: [${repeat(': ', 5_000)}]`
  }
  for (const [name, text] of Object.entries(slips)) {
    const { value, mistakes } = parseYaml('a.yaml', text)
    t.equal(value, undefined, name)
    t.match(mistakes, [/^a\.yaml:\d+:\d+: [A-Z]/], name)
    t.equal(mistakes.length, 1, name)
  }
})

await t.test('what is wrong in itself is a line each', async t => {
  t.match(parseYaml('a.yaml', 'a: 1\nb: { c: 1, c: 2 }\na: 2\n? [1]\n: 3\n'), { value: { b: {} }, mistakes: [/^a\.yaml:2:\d+: Map keys must be unique$/, /^a\.yaml:3:\d+: Map keys must be unique$/, /^a\.yaml:4:\d+: a key is a plain text here$/] })
  t.match(parseYaml('a.yaml', 'a: !x 1\nb: !y 2\n'), { value: undefined, mistakes: [/^a\.yaml:1:\d+: Unresolved tag$/, /^a\.yaml:2:\d+: Unresolved tag$/] })
})

await t.test('keys are texts, whatever else they could be', async t => {
  t.strictSame(parseYaml('', '1: a\ntrue: b\n~: c\n__proto__: d\n').value, Object.fromEntries([['1', 'a'], ['true', 'b'], ['', 'c'], ['__proto__', 'd']]))
  t.strictSame(parseYaml('', '').value, {})
})

await t.test('what lies at a path stands where its key or item does, and what is not there where it would be', t => {
  const read = parseYaml('a.yaml', 'a:\n  - b: 1\n    c: *x\nd: &x { e: 2 }\nf: *x\n'.replace('*x', '3'))
  if (read.value === undefined) throw new Error(read.mistakes.join())
  const cases: [path: (string | number)[], line: number, column: number][] = [
    [[], 1, 1], [['z'], 1, 1], [['a'], 1, 1], [['a', 0], 2, 5], [['a', 0, 'c'], 3, 5], [['a', 0, 'c', 'x'], 3, 5], [['a', 7], 1, 1], [['a', 'x'], 1, 1],
    [['d', 'e'], 4, 9], [['f', 'e'], 5, 1]
  ]
  for (const [path, line, column] of cases) t.strictSame(read.placeOf(path), { line, column }, path.join('.'))
  t.equal(showPlace('a.yaml', read.placeOf(pathOfKey('a[0].c'))), 'a.yaml:3:5')
  t.end()
})
