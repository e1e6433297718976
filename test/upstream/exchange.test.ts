// One question to the upstream, event by event: who is there, what comes, and when the
// connection is given back.
import { text } from 'node:stream/consumers'
import t from 'tap'
import type { Dispatcher } from 'undici'
import { RefusalError } from '../../src/http/errors.ts'
import { Company } from '../../src/lib/company.ts'
import { createPresence, NobodyThere } from '../../src/lib/presence.ts'
import { createBulk, MOST_OF_A_TURN } from '../../src/lib/bulk.ts'
import { createShares, STALLED } from '../../src/limits/shares.ts'
import type { Asking } from '../../src/upstream/asker.ts'
import type { UpstreamAnswer } from '../../src/upstream/answers.ts'
import { exchange, type Reading } from '../../src/upstream/exchange.ts'
import { someAsker } from '../helpers/askers.ts'

const MOST = 10
const READING: Reading = { most: MOST, longer: 'streamed' }

/** The upstream's end of a question. */
class Wire implements Dispatcher.DispatchController {
  private readonly handler: Dispatcher.DispatchHandler
  aborted = false
  paused = false
  reason: Error | null = null
  rawHeaders = null
  rawTrailers = null

  constructor (handler: Dispatcher.DispatchHandler) {
    this.handler = handler
  }

  /** As undici does, which says so at once. */
  abort (reason: Error): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.handler.onResponseError?.(this, reason)
  }

  pause (): void { this.paused = true }
  resume (): void { this.paused = false }
  connect (): this {
    this.handler.onRequestStart?.(this, {})
    return this
  }

  head (status = 200, headers: Record<string, string> = {}): this {
    this.handler.onResponseStart?.(this, status, headers)
    return this
  }

  data (chunk: string): this {
    this.handler.onResponseData?.(this, Buffer.from(chunk))
    return this
  }

  end (): this {
    this.handler.onResponseEnd?.(this, {})
    return this
  }

  fail (code: string): this {
    this.handler.onResponseError?.(this, Object.assign(new Error(code), { code }))
    return this
  }
}

interface Lab {
  readonly wires: Wire[]
  readonly dismissed: number[]
  /** What the exchanges said that came of them. */
  readonly answers: [number | string, number][]
  /** What the breaker heard. */
  readonly heard: ('answered' | 'failed')[]
  ask (options?: { reading?: Partial<Reading>, company?: Company<Asking>, toItsEnd?: boolean, once?: boolean, party?: string }): Promise<UpstreamAnswer>
  pass (ms: number): void
  /** Lets the next turn of the event loop come for what streams. */
  turn (): void
}

function lab ({ all = 4, large }: { readonly all?: number, readonly large?: number } = {}): Lab {
  let now = 0
  const shares = createShares({ all, large: large ?? all, clock: () => now, later: () => {} })
  const wires: Wire[] = []
  const dismissed: number[] = []
  const answers: [number | string, number][] = []
  const heard: Lab['heard'] = []
  let turn = (): void => {}
  const bulk = createBulk(run => { turn = run })
  return {
    turn: () => { turn(); turn() }, // that of somebody else, and its own
    wires,
    dismissed,
    answers,
    heard,
    pass (ms) { now += ms },
    ask: async ({ reading = {}, party = 'a', company = new Company({ asker: someAsker({ party, dismiss: () => { dismissed.push(wires.length) } }) }), toItsEnd = false, once = false } = {}) => await exchange({
      reading: { ...READING, ...reading },
      company,
      toItsEnd,
      once,
      shares,
      bulk,
      breaker: { answered () { heard.push('answered') }, failed () { heard.push('failed') } },
      clock: () => now,
      answered: (result, ms) => { answers.push([result, ms]) },
      send: handler => { wires.push(new Wire(handler)) }
    })
  }
}

const inWords = async (answer: UpstreamAnswer): Promise<string> => answer.kind === 'whole' ? answer.body.toString() : answer.kind === 'streamed' ? await text(answer.body) : 'left'

const reasonOf = async (answer: Promise<unknown>): Promise<unknown> => await answer.catch((error: unknown) => error instanceof RefusalError ? error.refusal.code : error)

await t.test('what is no longer than it may be is whole, and what is longer streams to the one who asks', async t => {
  for (const [chunks, kind] of [[[], 'whole'], [['01234', '56789'], 'whole'], [['01234', '567890'], 'streamed'], [['01234567890'], 'streamed']] as const) {
    const { wires, ask } = lab()
    const answer = ask()
    wires[0]?.connect().head(103).head()
    for (const chunk of chunks) wires[0]?.data(chunk)
    if (kind === 'whole') wires[0]?.end()
    t.equal((await answer).kind, kind)
    if (kind === 'streamed') wires[0]?.data('more').end()
    t.equal(await inWords(await answer), chunks.join('') + (kind === 'streamed' ? 'more' : ''))
  }
})

