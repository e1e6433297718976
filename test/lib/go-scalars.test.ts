// Each line was asked of Go itself; test/clients/scalars.test.ts asks it thousands more.
import t from 'tap'
import { goFloat, goScalarText, resolveGoScalar, type GoScalar } from '../../src/lib/go-scalars.ts'

const BIG = 2n ** 63n

const RESOLVED: readonly (readonly [text: string, value: GoScalar])[] = [
  ['', null], ['~', null], ['null', null], ['NULL', null], ['nULL', 'nULL'], ['~x', '~x'],
  ['y', true], ['Yes', true], ['on', true], ['TRUE', true], ['n', false], ['NO', false], ['Off', false], ['false', false], ['yEs', 'yEs'], ['t', 't'], ['nope', 'nope'],
  ['0', 0n], ['-0', 0n], ['+7', 7n], ['-1', -1n], ['010', 8n], ['0o17', 15n], ['0O17', 15n], ['0x1F', 31n], ['0X1f', 31n], ['-0x10', -16n], ['0b11', 3n], ['-0B11', -3n],
  ['0_x10', 16n], ['0_b11', 3n], ['0x_1', 1n], ['1_000', 1000n], ['1_', 1n], ['-_1', -1n], ['+__5', 5n], ['0b-11', -3n], ['0b+11', 3n], ['0b_-1_1', -3n], ['0B-11', '0B-11'], ['-0b-1', '-0b-1'],
  ['_1', '_1'], ['0x', '0x'], ['0xg', '0xg'], ['0o8', '0o8'], ['0b2', '0b2'], ['0b', '0b'], ['--1', '--1'], ['+', '+'], ['-_', '-_'], ['1-1', '1-1'], ['0b-', '0b-'],
  [String(BIG - 1n), BIG - 1n], [`+${BIG - 1n}`, BIG - 1n], [String(BIG), BIG], [`+${BIG}`, 2 ** 63], [`-${BIG}`, -BIG], [`-${BIG + 1n}`, -(2 ** 63)],
  [String(2n ** 64n - 1n), 2n ** 64n - 1n], [String(2n ** 64n), 2 ** 64], ['0xffffffffffffffff', 2n ** 64n - 1n], ['0x10000000000000000', '0x10000000000000000'],
  [`0b${'1'.repeat(65)}`, `0b${'1'.repeat(65)}`], [`0b-1${'0'.repeat(63)}`, -BIG], [`0b+1${'0'.repeat(63)}`, `0b+1${'0'.repeat(63)}`], [`0${'0'.repeat(100_000)}7`, 7n],
  ['08', 8], ['09.5', 9.5], ['1.', 1], ['1.10', 1.1], ['-.5', -0.5], ['+.5', 0.5], ['1e3', 1000], ['1e_5', 100000], ['1E-5', 0.00001], ['1_e1_0', 1e10], ['0e0', 0], ['1e400', '1e400'], ['-1e400', '-1e400'], ['1e-400', 0],
  ['.5', 0.5], ['.5_0', 0.5], ['.1e1_0', 1e9], ['._5', '._5'], ['.5_', '.5_'], ['.5__0', '.5__0'], ['.5e_1', '.5e_1'], ['.', '.'], ['..x', '..x'], ['.e1', '.e1'], ['.1e999', '.1e999'],
  ['.nan', NaN], ['.NaN', NaN], ['.nAn', '.nAn'], ['.inf', Infinity], ['+.Inf', Infinity], ['-.INF', -Infinity], ['inf', 'inf'], ['NaN', 'NaN'], ['Infinity', 'Infinity'],
  ['e1', 'e1'], ['1p3', '1p3'], ['0x1p3', '0x1p3'], ['1.2.3', '1.2.3'], ['1:30', '1:30'], ['2001-01-01', '2001-01-01'], ['<<', '<<'], ['=', '='], ['0\u0660', '0\u0660'], ['mychart', 'mychart']
]

await t.test('a plain scalar is what Go takes it for', async t => {
  for (const [text, value] of RESOLVED) t.strictSame(resolveGoScalar(text), value, JSON.stringify(text.slice(0, 80)))
})

await t.test('where text is wanted, numbers and truths are written as Go writes them', async t => {
  const written: readonly (readonly [Exclude<GoScalar, null>, string])[] = [
    ['e1', 'e1'], [true, 'true'], [false, 'false'], [-16n, '-16'], [2n ** 64n - 1n, '18446744073709551615'], [1.1, '1.1'], [100000, '100000'], [1e6, '1e+06'], [1234567.5, '1.2345675e+06'], [2 ** 64, '1.8446744e+19'], [NaN, 'NaN'], [Infinity, '+Inf'], [-Infinity, '-Inf']
  ]
  for (const [value, text] of written) t.equal(goScalarText(value), text)
})

await t.test('a float has the fewest digits that give it back, the nearer of two, and the even one of two as near', async t => {
  const floats: readonly (readonly [number, 32 | 64, string])[] = [
    [0, 32, '0'], [-0, 32, '-0'], [-0, 64, '-0'], [-1.5, 32, '-1.5'], [0.1, 32, '0.1'], [1e300, 32, '+Inf'], [1e300, 64, '1e+300'], [1e-5, 64, '1e-05'], [0.0001, 64, '0.0001'],
    [0.0478515625, 32, '0.047851562'], [45.8203125, 32, '45.820312'], [1980.03125, 32, '1980.0312'], [0.0234375 + 2 ** -20, 32, '0.023438454'],
    [1.5474250491067253e+26, 32, '1.5474251e+26'], [1.262177448353619e-29, 32, '1.2621775e-29'], [1.401298464324817e-45, 32, '1e-45']
  ]
  for (const [value, bits, text] of floats) t.equal(goFloat(value, bits), text)
})
