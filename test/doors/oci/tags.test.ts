import fc from 'fast-check'
import t from 'tap'
import { pageOf, tagsOf } from '../../../src/doors/oci/tags.ts'

await t.test('versions that a tag can say are listed once, in the order of their bytes', async t => {
  t.strictSame(tagsOf(['1.10.0', '1.9.0', 'v1.0.0', '1.0.0+b', 'V', `1.0.0-${'x'.repeat(200)}`, '1.9.0', 'a b']), ['1.0.0_b', '1.10.0', '1.9.0', 'V', 'v1.0.0'])
})

await t.test('a part ends where it was said to, and names the next', async t => {
  const tags = ['a', 'b', 'c']
  t.strictSame(pageOf(tags, undefined, undefined), { tags })
  t.strictSame(pageOf(tags, 2, undefined), { tags: ['a', 'b'], next: 'n=2&last=b' })
  t.strictSame(pageOf(tags, 2, 'b'), { tags: ['c'] })
  t.strictSame(pageOf(tags, 3, undefined), { tags })
  t.strictSame(pageOf(tags, 0, undefined), { tags: [] })
  t.strictSame(pageOf(tags, undefined, 'aa'), { tags: ['b', 'c'] }, 'also behind what is none')
})

await t.test('all parts together are all tags', async () => {
  fc.assert(fc.property(fc.uniqueArray(fc.stringMatching(/^[a-z0-9]{1,4}$/)), fc.integer({ min: 1, max: 5 }), (names, n) => {
    const all = tagsOf(names)
    const seen: string[] = []
    let last: string | undefined
    for (;;) {
      const page = pageOf(all, n, last)
      seen.push(...page.tags)
      if (page.next === undefined) break
      last = new URLSearchParams(page.next).get('last') as string
    }
    return seen.join() === all.join()
  }))
})
