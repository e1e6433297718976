// Who is asked for what, of one address or of several?
import { Readable } from 'node:stream'
import t from 'tap'
import { RefusalError } from '../../src/http/errors.ts'
import type { ReasonCode } from '../../src/http/reasons.ts'
import type { UpstreamAnswer } from '../../src/upstream/answers.ts'
import type { BreakerState } from '../../src/upstream/breaker.ts'
import type { Question, Upstream } from '../../src/upstream/client.ts'
import type { FollowerState } from '../../src/upstream/follower.ts'
import { onlyUpstream, severalUpstreams, type Upstreams } from '../../src/upstream/upstreams.ts'
import { NobodyThere } from '../../src/lib/presence.ts'
import { somebody } from '../helpers/askers.ts'

const READ: Question = { method: 'GET', target: { route: 'index', tenant: 'org1/repo1', tenantPath: 'org1/repo1', query: {} }, company: somebody(), named: false, most: 1, longer: 'left' }
const CHANGE = { tenant: 'org1/repo1', tenantPath: 'org1/repo1', chart: 'web', version: '1.0.0', became: 'x', isNew: true, isShown: true }
const USED = { all: 128, used: 3, large: 1, length: 2, waited: 4, waitedMs: 5, refused: 6 }

type Says = number | ReasonCode | Error

/** An address that answers a status, or refuses, after what it says `next`. */
interface Address { says: Says, next: Says[], breaker: BreakerState, state: FollowerState, readonly asked: Question[], seen: number, doubted: number, answers?: () => UpstreamAnswer }

const address = (): Address => ({ says: 200, next: [], breaker: 'closed', state: 'follows', asked: [], seen: 0, doubted: 0 })

function upstreamOf (each: Address): Upstream {
  return {
    origin: 'http://museum',
    takesConditions: false,
    breaker: { state: () => each.breaker, isOpen: () => each.breaker === 'open' },
    connections: () => USED,
    async ask (question: Question): Promise<UpstreamAnswer> {
      each.asked.push(question)
      const says = each.next.shift() ?? each.says
      if (says instanceof Error) throw says
      if (typeof says === 'string') throw new RefusalError({ code: says }, { cause: new Error('why') })
      return each.answers?.() ?? { status: says, headers: {}, kind: 'whole', body: Buffer.alloc(0) }
    }
  } as unknown as Upstream
}

function several (): { readonly upstreams: Upstreams, readonly all: [Address, Address, Address], readonly asked: () => number[] } {
  const all: [Address, Address, Address] = [address(), address(), address()]
  const [first, ...others] = all
  const upstreams = severalUpstreams(upstreamOf(first), others.map(each => ({ upstream: upstreamOf(each), follower: { state: () => each.state, isFresh: () => each.state === 'follows', see: async () => { each.seen++ }, doubt () { each.doubted++ } } })))
  return { upstreams, all, asked: () => all.map(({ asked }) => asked.splice(0).length) }
}

const answerOf = async (asked: Promise<UpstreamAnswer>): Promise<unknown> => await asked.then(({ status }) => status, (error: unknown) => (error as RefusalError).refusal.code)

await t.test('one address is asked for everything, and follows nobody', async t => {
  const [alone, none] = [upstreamOf(address()), address()]
  for (const upstreams of [onlyUpstream(alone), severalUpstreams(alone, [])]) {
    t.equal(upstreams.of('a'), alone)
    t.equal(upstreams.forReads('a'), alone)
    t.strictSame([upstreams.followers(), upstreams.connections()], [[], USED])
    await upstreams.show(CHANGE)
    upstreams.doubt()
  }
  t.equal(none.asked.length, 0)
})

await t.test('while the first answers, nobody else is asked', async t => {
  const { upstreams, all, asked } = several()
  for (const says of [200, 404, 401, 500, 'upstream_bad_answer', 'upstream_no_room', 'no_descriptors'] as const) {
    all[0].says = says
    t.equal(await answerOf(upstreams.forReads('a').ask(READ)), says)
    t.strictSame(asked(), [1, 0, 0], String(says))
  }
  t.equal(upstreams.forReads('a').takesConditions, false)
})

await t.test('a read that the first gives no answer to is asked of one that follows it, and over one connection', async t => {
  const { upstreams, all: [first, second, third], asked } = several()
  for (const says of [502, 503, 504, 'upstream_unreachable', 'upstream_timeout', 'upstream_away'] as const) {
    first.says = says
    t.equal(await answerOf(upstreams.forReads('a').ask(READ)), 200)
    t.strictSame([first, second].map(({ asked: [question] }) => question?.once === true), [true, says !== 'upstream_away'])
    t.strictSame(asked(), [1, 1, 0], String(says))
  }
  second.state = 'behind'
  t.equal(await answerOf(upstreams.forReads('a').ask(READ)), 200)
  t.strictSame(asked(), [1, 0, 1], 'one that is behind is passed over')
  second.state = 'follows'
  second.breaker = 'open'
  await upstreams.forReads('a').ask(READ)
  t.strictSame(asked(), [1, 0, 1], 'and so is one that answers nothing')
  third.says = 'upstream_unreachable'
  t.equal(await answerOf(upstreams.forReads('a').ask(READ)), 'upstream_away', 'it is asked of one other, and what the first says counts')
})

