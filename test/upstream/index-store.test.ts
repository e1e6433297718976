// Every answer is of after its request, however many ask at once; what is made of the
// bytes is made once; memory is bounded; and a change is never hidden by what was read
// before it.
import t from 'tap'
import { gunzipSync } from 'node:zlib'
import type { ChartRequest } from '../../src/chartmuseum/chart-request.ts'
import type { IndexAnswer } from '../../src/upstream/index-reader.ts'
import type { Company } from '../../src/lib/company.ts'
import type { Asking } from '../../src/upstream/asker.ts'
import { createIndexStore, type IndexResult, type IndexStore } from '../../src/upstream/index-store.ts'
import { someAsker } from '../helpers/askers.ts'

const indexText = (mark: string | number): string => `apiVersion: v1\nentries:\n  c:\n  - name: c\n    urls:\n    - charts/c-${mark}.tgz\nserverInfo: {}\n`

interface Asked { readonly tenant: string, answer (result: IndexAnswer): void }

interface Lab {
  readonly store: IndexStore
  /** Requests to the upstream that wait for their answer. */
  readonly asked: Asked[]
  /** What was said of entries that are left out. */
  readonly warned: unknown[]
  /** Of all tenants, since the beginning. */
  count: number
  now: number
  holds: boolean
  ask (tenant: string): Promise<IndexResult>
  /** Answers the oldest request. */
  answer (mark: string | number): Promise<void>
  fail (): Promise<void>
}

function lab ({ maxAge = 0, maxBytes = 10_000 } = {}): Lab {
  const asked: Asked[] = []
  const state = { count: 0, now: 0, holds: true }
  const reader = {
    async read (request: ChartRequest, company: Company<Asking>): Promise<IndexAnswer> {
      company.begin()
      state.count++
      return await new Promise(resolve => { asked.push({ tenant: request.tenant, answer: resolve }) })
    }
  }
  const warned: unknown[] = []
  const store = createIndexStore({ reader, place: { basePath: '' }, maxAge: () => maxAge, maxBytes: () => maxBytes, clock: () => state.now, holds: () => state.holds, warn: line => { warned.push(line) } })
  const settle = async (result: IndexAnswer): Promise<void> => {
    asked.shift()?.answer(result)
    await new Promise(resolve => { setImmediate(resolve) })
  }
  return Object.assign(state, {
    store,
    asked,
    warned,
    ask: async (tenant: string) => await store.read({ tenant, tenantPath: tenant } as ChartRequest, someAsker({ tenant })),
    answer: async (mark: string | number) => { await settle({ ok: true, body: Buffer.from(indexText(mark)) }) },
    fail: async () => { await settle({ ok: false, refusal: { code: 'upstream_unreachable' }, cause: 'down' }) }
  })
}

const mark = (result: IndexResult): string => result.ok ? (/c-(.*)\.tgz/.exec(result.body.toString())?.[1] ?? '') : result.refusal.code

await t.test('who comes while a request runs waits for the next one, all of them together', async t => {
  const l = lab()
  const first = l.ask('a')
  const late = [l.ask('a'), l.ask('a'), l.ask('a')]
  t.equal(l.asked.length, 1)
  await l.answer(1)
  t.equal(mark(await first), '1')
  const later = l.ask('a')
  t.equal(l.asked.length, 1, 'one request for the three that waited')
  await l.answer(2)
  for (const each of late) t.equal(mark(await each), '2')
  await l.answer(3)
  t.equal(mark(await later), '3')
  t.equal(l.count, 3)
  const alone = l.ask('a')
  await l.answer(4)
  t.equal(mark(await alone), '4')
})

await t.test('tenants do not wait for each other, and none gets the index of another', async t => {
  const l = lab()
  const [a, b] = [l.ask('a'), l.ask('b')]
  t.same(l.asked.map(({ tenant }) => tenant), ['a', 'b'])
  await l.answer('of-a')
  await l.answer('of-b')
  t.same([mark(await a), mark(await b)], ['of-a', 'of-b'])
})

