// How much is kept, as it is counted: all that hangs on an entry, and no buffer that is
// larger than what it holds. How far the count is from what a process takes is in
// test/regressions/49-memory-is-counted.test.ts.
import t from 'tap'
import { gunzipSync } from 'node:zlib'
import { createIndexMemory, type IndexMemory } from '../../src/upstream/index-memory.ts'

const EMPTY = Buffer.from('apiVersion: v1\nentries: {}\nserverInfo: {}\n')

await t.test('the name of the tenant, the bytes, their text and what is pressed together are counted', async t => {
  const countOf = (tenant: string, raw: Buffer, body = raw): number => {
    const memory = createIndexMemory(() => 1e9)
    memory.put(tenant, raw, body, 0)
    return memory.used
  }
  const empty = countOf('a', EMPTY)
  t.ok(empty > 1_700, `${empty}: an empty tenant takes more than its bytes`)
  t.ok(countOf('a'.repeat(10_001), EMPTY) >= empty + 10_000)
  t.ok(countOf('a', Buffer.alloc(10_000, 'x')) >= empty + 3 * 9_000, 'with a text of its own')
  t.ok(countOf('a', Buffer.alloc(100_000, 'x')) >= empty + 90_000, 'without one')
  t.ok(countOf('a', Buffer.alloc(100_000, 'x'), Buffer.alloc(100_001, 'x')) >= empty + 190_000, 'what was read, and what is made of it')
  const memory = createIndexMemory(() => 1e9)
  const index = memory.put('a', EMPTY, EMPTY, 0)
  const { length } = await index.gzipped()
  t.ok(memory.used >= empty + length)
  await index.gzipped()
  t.ok(memory.used < empty + 2 * length + 1_000, 'once')
  memory.forget('a')
  memory.forget('a')
  t.equal(memory.used, 0)
  t.end()
})

await t.test('a buffer keeps no memory but its own', async t => {
  const memory = createIndexMemory(() => 1e9)
  const raw = Buffer.from('apiVersion: v1\n'); const body = Buffer.from('apiVersion: v2\n')
  t.not(raw.buffer.byteLength, raw.length, 'a small one is a part of a large one')
  const index = memory.put('a', raw, body, 0)
  for (const each of [memory.get('a')?.raw as Buffer, index.body, await index.gzipped()]) t.equal(each.buffer.byteLength, each.length)
  t.strictSame([memory.get('a')?.raw.toString(), index.body.toString(), gunzipSync(await index.gzipped()).toString()], ['apiVersion: v1\n', 'apiVersion: v2\n', 'apiVersion: v2\n'])
  const same = memory.put('b', raw, raw, 0)
  t.equal(same.body, memory.get('b')?.raw, 'and what is the same is there once')
  const whole = Buffer.alloc(100_000, 'x')
  t.equal(memory.put('c', whole, whole, 0).body, whole)
})

await t.test('a small index is written as a text of the same bytes, a long one as it is', t => {
  const memory = createIndexMemory(() => 1e9)
  for (const [body, isText] of [[EMPTY, true], [Buffer.from('gr\u00f6\u00dfe'), true], [Buffer.from([0xff, 0x41]), false], [Buffer.alloc(20_000, 'x'), false]] as const) {
    const { payload } = memory.put('a', body, body, 0)
    t.equal(typeof payload, isText ? 'string' : 'object')
    t.ok(Buffer.from(payload as string).equals(body))
  }
  t.end()
})

await t.test('what is pressed together makes others go, and counts for nobody who has gone', async t => {
  const one = createIndexMemory(() => 1e9)
  one.put('a', EMPTY, EMPTY, 0)
  const memory: IndexMemory = createIndexMemory(() => 3 * one.used)
  const [a, b] = ['a', 'b', 'c'].map(tenant => memory.put(tenant, EMPTY, EMPTY, 0))
  await b?.gzipped()
  t.same(['a', 'b', 'c'].map(tenant => memory.get(tenant) !== undefined), [false, true, true])
  const { used } = memory
  await a?.gzipped()
  t.equal(memory.used, used)
  memory.put('large', Buffer.alloc(100_000), Buffer.alloc(100_001), 0)
  t.equal(memory.used, 0, 'what is larger than all of it is not kept, and neither is anything else')
})
