import { Readable } from 'node:stream'
import fc from 'fast-check'
import t from 'tap'
import { LONGEST_LINE, passLines } from '../../../src/serve/workers/lines.ts'

async function passed (chunks: readonly Buffer[]): Promise<string[]> {
  const source = Readable.from(chunks, { objectMode: false })
  const written: string[] = []
  passLines(source, lines => { written.push(lines) })
  await new Promise(resolve => { source.once('end', resolve) })
  await new Promise(resolve => { setImmediate(resolve) })
  return written
}

await t.test('only whole lines are written, however they came', async t => {
  t.same(await passed(['{"a":1}\n{"b"', ':2}', '\n{"c":3}\n{"d":4}\n'].map(text => Buffer.from(text))), ['{"a":1}\n', '{"b":2}\n{"c":3}\n{"d":4}\n'])
  t.same(await passed([Buffer.from('cut o'), Buffer.from('ff')]), ['cut off\n'])
  t.same(await passed([]), [])
})

await t.test('a line without an end is not kept for ever: it gets one', async t => {
  const chunk = Buffer.alloc(LONGEST_LINE / 4, 'x')
  const written = await passed([...Array.from({ length: 9 }, () => chunk), Buffer.from('y\nz\n')])
  t.same(written.map(text => text.length), [LONGEST_LINE * 1.25 + 1, LONGEST_LINE + 4])
  t.same(written.map(text => text.slice(-5)), ['xxxx\n', 'y\nz\n'.padStart(5, 'x')])
})

await t.test('no byte is lost, added or torn, also within a character', async () => {
  await fc.assert(fc.asyncProperty(fc.array(fc.string({ unit: 'grapheme' }).map(text => text.replaceAll('\n', '')), { minLength: 1 }), fc.array(fc.nat(40)), async (lines, cuts) => {
    const all = Buffer.from(lines.map(line => `${line}\n`).join(''))
    const chunks: Buffer[] = []
    let from = 0
    for (const cut of [...cuts, all.length]) {
      if (cut > 0 && from < all.length) chunks.push(all.subarray(from, from + cut))
      from += cut
    }
    const written = await passed(chunks)
    return written.join('') === all.toString() && written.every(each => each.endsWith('\n'))
  }), { numRuns: 200 })
})
