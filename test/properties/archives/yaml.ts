// Texts that are nearly YAML, out of everything that its grammar has a word for.
import type { Random } from '../neighbours/random.ts'

const PIECES = [
  'a', 'b', 'a b', 'a#b', 'a #b', '- ', '-', '? ', '?', ': ', ':', ',', '\n', '\n', '\n', '\n\n', '  ', ' ', '   ', '\t', '[', ']', '{', '}', '#', '# c', '%', '@', '`',
  '&a ', '*a', '&b ', '*b', '!!str ', '!!int ', '!!null ', '!!float ', '!!binary ', '! ', '!x ', '!e!x ', '!a%41b ', '!<tag:yaml.org,2002:str> ', '!<', '>', '%3f',
  '|', '>', '|-', '>+', '|2', '|-2', '|2-', '|0', '|  \n a\n b\n', '>\n a\n\n  b\n c\n', '"', '\'', '"x"', '\'y\'', '\'it\'\'s\'', '"a\n  b"', '\'a\n\n b\'', '\\', '\\n', '\\x41', '\\u263a', '\\U0001F600', '\\ud800', '\\q', '"\\\n  a"',
  '%YAML 1.1', '%YAML 1.2', '%YAML 111.1', '%TAG !e! tag:e,2000:', '%TAG ! !f', '%x', '---', '--- ', '---\n', '...', '...\n', '<<', '<<: ', '<<: *a', 'name', 'version', '1', '0x1f', '~', 'null', 'yes', '1.5', '2001-01-01', 'YQ==',
  'a: b', 'a:\n', '- a', '- - a', '\n  - x', '  a: b\n', '    c: d\n', ' - e\n', 'key: value\n', '? a\n: b\n', '[a, b]', '{a: b}', '{}', '[]', '{a}', '[a: b]', '[? a : b]', '{? a}', '-\n', '?\n', ':\n', '-x', '?x', ':x',
  '\u0085', '\u2028', '\u2029', '\r', '\r\n', '\ufeff', '\u00e9', '\u{1f600}', '\ud800', '\u007f', '\0'
]

/** Some pieces, rarely many. */
export function yamlByChance (random: Random): string {
  const count = random.percent(30) ? random.between(1, 40) : random.between(1, 10)
  const text = Array.from({ length: count }, () => random.pick(PIECES)).join('')
  return random.percent(3) ? `"${'k'.repeat(random.between(1015, 1030))}": ${text}` : text
}

