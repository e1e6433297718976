// Who looks at the same time gets the same, collected once, in the form that each reads.
import t from 'tap'
import { createMeter } from '../../src/metrics/meter.ts'
import { FORMS, addLasting, askLibrary, textOf, type OfLibrary } from '../../src/metrics/prom.ts'
import { createScrape } from '../../src/metrics/scrape.ts'

await t.test('all who look at once share one collection, and the next look begins a new one', async t => {
  let collected = 0
  const meter = createMeter()
  const scrape = createScrape(async () => {
    collected++
    await new Promise(resolve => { setImmediate(resolve) })
    return { snapshot: meter.snapshot(), libraries: [await askLibrary()] }
  })
  meter.ended(meter.placesOf({ route: 'index', action: 'pull', method: 'GET' }), { status: 200, reason: undefined, seconds: 0.002, ownSeconds: 0.0002, received: 10, sent: 20, made: 'kept' })
  const [text, same, open] = await Promise.all([scrape('text'), scrape('text'), scrape('openMetrics')]) as [string, string, string]
  t.equal(collected, 1)
  t.equal(text, same)
  t.match(text, /^chartgate_requests_total\{route="index",action="pull",outcome="success",reason="none"\} 1$/m)
  t.match(open, /^# TYPE chartgate_requests counter\nchartgate_requests_total\{/m)
  t.match(open, /\n# EOF\n$/)
  for (const each of [text, open]) t.notMatch(each, /_total_total|undefined|NaN/)
  t.match(text, /^http_server_request_duration_seconds_bucket\{le="\+Inf",http_route="index",http_request_method="GET",http_response_status_code="200"\} 1$/m)
  t.match(text, /^chartgate_own_duration_seconds_bucket\{le="0.0001",route="index"\} 0\n.*le="0.00025",route="index"\} 1$/m)
  t.match(text, /^chartgate_index_answers_total\{made="fresh"\} 0$/m, 'few series are there from the start')
  t.match(text, /^process_start_time_seconds \d+/m)
  t.notMatch(text, /nodejs_eventloop_lag|nodejs_active_\w+_total/)
  await scrape('text')
  t.equal(collected, 2)
  t.match(FORMS.text, 'text/plain')
})

await t.test('a collection that fails is told to who looked, and not to the next one', async t => {
  let fails = true
  const scrape = createScrape(async () => {
    if (fails) throw new Error('no')
    return { snapshot: { rows: {}, tenants: [] }, libraries: [] }
  })
  await t.rejects(scrape('text'), { message: 'no' })
  fails = false
  t.match(await scrape('text'), 'chartgate_tokens_issued_total 0')
})

const of = (name: string, type: string, value: number): OfLibrary => [{ name, help: 'x', type, aggregator: 'sum', values: [{ value, labels: {} }] }] as unknown as OfLibrary

await t.test('of what the library knew of a process that ended stays what never falls', async t => {
  const kept = await addLasting(await addLasting([], [...of('a_total', 'counter', 2), ...of('b', 'gauge', 7)]), of('a_total', 'counter', 3))
  t.match(kept, [{ name: 'a_total', values: [{ value: 5 }] }])
  t.equal(kept.length, 1)
})

await t.test('what the library counted in seconds is the same sum in whatever order processes are asked', async t => {
  for (const order of [[0.1, 0.2, 0.3], [0.3, 0.2, 0.1], [0.2, 0.3, 0.1]]) {
    const libraries = order.map(seconds => [...of('a_seconds_total', 'counter', seconds), ...of('b_seconds', 'gauge', 0.5)])
    const text = await textOf({ rows: {}, tenants: [] }, libraries, 'text')
    t.match(text, /^a_seconds_total 0\.6$/m)
    t.match(text, /^b_seconds 1\.5$/m)
  }
})
