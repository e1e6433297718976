import fc from 'fast-check'
import t from 'tap'
import { isSayable } from '../../src/words/chart-names.ts'
import { decodeSegment, encodeSegment } from '../../src/words/segment.ts'

const CASES: readonly (readonly [text: string, raw: string])[] = [
  ['mychart-0.1.0.tgz', 'mychart-0.1.0.tgz'],
  ['a_b~c+d', 'a_b~c+d'],
  ['mychart-0.1.0 (1).tgz', 'mychart-0.1.0%20%281%29.tgz'],
  ["!'()*&:;=@,$[]#?^%", '%21%27%28%29%2A%26%3A%3B%3D%40%2C%24%5B%5D%23%3F%5E%25'],
  ['gr\u00f6\u00dfe', 'gr%C3%B6%C3%9Fe'],
  ['\u{1f600}', '%F0%9F%98%80'],
  ['\u2028', '%E2%80%A8'],
  ['a%20b', 'a%2520b']
]

await t.test('a text has one spelling, and a spelling one text', t => {
  for (const [text, raw] of CASES) {
    t.equal(encodeSegment(text), raw)
    t.equal(decodeSegment(raw), text)
  }
  t.end()
})

await t.test('%2B stands for +, and no other spelling for anything', t => {
  for (const raw of ['a+b%20c', 'a%2Bb%20c', 'a%2bb%20c']) t.equal(decodeSegment(raw), 'a+b c')
  const others = [
    'mychart%2D0.1.0', '%61', '%2E%2E', '%7E', '%5F', // encoded without need
    'a%20(1)', 'a b', "it's", 'a@b', 'a:b', 'a^b', 'gr\u00f6\u00dfe', 'a\\b', 'a?b', // not encoded
    'gr%c3%b6%c3%9fe', 'a%5eb', 'a%2ab', // small letters
    '%', '%2', '%zz', 'a%', '%u00f6', // no encoding
    '%FF', '%C3', '%C3%28', '%C0%AF', '%E0%80%AE', '%ED%A0%80', '%F4%90%80%80' // no UTF-8
  ]
  for (const raw of others) t.equal(decodeSegment(raw), undefined, raw)
  t.end()
})

await t.test('whatever is decoded comes out as it went in, and whatever goes in can be decoded', async () => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }).filter(text => !/\p{Cs}/u.test(text)), text => decodeSegment(encodeSegment(text)) === text), { numRuns: 1_000 })
  const piece = fc.constantFrom('%', '2', 'B', 'b', '%2B', '%2F', '%20', '%C3', '%B6', 'a', '.', '+', ' ', '(', '\u00f6')
  fc.assert(fc.property(fc.array(piece, { maxLength: 8 }).map(parts => parts.join('')), raw => {
    const text = decodeSegment(raw)
    return text === undefined || encodeSegment(text) === raw.replace(/%2B/gi, '+')
  }), { numRuns: 3_000 })
  fc.assert(fc.property(fc.string({ unit: 'binary' }), text => !isSayable(text) || /^(?:[A-Za-z0-9._~+-]|%[0-9A-F]{2})+$/.test(encodeSegment(text))), { numRuns: 1_000 })
})