await t.test('when the upstream fails everybody who waits learns it, and nothing of it is kept', async t => {
  const l = lab({ maxAge: 100 })
  const first = l.ask('a')
  await l.answer(1)
  await first
  t.ok(l.store.fresh('a'))
  l.now = 200_000
  const failing = [l.ask('a'), l.ask('a'), l.ask('a')]
  await l.fail()
  await l.fail()
  for (const each of failing) t.equal(mark(await each), 'upstream_unreachable')
  t.equal(l.store.fresh('a'), undefined)
  const again = l.ask('a')
  await l.answer(2)
  t.equal(mark(await again), '2')
})

await t.test('an index that nobody can be sent is an error for all, and not kept', async t => {
  const l = lab({ maxAge: 100 })
  const asked = l.ask('a')
  l.asked.shift()?.answer({ ok: true, body: Buffer.from('<html>') })
  t.match(await asked, { ok: false, refusal: { code: 'upstream_bad_answer' }, cause: /no entries/ })
  t.equal(l.store.fresh('a'), undefined)
})

await t.test('the same bytes are the same index, with all that was made of it', async t => {
  const l = lab()
  const results: IndexResult[] = []
  for (const mark of [1, 1, 2, 1]) {
    const asked = l.ask('a')
    await l.answer(mark)
    results.push(await asked)
  }
  const [first, same, other, back] = results as [IndexResult & { ok: true }, IndexResult, IndexResult & { ok: true }, IndexResult & { ok: true }]
  t.equal(first, same)
  t.not(first.etag, other.etag)
  t.equal(first.etag, back.etag, 'an ETag is of the bytes')
  t.match(first.etag, /^"[\w-]{22}"$/)
  t.equal(first.gzipped(), first.gzipped(), 'and is pressed together once')
  t.equal(gunzipSync(await first.gzipped()).toString(), indexText(1))
})

await t.test('for maxAge an index is answered from memory, and not a moment longer', async t => {
  const l = lab({ maxAge: 2 })
  const asked = l.ask('a')
  l.now = 500
  await l.answer(1)
  await asked
  l.now = 1999
  t.equal(mark(l.store.fresh('a') as IndexResult), '1')
  l.now = 2000
  t.equal(l.store.fresh('a'), undefined, 'its age counts from when it was asked for')
  t.equal(l.store.fresh('b'), undefined)
  const zero = lab()
  const once = zero.ask('a')
  await zero.answer(1)
  await once
  t.equal(zero.store.fresh('a'), undefined, 'with 0s there is no such thing')
})

await t.test('a change drops what is remembered, and what is on its way', async t => {
  const l = lab({ maxAge: 100 })
  const first = l.ask('a')
  await l.answer(1)
  await first
  l.store.drop('b', true)
  t.ok(l.store.fresh('a'), 'of its own tenant alone')
  l.store.drop('a', true)
  t.equal(l.store.fresh('a'), undefined)

  const running = l.ask('a')
  l.store.drop('a', true)
  l.now = 1
  const after = l.ask('a')
  await l.answer('before')
  t.equal(mark(await running), 'before', 'its request was older than the change')
  t.equal(l.store.fresh('a'), undefined, 'but nobody else gets it')
  await l.answer('after')
  t.equal(mark(await after), 'after')
  t.equal(mark(l.store.fresh('a') as IndexResult), 'after')

  const same = l.ask('a')
  l.store.drop('a', true)
  await l.answer('after')
  await same
  t.equal(l.store.fresh('a'), undefined, 'the same bytes neither')
})

await t.test('after a change that the upstream may come to show later nothing is remembered for ten seconds', async t => {
  const l = lab({ maxAge: 100 })
  l.store.drop('a', false)
  l.now = 1
  l.store.drop('a', true) // what is shown meanwhile is another change
  for (const [now, isKept] of [[2, false], [10_000, false], [10_001, true]] as const) {
    l.now = now
    for (const tenant of ['a', 'b']) {
      const asked = l.ask(tenant)
      await l.answer('x')
      await asked
      t.equal(l.store.fresh(tenant) !== undefined, isKept || tenant === 'b', `${tenant} ${now} ms after`)
    }
  }
})

