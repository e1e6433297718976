import t from 'tap'
import { refusalIn } from '../../helpers/refusal.ts'
import { rangeOf, saidPart } from '../../../src/doors/oci/content-range.ts'

await t.test('a part is its first and last byte, with or without a unit', async t => {
  t.equal(saidPart(undefined), undefined)
  t.strictSame(saidPart('0-0'), { first: 0, size: 1 })
  t.strictSame(saidPart('1000-1999'), { first: 1000, size: 1000 })
  t.strictSame(saidPart('bytes 5-9'), { first: 5, size: 5 })
})

await t.test('what makes no sense is refused', async t => {
  for (const text of ['', '5', '-5', '5-', '5-4', '0-9/10', 'bytes=0-9', 'a-b', '0-9999999999999999']) t.match(refusalIn(() => saidPart(text)), { code: 'oci_size_invalid' }, text)
})

await t.test('how far an upload is has a last byte also when there is none', async t => {
  t.strictSame([0, 1, 1000].map(rangeOf), ['0-0', '0-0', '0-999'])
})