await t.test('what streams waits for its turn when much goes by, and for who reads it', async t => {
  const { wires, ask, turn } = lab()
  const answer = ask()
  const wire = wires[0] as Wire
  wire.connect().head().data('x'.repeat(MOST + 1))
  const { body } = await answer as Extract<UpstreamAnswer, { kind: 'streamed' }>
  t.equal(wire.paused, false)
  wire.data('x'.repeat(MOST_OF_A_TURN))
  t.equal(wire.paused, true)
  turn()
  t.equal(wire.paused, true, 'nobody reads it')
  body.on('data', () => {})
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(wire.paused, false)
  wire.data('x'.repeat(MOST_OF_A_TURN))
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(wire.paused, true, 'it is read, but it is not its turn')
  body.destroy()
  turn()
  t.equal(wire.paused, true, 'and of what was left nothing goes on')
})

await t.test('a head that says how long it is decides before the first byte', async t => {
  const { wires, ask } = lab()
  const answer = ask()
  wires[0]?.connect().head(200, { 'content-length': '11' })
  t.equal((await answer).kind, 'streamed')
  wires[0]?.data('01234567890').end()
  t.equal(await inWords(await answer), '01234567890')
})

await t.test('what is too long and nobody wants is left, and so is what several cannot share', async t => {
  const several = new Company<Asking>({ asker: someAsker() })
  several.join({ asker: someAsker() })
  for (const options of [{ reading: { longer: 'left' as const } }, { company: several }]) {
    const { wires, ask } = lab()
    const answer = ask(options)
    wires[0]?.connect().head().data('01234567890')
    t.equal((await answer).kind, 'left')
    t.ok(wires[0]?.aborted)
    wires[0]?.data('late')
  }
  const { wires, ask } = lab()
  const refused = ask()
  wires[0]?.connect().head(404).data('x'.repeat(20_000))
  t.match(await refused, { kind: 'left', status: 404 }, 'a refusal without an end')
})

await t.test('when all have gone it is broken off, whenever that is, and the connection is free', async t => {
  for (const stage of ['before', 'waiting', 'connecting', 'asked', 'answering', 'streaming'] as const) {
    const { wires, ask } = lab({ all: 1 })
    const presence = createPresence()
    const company = new Company<Asking>({ asker: someAsker({ presence }) })
    const other = stage === 'waiting' ? ask() : undefined
    if (stage === 'before') presence.leave()
    const answer = ask({ company })
    answer.catch(() => {})
    const wire = wires[0]
    if (stage === 'waiting') presence.leave()
    else if (stage === 'connecting') {
      presence.leave()
      await t.rejects(answer, NobodyThere, 'they are told before there is a connection')
      wire?.connect()
    } else if (stage !== 'before') {
      wire?.connect()
      if (stage !== 'asked') wire?.head().data(stage === 'streaming' ? '01234567890' : '0')
      if (stage === 'streaming') t.equal((await answer).kind, 'streamed')
      presence.leave()
    }
    if (stage === 'streaming') await t.rejects(answer.then(inWords), /[Pp]remature close/, stage)
    else await t.rejects(answer, NobodyThere, stage)
    if (stage !== 'before' && stage !== 'waiting') t.ok(wire?.aborted, stage)
    wire?.connect().head().end()
    if (other !== undefined) t.equal((await other).kind, 'whole')
    const next = ask()
    wires.at(-1)?.connect().head().end()
    t.equal((await next).kind, 'whole', `${stage}: the next one has the connection`)
  }
})

await t.test('what makes a change goes on without them once it is sent, and is not sent without them', async t => {
  const { wires, ask } = lab({ all: 1 })
  const presence = createPresence()
  const answer = ask({ company: new Company<Asking>({ asker: someAsker({ presence }) }), toItsEnd: true })
  presence.leave()
  wires[0]?.connect().head(201).data('done').end()
  t.match(await answer, { status: 201, kind: 'whole' })
  await t.rejects(ask({ company: new Company<Asking>({ asker: someAsker({ presence }) }), toItsEnd: true }), NobodyThere)
  t.equal(wires.length, 1)
})

await t.test('what breaks off is a refusal, or breaks the stream', async t => {
  const { wires, ask } = lab({ all: 1 })
  for (const [code, refusal] of [['HPE_INVALID_CHUNK_SIZE', 'upstream_bad_answer'], ['ECONNRESET', 'upstream_unreachable'], ['EMFILE', 'no_descriptors']] as const) {
    const answer = ask()
    wires.at(-1)?.connect().head().data('0').fail(code)
    t.equal(await reasonOf(answer), refusal, code)
  }
  const answer = ask()
  wires.at(-1)?.connect().head().data('01234567890').fail('ECONNRESET')
  await t.rejects(answer.then(inWords), /ECONNRESET/)
  const early = ask()
  wires.at(-1)?.fail('ECONNREFUSED')
  t.equal(await reasonOf(early), 'upstream_unreachable', 'before there was a connection')
})

await t.test('nothing more is taken from the upstream than is read', async t => {
  const { wires, ask } = lab()
  const answer = ask()
  const wire = wires[0] as Wire
  wire.connect().head().data('x'.repeat(70_000))
  const got = await answer
  t.equal(wire.paused, true)
  const read = inWords(got)
  await new Promise(resolve => { setImmediate(resolve) })
  t.equal(wire.paused, false)
  wire.data('y'.repeat(70_000)).end()
  t.equal((await read).length, 140_000)
})