await t.test('a tenant whose change is forgotten, because ten thousand others changed since, has nothing in memory of before it', async t => {
  const l = lab({ maxAge: 100 })
  const [late, other] = [l.ask('a'), l.ask('b')]
  l.now = 5
  l.store.drop('a', true)
  l.now = 6
  for (let i = 0; i < 10_000; i++) l.store.drop(`other-${i}`, true)
  await l.answer('before')
  await late
  t.equal(l.store.fresh('a'), undefined)
  await l.answer('x')
  await other
  t.equal(l.store.fresh('b'), undefined, 'nor has who was asked for before that')
  for (const tenant of ['a', 'b']) {
    const asked = l.ask(tenant)
    await l.answer('x')
    await asked
    t.ok(l.store.fresh(tenant))
  }
})

await t.test('nothing is answered from memory while that may be of before a change, and what was read stays', async t => {
  const it = lab({ maxAge: 10 })
  const first = it.ask('a')
  await it.answer(1)
  await first
  it.holds = false
  t.equal(it.store.fresh('a'), undefined)
  it.holds = true
  t.ok(it.store.fresh('a'))
})

await t.test('a change of any tenant drops everything that is remembered, and all that is on its way', async t => {
  const it = lab({ maxAge: 10 })
  for (const tenant of ['a', 'b']) {
    const asked = it.ask(tenant)
    await it.answer(1)
    await asked
  }
  const late = it.ask('c')
  it.now = 1
  it.store.drop(undefined, false)
  await it.answer(1)
  await late
  t.same(['a', 'b', 'c'].map(tenant => it.store.fresh(tenant)), [undefined, undefined, undefined])
  for (const [now, isKept] of [[10_001, false], [10_002, true]] as const) {
    it.now = now
    const again = it.ask('a')
    await it.answer(1)
    await again
    t.equal(it.store.fresh('a') !== undefined, isKept, `asked for at ${now} ms`)
  }
})

await t.test('an index that is larger than the memory is answered and not kept', async t => {
  const l = lab({ maxAge: 100, maxBytes: 10 })
  const asked = l.ask('a')
  await l.answer(1)
  t.equal(mark(await asked), '1')
  t.equal(l.store.fresh('a'), undefined)
})

await t.test('memory is bounded: who was not asked for the longest goes first', async t => {
  const room = lab({ maxAge: 100 })
  const first = room.ask('a')
  await room.answer('x')
  await first
  const l = lab({ maxAge: 100, maxBytes: 3 * room.store.used })
  const load = async (tenant: string): Promise<void> => {
    const asked = l.ask(tenant)
    await l.answer('x')
    await asked
  }
  for (const tenant of ['a', 'b', 'c']) await load(tenant)
  t.ok(l.store.fresh('a'))
  await load('d')
  t.same(['a', 'b', 'c', 'd'].map(tenant => l.store.fresh(tenant) !== undefined), [true, false, true, true])
  t.ok(l.store.used <= 3 * room.store.used)
})

await t.test('what is left out of an index is said once, and not again when it is read anew', async t => {
  const l = lab()
  const text = (generated: string): Buffer => Buffer.from(`apiVersion: v1\nentries:\n  c:\n  - name: c\n    urls:\n    - https://elsewhere.example.test/x\n    version: "1"\ngenerated: ${generated}\nserverInfo: {}\n`)
  const read = async (answer: IndexAnswer): Promise<void> => {
    const asked = l.ask('a')
    l.asked.shift()?.answer(answer)
    await asked
  }
  for (const generated of ['x', 'x', 'y']) await read({ ok: true, body: text(generated) })
  await read({ ok: false, refusal: { code: 'upstream_unreachable' }, cause: 'down' })
  await read({ ok: true, body: text('y') })
  t.match(l.warned, [{ tenant: 'a', chart: 'c', version: '1', file: 'x', reason: 'leads_elsewhere', detail: /--chart-url/ }])
  t.equal(l.warned.length, 1)
})
