import t from 'tap'
import { exactly, faultOf, indexOf, notModified, tagsOf, tokenAnswer, type Expectation } from '../../benchmarks/load/expectations.ts'
import { readAutocannon, readWrk } from '../../benchmarks/load/outputs.ts'

const WRK = `Running 1s test @ http://127.0.0.1:1234/x
  1 threads and 32 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.20ms    3.10ms  40.00ms   90.00%
    Req/Sec    30.10k     1.00k   31.00k    80.00%
  30000 requests in 1.00s, 20.00MB read
Requests/sec:  30000.00
Transfer/sec:     20.00MB

report {"requests":30000,"microseconds":1000500,"bytes":20971520,"p50":83,"connect":0,"read":0,"write":0,"status":0,"timeout":0,"once":0}
`

await t.test("wrk's report is read, whatever else it printed", async t => {
  t.strictSame(readWrk(WRK), { requests: 30000, seconds: 1.0005, bytes: 20971520, p50: 0.083, faults: {} })
  t.match(readWrk(WRK.replace('"once":0', '"once":2500000')), { once: 2.5 })
})

await t.test('every kind of error that wrk counts is a fault', async t => {
  for (const kind of ['connect', 'read', 'write', 'status', 'timeout']) {
    t.strictSame(Object.values(readWrk(WRK.replace(`"${kind}":0`, `"${kind}":7`)).faults), [7], kind)
  }
})

await t.test('a generator that reported nothing is not one that found nothing', async t => {
  t.throws(() => readWrk('unable to connect to 127.0.0.1:1234 Connection refused'), /wrk reported nothing: unable to connect/)
  t.throws(() => readAutocannon(''), /autocannon reported nothing/)
})

const AUTOCANNON = { requests: { total: 5000 }, duration: 1.02, throughput: { total: 4_000_000 }, errors: 0, timeouts: 0, '1xx': 0, '2xx': 5000, '3xx': 0, '4xx': 0, '5xx': 0, latency: { p50: 0 } }

await t.test("autocannon's JSON is read to the same form, without its whole milliseconds", async t => {
  t.strictSame(readAutocannon(JSON.stringify(AUTOCANNON) + '\n'), { requests: 5000, seconds: 1.02, bytes: 4_000_000, faults: {} })
  t.strictSame(readAutocannon(JSON.stringify({ ...AUTOCANNON, '3xx': 5000 })).faults, {}, 'a 304 may be what was asked for')
})

await t.test('every kind of error that autocannon counts is a fault', async t => {
  for (const wrong of [{ errors: 7 }, { errors: 7, timeouts: 7 }, { '4xx': 7 }, { '5xx': 7 }]) {
    t.strictSame(Object.values(readAutocannon(JSON.stringify({ ...AUTOCANNON, ...wrong })).faults), [7])
  }
})

await t.test('a turn counts only if its answers were of the expected kind and size', async t => {
  const answer = { status: 200, headers: {}, body: Buffer.alloc(500) }
  const load = { requests: 100, seconds: 1, bytes: 100 * 800, faults: {} }
  t.equal(faultOf(load, answer, 32), undefined)
  t.equal(faultOf({ ...load, faults: { timeouts: 2, 'failed reads': 1 } }, answer, 32), '2 timeouts, 1 failed reads among 100 requests')
  t.equal(faultOf({ ...load, requests: 0 }, answer, 32), 'there was no answer at all')
  t.match(faultOf({ ...load, bytes: 100 * 300 }, answer, 32), /500 each was expected/, 'bodies were smaller')
  t.match(faultOf({ ...load, bytes: 100 * 9000 }, answer, 32), /500 each was expected/, 'bodies were larger')
})

await t.test('an answer is what was asked for, or it is said what it is instead', async t => {
  const entry = '  - name: x\n    urls:\n    - charts/x-1.0.0.tgz\n'
  const table: readonly [Expectation, status: number, good: string, bad: string][] = [
    [indexOf(2), 200, `entries:\n${entry}${entry}`, `entries:\n${entry}`],
    [exactly(Buffer.from('chart')), 200, 'chart', 'charts'],
    [notModified, 304, '', 'index'],
    [tagsOf(['0.9.0', '0.10.0']), 200, '{"name":"x","tags":["0.10.0","0.9.0"]}\n', '{"name":"x","tags":["0.9.0"]}'],
    [tokenAnswer, 200, '{"access_token":"eyJ"}', '{"error":"x"}']
  ]
  for (const [expect, status, good, bad] of table) {
    t.equal(expect({ status, headers: {}, body: Buffer.from(good) }), undefined)
    t.type(expect({ status, headers: {}, body: Buffer.from(bad) }), 'string')
    t.match(expect({ status: 401, headers: {}, body: Buffer.from(good) }), /the status is 401/)
  }
})