/** Its connection broke when it had been sent. */
const BROKEN = new RefusalError({ code: 'upstream_unreachable' }, { cause: Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' }) })
const FAILURES = [502, 503, 504, 'upstream_unreachable', 'upstream_timeout', 'upstream_away', 'upstream_bad_answer', 'upstream_no_room'] as const

await t.test('a read whose connection to the first broke is sent there once more when the other address fails', async t => {
  for (const failure of FAILURES) {
    const { upstreams, all: [first, second], asked } = several()
    first.next = [BROKEN]
    second.says = failure
    t.equal(await answerOf(upstreams.forReads('a').ask(READ)), 200, String(failure))
    t.strictSame(first.asked.map(({ once }) => once), [true, true])
    t.strictSame(asked(), [2, 1, 0])
    first.next = [BROKEN, 'upstream_timeout']
    t.equal(await answerOf(upstreams.forReads('a').ask(READ)), 'upstream_timeout', 'and then that counts')
    t.strictSame(asked(), [2, 1, 0])
    first.next = [BROKEN, 503]
    t.equal(await answerOf(upstreams.forReads('a').ask(READ)), 503)
    t.strictSame(asked(), [2, 1, 0])
  }
  const { upstreams, all: [first, second, third], asked } = several()
  third.state = 'behind'
  first.next = [BROKEN]
  let looks = 0
  Object.defineProperty(second, 'state', { get: () => looks++ === 0 ? 'follows' : 'behind' })
  t.equal(await answerOf(upstreams.forReads('a').ask(READ)), 200, 'or when there is none any more')
  t.strictSame(asked(), [2, 0, 0])
})

await t.test('what the first says is what counts when the other address fails, too', async t => {
  for (const says of [502, 503, 504, 'upstream_unreachable', 'upstream_timeout', 'upstream_away'] as const) {
    for (const failure of FAILURES) {
      const { upstreams, all: [first, second], asked } = several()
      first.says = says
      second.says = failure
      t.equal(await answerOf(upstreams.forReads('a').ask(READ)), says, `${says}, ${failure}`)
      t.strictSame(asked(), [1, 1, 0])
    }
  }
})

await t.test('when nobody waits any more the first is not asked again', async t => {
  for (const says of [503, BROKEN]) {
    const { upstreams, all: [first, second], asked } = several()
    first.says = says
    second.says = new NobodyThere()
    await t.rejects(upstreams.forReads('a').ask(READ), NobodyThere)
    t.strictSame(asked(), [1, 1, 0])
  }
})

await t.test('what is no refusal is no reason to ask somebody else', async t => {
  const { upstreams, all: [first], asked } = several()
  first.says = new NobodyThere()
  await t.rejects(upstreams.forReads('a').ask(READ), NobodyThere)
  await t.rejects(upstreams.of('a').ask(READ), NobodyThere)
  t.strictSame(asked(), [2, 0, 0])
})

await t.test('where none follows, reads stay, and what breaks off may be sent once more', async t => {
  for (const says of [503, 'upstream_unreachable'] as const) {
    const { upstreams, all, asked } = several()
    const [first, second, third] = all
    first.says = says
    second.state = 'unproven'
    third.state = 'behind'
    t.equal(await answerOf(upstreams.forReads('a').ask(READ)), says)
    t.equal(first.asked[0]?.once, undefined)
    t.strictSame(asked(), [1, 0, 0])
  }
})

await t.test('one that stops to follow while the first is asked is not asked', async t => {
  for (const says of [503, 'upstream_unreachable'] as const) {
    const { upstreams, all: [first, second, third], asked } = several()
    first.says = says
    third.state = 'behind'
    let looks = 0
    Object.defineProperty(second, 'state', { get: () => looks++ === 0 ? 'follows' : 'behind' })
    t.equal(await answerOf(upstreams.forReads('a').ask(READ)), says)
    t.strictSame(asked(), [1, 0, 0])
  }
})

await t.test('what one has answered that fell behind meanwhile is nobody\'s: who asked behind a change may share it', async t => {
  const { upstreams, all: [first, second, third] } = several()
  third.state = 'behind'
  const body = Readable.from(['of before'])
  for (const says of [503, 'upstream_away'] as const) {
    for (const kind of ['whole', 'streamed'] as const) {
      Object.assign(first, { says })
      second.state = 'follows'
      second.answers = () => {
        second.state = 'behind'
        return { status: 200, headers: {}, kind, body: kind === 'whole' ? Buffer.alloc(0) : body } as UpstreamAnswer
      }
      t.equal(await answerOf(upstreams.forReads('a').ask(READ)), says, 'what the first said counts')
    }
  }
  t.ok(body.destroyed)
})

await t.test('a change, and what is looked at for it, is asked of the first alone: without an answer nothing was changed', async t => {
  const { upstreams, all: [first], asked } = several()
  const upstream = upstreams.of('a')
  t.equal(upstream.origin, 'http://museum')
  for (const [method, says, answer] of [['GET', 200, 200], ['GET', 503, 503], ['GET', 'upstream_unreachable', 'upstream_away'], ['GET', 'upstream_timeout', 'upstream_away'], ['GET', 'upstream_bad_answer', 'upstream_bad_answer'], ['POST', 'upstream_unreachable', 'upstream_unreachable'], ['DELETE', 'upstream_timeout', 'upstream_timeout']] as const) {
    first.says = says
    t.equal(await answerOf(upstream.ask({ ...READ, method })), answer)
    t.strictSame(asked(), [1, 0, 0])
  }
})

await t.test('a change is shown to all of them, and the connections of all are counted', async t => {
  const { upstreams, all } = several()
  await upstreams.show(CHANGE)
  t.strictSame(all.map(({ seen }) => seen), [0, 1, 1])
  upstreams.doubt()
  t.strictSame(all.map(({ doubted }) => doubted), [0, 1, 1])
  t.strictSame(upstreams.followers(), ['follows', 'follows'])
  t.strictSame(upstreams.connections(), { all: 384, used: 9, large: 3, length: 6, waited: 12, waitedMs: 15, refused: 18 })
})