/** What chance finds too rarely: one text for each way through the scanner and the grammar. */
const RARE = [
  '', '# nothing', '\ufeffa: b', '%YAML 1.1\n---\na: b', '%YAML 1.1\n%YAML 1.1\n---\na', '%YAML 1.2\n---\na', '%YAML 1\n---\na', '%YAML 1.\n---\na', '%YAML .1\n---\na', '%YAML 111.1\n---\na', '%YAML 1.1 # c\n---\na', '%YAML 1.1 x\n---\na', '%YAML 1.1\na: b', '%YAML 1.1', '%YAML 01.01\n--- a',
  '%', '% YAML', '%A-b\n---\na', '%YAML#\n', '%YAML! 1.1\n---\na', '%TAG\n---\na', '%TAG !e\n---\na', '%TAG e tag\n---\na', '%TAG !e!\n---\na', '%TAG !e! <\n---\na', '%TAG !e! tag:a\n---\n!e!b c', '%TAG !e! tag:a#\n---\na', '%TAG !e! a\n%TAG !e! b\n---\na', '%TAG ! tag:a,\n---\n!b c', '%TAG !! tag:yaml.org,2002:\n--- !!int 1', '%TAG !e!tag:a\n---\na',
  'a: &', 'a: &b', 'a: &b!', 'a: &b@ c', 'a: *b', 'a: * b', '- &a x\n- *a', '&a b: *a', '? &a [b]\n: *a', 'a: &b !!str c', 'a: !!str &b c', 'a: &b &c d', 'a: !!str !!str c', '&a [*a]', '- &a {b: c}\n- *a\n- *a',
  '!<tag:yaml.org,2002:int> 1', '!<x y', '!< x>', '!<x>y z', '!e!x y', '!x%41%c3%a9 y', '!x%4 y', '!x%ff y', '!x%c3x y', '!x%c3%41 y', '!x%e2%82%ac%f0%9f%98%80 y', '!! x', '! 12', '!x', '!x,y z', '!x{ y', '!!int 1\n', '!!int x', '!!float 1', '!!float 0x1', '!!float x', '!!bool true', '!!bool 1', '!!null ~', '!!null x', '!!binary YQ==', '!!binary Y', '!!binary "YQ\n =="', '!!str 1', '!!map {a: b}', '!!str', '!!null', '&a', '- !!str\n- b', '!own 1',
  '|\n a\n  b\n\n c\n', '|-\n a\n\n', '|+\n a\n\n', '|2\n   a\n', '|2-\n   a\n', '|-2\n   a\n', '|0\n a', '|-0\n a', '|+-\n a', '| x\n a', '| # c\n a', '|#c\n a', '|', '|\n', '|\n\ta', '|\n  \ta', '|1\n\ta', '>\n a\n b\n\n c\n  d\n e\n', '>\n\n a\n', '>-\n a\r\n b\n', '>\n a\u2028 b\n', 'a: |\n b\nc: >\n d\n', '- |\n a\n- |\n\n\n  b\n c', '|\n a\n---\nb', '[|]', 'a: |\nb: c', 'a:\n  - |2\n     b\n',
  '"a\\0\\a\\b\\t\\n\\v\\f\\r\\e\\ \\"\\\'\\\\\\N\\_\\L\\P\\x41\\u263a\\U0001F600"', '"\\\t"', '"\\q"', '"\\x4"', '"\\xgg"', '"\\ud800"', '"\\U00110000"', '"a', '"a\n', '"a\n---\nb"', '"a\n...\nb"', '"a\n--- b"', '"a \t \n \t b"', '"a\n\n\n b"', '"a\\\n   b"', '"a\\\n\n  b"', '"a \\\n"', '"a\u2028b"', '"a\u2028\n b"', '"\\', '\'a\'\'b\'', '\'a\n b\'', '\'', '\'a\\n\'', '"" ', '"a" b', '"a": b', '\'a\': b', '"a\n b": c',
  'a\n b', 'a\n b\n\n c', 'a\nb: c', 'a #b', 'a#b', 'a\n#b', 'a\n# b\n c', 'a:b', 'a: b: c', 'a\n\tb', 'a: b\n\tc', 'a: b\n \tc: d', 'a: b\u2028 c', 'a: b\u2028\n c', 'a\u0085b', 'a: -', 'a: -b', '-', '--', '---', '--- a', '---a', '...', '... a', 'a\n---\nb', 'a\n...\nb', 'a\n...\n%YAML 1.1\n---\nb', 'a\n... b', 'a: b\n---', '---\n---\na', '---\n...\n', '\ta: b', ' \ta: b', 'a:\tb', '-\ta', '- \ta: b', '?\ta', '@a', '`a', '%a: b', 'a: @b', 'a: %b',
  '- a\n- - b\n  - c\n-\n- d', '- a\nb', '-a', 'a:\n- b\n- c\nd: e', 'a:\n-\n-\nb: c', 'a: - b', '- a: b\n  c: d\n- e: f', '- a: b\n c: d', 'a:\n  b: c\n d: e', 'a:\n b:\n  c: d\ne: f', 'a\n: b', 'a : b', '? a\n: b\n? c\n: d', '? a\n? b', '?\n: a', ': a', 'a: b\n: c', '? - a\n  - b\n: - c', '? a: b\n: c: d', 'a: ? b', '? a\nb: c', 'a: {b: c}\n  d: e', '"a" : b\n"c": d', 'a:\n\n\n  b', 'a: b\n  c', 'a: b\nc', 'a\nb: c\nd', 'x: y\n - z',
  '[]', '{}', '[a, b]', '[a, b,]', '[,]', '[a,,b]', '[a b]', '[a', '[a]]', '[a}', ']', '}', 'a]', '{a: b, c: d}', '{a: b,}', '{a}', '{a, b}', '{a:b}', '{a: }', '{a:}', '{: a}', '{,}', '{a: b', '{a: b]', '{? a : b}', '{? a}', '{? , a}', '{?}', '{a: b c: d}', '[a: b]', '[a: b, c: d]', '[? a : b]', '[? a]', '[? : b]', '[?]', '[? , a]', '[a: ]', '[: a]', '[a: b c]', '[a:\n b]', '[a\n: b]', '{a\n: b}', '["a":b]', '{"a":b}', '["a\n":b]', '[a, [b, {c: d}], e]', '{a: [b, {c: d}], e: f}', '[#a\n]', '[a #b\n]', '[a\n---\n]', '[- a]', '[-]', '[-a]', '{- a: b}', '[a]: b', '{a: b}: c', '[]: a', '{}: a', '? []\n: a', '[a]: b\nc: d', '[[]]: a', '{a: b} c', '[a] b', '[\ta,\tb]', '[a?b]', '[a{b]', '[{a: b}: c]', '{[a]: b}', 'a: [\n]', 'a: [\nb]', '[a, &b c, *b]', '[!!int 1, !!str 2]',
  '<<: {a: b}', 'a: b\n<<: {a: c}', '<<: {a: c}\na: b', '"<<": {a: b}', '! <<: {a: b}', '!!merge <<: {a: b}', '<<: a', '<<: [a]', '<<: [{a: b}, {a: c}]', '- &a {b: c}\n- <<: *a', '- &a [b]\n- <<: *a', '<<: {<<: {a: b}}', '{<<: {a: b}}', '<<:', '*a : b', '- &a <<\n- *a : {b: c}',
  '1', '0x1f', '1.5', '1e400', 'yes', 'no', '~', 'null', '.inf', '-.inf', '.nan', '0b1', '0o7', '1_0', '18446744073709551615', '9223372036854775807', '2001-01-01', '2001-01-01 00:00:00', '1: a', 'true: a', '1.5: a', '~: a', '2001-01-01: a', '1e21', '1e-7', '-0.0', '123456789012345678901234567890', '0.0001',
  `"${'k'.repeat(1020)}": a`, `"${'k'.repeat(1030)}": a`, `${'k'.repeat(1030)}: a`, `a: b\n"${'k'.repeat(1030)}": a`, `{"${'k'.repeat(1030)}": a}`, `"${'\u{1f600}'.repeat(1020)}": a`, `"${'\u{1f600}'.repeat(1030)}": a`, `[${'a, '.repeat(400)}b]: c`, `? "${'k'.repeat(1030)}"\n: a`, `{a: b, "${'k'.repeat(1030)}" : c}`,
  `[{"${'k'.repeat(1100)}": [a]}, b]`, 'a\u00a0b: c', '\u{1f600}: a', 'a: \u{1f600}\n', 'a: b\r\nc: d\r', '\r\n\r\na', 'a\u0085- b'
]

/** For what is recorded: the rare ones, and some by chance. */
export function yamlTexts (random: Random): readonly string[] {
  return [...new Set([...RARE, ...Array.from({ length: 500 }, () => Buffer.from(yamlByChance(random)).toString())])]
}
