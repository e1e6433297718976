import { Readable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import type { Dispatcher } from 'undici'
import { createProxied } from '../../src/upstream/proxied.ts'

const HEADERS = { 'content-type': 'application/json' }

/** What the library's client is told, in its words. */
async function told (dispatcher: Dispatcher): Promise<unknown[]> {
  const { statusCode, headers, body } = await dispatcher.request({ origin: 'http://upstream.test', path: '/', method: 'GET', headers: { 'x-request-id': 'one' } })
  return [statusCode, headers, await body.text()]
}

await t.test('what is answered is asked for by the id of the request', async t => {
  const ids: string[] = []
  const dispatcher = createProxied(async id => {
    ids.push(id)
    return { kind: 'whole', status: 200, headers: HEADERS, body: Buffer.from('{}') }
  })
  t.strictSame(await told(dispatcher), [200, HEADERS, '{}'])
  t.strictSame(ids, ['one'])
})

await t.test('nothing and a stream come through, and a failure is an empty 502', async t => {
  t.strictSame(await told(createProxied(async () => ({ kind: 'whole', status: 200, headers: HEADERS, body: Buffer.alloc(0) }))), [200, HEADERS, ''])
  t.strictSame(await told(createProxied(async () => ({ kind: 'streamed', status: 200, headers: HEADERS, body: Readable.from([Buffer.from('a'), Buffer.from('b')]) }))), [200, HEADERS, 'ab'])
  t.strictSame(await told(createProxied(async () => 'failed')), [502, {}, ''])
})

await t.test('for whoever has gone nothing is told', async t => {
  t.equal(await Promise.race([told(createProxied(async () => 'nobody')), sleep(20, 'nothing')]), 'nothing')
})

await t.test('what breaks off in the middle breaks off', async t => {
  const body = new Readable({ read () { this.push('a'); this.destroy(new Error('gone')) } })
  await t.rejects(told(createProxied(async () => ({ kind: 'streamed', status: 200, headers: {}, body }))), { message: 'gone' })
})

await t.test('no more is read than somebody takes, and what nobody wants any more is let go of', async t => {
  const body = new Readable({ highWaterMark: 1, read () { setImmediate(() => { this.push(Buffer.alloc(16_384)) }) } })
  const dispatcher = createProxied(async () => ({ kind: 'streamed', status: 200, headers: {}, body }))
  const answer = await dispatcher.request({ origin: 'http://upstream.test', path: '/', method: 'GET', headers: { 'x-request-id': 'one' } })
  for (let held = false; !held; held = body.isPaused()) await sleep(1)
  answer.body.resume()
  for (let goesOn = false; !goesOn; goesOn = !body.isPaused()) await sleep(1)
  answer.body.on('error', () => {})
  answer.body.destroy()
  for (let gone = false; !gone; gone = body.destroyed) await sleep(1)
  t.ok(body.destroyed)
})

await t.test('a handler can see whether it holds up or has ended what it gets', async t => {
  const body = new Readable({ read () {} })
  const controller = await new Promise<Dispatcher.DispatchController>(resolve => {
    createProxied(async () => ({ kind: 'streamed', status: 200, headers: {}, body })).dispatch({ path: '/', method: 'GET', headers: { 'x-request-id': 'one' } }, { onRequestStart: resolve, onResponseError () {} })
  })
  t.strictSame([controller.paused, controller.aborted], [false, false])
  controller.pause()
  t.equal(controller.paused, true)
  controller.resume()
  const reason = new Error('enough')
  controller.abort(reason)
  t.strictSame([controller.paused, controller.aborted, controller.reason, body.destroyed], [false, true, reason, true])
})