await t.test('what turns out to be large gives its place back, and waits for one among the large ones', async t => {
  const { wires, ask } = lab({ all: 2, large: 1 })
  const first = ask({ party: 'b' })
  wires[0]?.connect().head().data('01234567890')
  t.equal((await first).kind, 'streamed')
  const second = ask()
  wires[1]?.connect().head().data('01234567890')
  t.ok(wires[1]?.aborted)
  t.equal(wires.length, 2, 'it is not asked again before there is room')
  const small = ask()
  wires[2]?.connect().head().end()
  t.equal((await small).kind, 'whole', 'and takes none of the other places meanwhile')
  wires[0]?.end()
  wires[3]?.connect().head().data('98765432109').end()
  t.equal(await inWords(await second), '98765432109')
})

await t.test('a stream that is not read is ended without an error, and its client is let go', async t => {
  const { wires, ask, pass, dismissed } = lab({ all: 2, large: 2 })
  const unread = [ask(), ask()]
  for (const wire of wires) wire.connect().head().data('x'.repeat(70_000))
  await Promise.all(unread)
  pass(STALLED.byClient)
  const other = ask({ party: 'b', reading: { large: true } })
  t.same(wires.map(({ aborted }) => aborted), [true, false, false])
  t.equal(dismissed.length, 1)
  wires[2]?.connect().head().end()
  t.equal((await other).kind, 'whole')
})

const nextTurn = async (): Promise<void> => { await new Promise(resolve => { setImmediate(resolve) }) }

await t.test('a read whose connection broke before an answer began is sent once more, over the same place', async t => {
  for (const code of ['ECONNRESET', 'EPIPE', 'UND_ERR_SOCKET']) {
    const { wires, ask, heard } = lab({ all: 1 })
    const answer = ask()
    wires[0]?.connect().fail(code)
    t.equal(wires.length, 1, 'not in the same turn: others break with it')
    await nextTurn()
    wires[1]?.connect().head().data('0').end()
    t.equal(await inWords(await answer), '0', code)
    t.same(heard, ['answered'])
    const next = ask()
    wires[2]?.connect().head().end()
    t.equal((await next).kind, 'whole', 'and the place is free')
  }
})

await t.test('it is sent twice and no more; and once what changes something, what had no connection and what had begun to be answered', async t => {
  const cases: [name: string, toItsEnd: boolean, play: (wire: Wire | undefined) => unknown, sent: number, heard: string[]][] = [
    ['always', false, wire => wire?.connect().fail('ECONNRESET'), 2, ['failed']],
    ['a change', true, wire => wire?.connect().fail('ECONNRESET'), 1, ['failed']],
    ['no connection', false, wire => wire?.fail('ECONNRESET'), 1, ['failed']],
    ['out of time', false, wire => wire?.connect().fail('UND_ERR_HEADERS_TIMEOUT'), 1, ['failed']],
    ['no HTTP', false, wire => wire?.connect().fail('HPE_INVALID_CONSTANT'), 1, []],
    ['no descriptor', false, wire => wire?.fail('EMFILE'), 1, []],
    ['half an answer', false, wire => wire?.connect().head().data('0').fail('ECONNRESET'), 1, ['answered']],
    ['a body out of time', false, wire => wire?.connect().head(500).fail('UND_ERR_BODY_TIMEOUT'), 1, ['answered']]
  ]
  for (const [name, toItsEnd, play, sent, expected] of cases) {
    const { wires, ask, heard } = lab({ all: 1 })
    const answer = ask({ toItsEnd })
    answer.catch(() => {})
    for (let i = 0; i < 3; i++) {
      play(wires[i])
      await nextTurn()
    }
    await t.rejects(answer, RefusalError, name)
    t.equal(wires.length, sent, name)
    t.same(heard, expected, name)
    const next = ask()
    wires.at(-1)?.connect().head().end()
    t.equal((await next).kind, 'whole', `${name}: the place is free`)
  }
})

await t.test('a read that is asked of somebody else then is sent over one connection', async t => {
  const { wires, ask, heard } = lab({ all: 1 })
  const answer = ask({ once: true })
  wires[0]?.connect().fail('ECONNRESET')
  await t.rejects(answer, RefusalError)
  t.strictSame([wires.length, heard], [1, ['failed']])
})

await t.test('for whoever goes meanwhile it is not sent again, and that is no failure of the upstream', async t => {
  const { wires, ask, heard } = lab({ all: 1 })
  const presence = createPresence()
  const answer = ask({ company: new Company<Asking>({ asker: someAsker({ presence }) }) })
  wires[0]?.connect().fail('ECONNRESET')
  presence.leave()
  await t.rejects(answer, NobodyThere)
  await nextTurn()
  t.equal(wires.length, 1)
  const next = ask()
  wires[1]?.connect().head().end()
  t.equal((await next).kind, 'whole', 'the place is free')
  t.same(heard, ['answered'])
})
