import fc from 'fast-check'
import t from 'tap'
import { partOf, sliced } from '../../src/http/byte-range.ts'

const TAG = '"a"'

await t.test('one range of bytes is a part; what is none is the whole', async t => {
  const cases: [range: string | undefined, part: object | string | undefined][] = [
    [undefined, undefined], ['bytes=0-3', { first: 0, last: 3 }], ['bytes=2-', { first: 2, last: 9 }], ['bytes=5-99', { first: 5, last: 9 }],
    ['bytes=-3', { first: 7, last: 9 }], ['bytes=-99', { first: 0, last: 9 }], ['bytes=-0', 'none'], ['bytes=10-', 'none'], ['bytes=10-12', 'none'],
    ['bytes=3-2', undefined], ['bytes=-', undefined], ['bytes=0-1,3-4', undefined], ['lines=0-1', undefined], ['bytes=a-b', undefined], [`bytes=${'9'.repeat(16)}-`, undefined]
  ]
  for (const [range, part] of cases) t.strictSame(partOf({ range }, TAG, 10), part, String(range))
  t.equal(partOf({ range: 'bytes=0-0' }, TAG, 0), 'none', 'nothing has no part')
})

await t.test('who has the rest of other bytes gets the whole', async t => {
  t.strictSame(partOf({ range: 'bytes=2-', 'if-range': TAG }, TAG, 10), { first: 2, last: 9 })
  for (const same of ['"b"', `W/${TAG}`, 'Mon, 13 Nov 2023 22:13:20 GMT', '']) {
    for (const range of ['bytes=2-', 'bytes=10-']) t.equal(partOf({ range, 'if-range': same }, TAG, 10), undefined, `${range} if ${same}`)
  }
})

await t.test('a part of what goes by is the same as of the whole', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 6 })), fc.nat({ max: 20 }), fc.nat({ max: 20 }), async (chunks, first, more) => {
    const part = { first, last: first + more }
    const pieces: Uint8Array[] = []
    for await (const piece of sliced((async function * () { yield * chunks }()), part)) pieces.push(piece)
    return Buffer.concat(pieces).equals(Buffer.concat(chunks).subarray(first, first + more + 1))
  }))
})
