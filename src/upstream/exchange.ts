// How is the upstream asked for one thing? In its turn for a connection, for as long as
// somebody is there who wants it; the answer is read whole, or handed on as it comes, as
// fast as it is read there. The connection is given back with the last byte, or when
// whoever asked has gone.
import type { IncomingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { Dispatcher } from 'undici'
import { RefusalError, type ReasonCode } from '../http/errors.ts'
import type { Company } from '../lib/company.ts'
import { NobodyThere } from '../lib/presence.ts'
import type { Bulk } from '../lib/bulk.ts'
import { Pace } from '../limits/pace.ts'
import type { ConnectionPlace, Shares, WhyNot } from '../limits/shares.ts'
import { LONGEST_ERROR, isBrokenConnection, refusalOfFailure, type UpstreamAnswer } from './answers.ts'
import type { Asking } from './asker.ts'
import type { Breaker } from './breaker.ts'

/** What may become of an answer. */
export interface Reading {
  /** Bytes of what was asked for up to which it is read whole; of anything else it is LONGEST_ERROR. */
  readonly most: number
  /**
   * What becomes of more: it streams to the one who asks for it, or nobody wants it.
   * Several cannot read one stream.
   */
  readonly longer: 'streamed' | 'left'
  /** It is longer, as far as anybody knows. */
  readonly large?: boolean
}

export interface ExchangeOptions {
  readonly reading: Reading
  readonly company: Company<Asking>
  /** Asks the upstream, when there is a connection: `alone` for one, of whom it may be told. */
  readonly send: (handler: Dispatcher.DispatchHandler, isAlone: boolean) => void
  /** Once it is sent it is not broken off, whoever goes: only the answer says what was done. */
  readonly toItsEnd: boolean
  /** It is sent over one connection, and no other when that breaks. */
  readonly once: boolean
  readonly shares: Shares
  readonly bulk: Bulk
  /** Hears whether there is an answer at all. */
  readonly breaker: Pick<Breaker, 'answered' | 'failed'>
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
  /** Hears what came of it, and how many milliseconds after there was a connection. */
  readonly answered: (result: number | ReasonCode, ms: number) => void
}

/** There was no answer at all; what else goes wrong has something there. */
const SILENT: ReadonlySet<ReasonCode> = new Set(['upstream_unreachable', 'upstream_timeout'])
/** Why the rest of an answer does not come; nobody is told. */
const LEFT = new Error('nobody wants the rest')
/** What is read ahead of whoever reads a stream, bytes. */
const AHEAD = 64 * 1024

/**
 * The answer, or the first of one that streams.
 * @throws RefusalError when the upstream cannot be reached, breaks off or has no room;
 * NobodyThere when everybody went before there was an answer
 */
export function exchange (options: ExchangeOptions): Promise<UpstreamAnswer> {
  return new Promise((resolve, reject) => { begin(options, { resolve, reject }) })
}

interface Settlement {
  resolve (answer: UpstreamAnswer): void
  reject (error: unknown): void
}

function begin (options: ExchangeOptions, outcome: Settlement): void {
  const { company, reading, shares, clock } = options
  const since = clock()
  shares.take({
    company,
    large: reading.large === true,
    grant: place => { new Exchange(options, outcome, place, since).send() },
    refuse: why => { outcome.reject(errorOf(why)) }
  })
}

function errorOf (why: WhyNot): Error {
  return why === 'no_room' ? new RefusalError({ code: 'upstream_no_room' }) : new NobodyThere()
}

class Exchange implements Dispatcher.DispatchHandler {
  private readonly options: ExchangeOptions
  private readonly outcome: Settlement
  private readonly place: ConnectionPlace
  private readonly pace = new Pace()
  /** When a connection was wanted, and when there was one. */
  private readonly since: number
  private sentAt = 0
  private isAlone = false
  private tries = 0
  private forget = (): void => {}
  private controller: Dispatcher.DispatchController | undefined
  /** Nothing that still comes is wanted. */
  private over = false
  private status = 0
  private headers: IncomingHttpHeaders = {}
  private chunks: Buffer[] = []
  private length = 0
  /** Bytes that were handed on. */
  private given = 0
  private stream: Readable | undefined
  /** What the upstream is not read for. */
  private readonly waits = { reader: false, turn: false }

  constructor (options: ExchangeOptions, outcome: Settlement, place: ConnectionPlace, since: number) {
    this.since = since
    this.options = options
    this.outcome = outcome
    this.place = place
  }

  send (): void {
    const { company, toItsEnd } = this.options
    this.isAlone = company.begin()
    this.sentAt = this.options.clock()
    if (!toItsEnd) {
      this.forget = company.onAllGone(() => {
        this.outcome.reject(new NobodyThere())
        this.leave()
      })
    }
    this.dispatch()
  }

  private dispatch (): void {
    this.tries++
    this.options.send(this, this.isAlone)
  }

  onRequestStart (controller: Dispatcher.DispatchController): void {
    this.controller = controller
    if (this.over) this.leave()
  }

  onResponseStart (controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return
    this.options.breaker.answered()
    this.status = status
    this.headers = headers
    if (Number(headers['content-length'] ?? 0) > this.most) this.outgrow(controller)
  }

  onResponseData (controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.over) return
    if (this.stream !== undefined) {
      this.give(controller, this.stream, chunk)
      return
    }
    this.chunks.push(chunk)
    this.length += chunk.length
    if (this.length > this.most) this.outgrow(controller)
  }

  onResponseEnd (): void {
    this.release()
    if (this.over) return
    this.over = true
    const { status, headers } = this
    if (this.stream === undefined) {
      this.tell(status)
      this.outcome.resolve({ status, headers, kind: 'whole', body: Buffer.concat(this.chunks, this.length) })
    } else {
      this.stream.push(null)
    }
  }

  onResponseError (_controller: unknown, error: Error): void {
    if (!this.over && this.mayTryAgain(error)) return this.tryAgain()
    this.release()
    if (this.over) return
    this.over = true
    if (this.stream !== undefined) {
      this.stream.destroy(error)
      return
    }
    const refusal = refusalOfFailure(error)
    if (this.status === 0 && SILENT.has(refusal.code)) this.options.breaker.failed()
    this.tell(refusal.code)
    this.outcome.reject(new RefusalError(refusal, { cause: error }))
  }

  /**
   * A read that was sent over a connection which then broke, before an answer began: the
   * upstream may have closed one that it had kept for long enough just as it was used. What
   * changes something is never sent twice, and a connection that could not be had is no
   * better the second time.
   */
  private mayTryAgain (error: Error): boolean {
    const wasSent = this.controller !== undefined
    const { toItsEnd, once } = this.options
    return !toItsEnd && !once && this.tries === 1 && this.status === 0 && wasSent && isBrokenConnection(error)
  }

  /** In the next turn, when all connections that broke with this one are known to have. */
  private tryAgain (): void {
    this.controller = undefined
    setImmediate(() => {
      if (this.over) this.release()
      else this.dispatch()
    })
  }

  /** All of it, or the part that was asked for. */
  private get isWanted (): boolean {
    return this.status === 200 || this.status === 206
  }

  private get most (): number {
    return this.isWanted ? this.options.reading.most : LONGEST_ERROR
  }

  /** It is longer than what is read whole. */
  private outgrow (controller: Dispatcher.DispatchController): void {
    const { status, headers, options: { reading } } = this
    this.tell(status)
    if (!this.isWanted || reading.longer === 'left' || !this.isAlone) {
      this.outcome.resolve({ status, headers, kind: 'left' })
      this.leave()
    } else if (this.place.grow()) this.passOn(controller)
    else {
      // While it waits for a place among the large ones it takes none of the others.
      this.leave()
      begin({ ...this.options, reading: { ...reading, large: true } }, this.outcome)
    }
  }

  private passOn (controller: Dispatcher.DispatchController): void {
    const { status, headers, options: { company, clock } } = this
    const stream = new Readable({
      highWaterMark: AHEAD,
      read: () => {
        this.pace.goOn(clock())
        this.goOn('reader', controller)
      },
      destroy: (error, done) => {
        this.leave()
        done(error)
      }
    })
    stream.on('error', () => {}) // of who reads it: they may have gone
    this.stream = stream
    this.forget()
    this.forget = company.onAllGone(() => { stream.destroy() })
    this.place.stream(this.pace, why => {
      for (const { asker } of company.members) asker.dismiss(why)
      stream.destroy()
    })
    for (const chunk of this.chunks.splice(0)) this.give(controller, stream, chunk)
    this.outcome.resolve({ status, headers, kind: 'streamed', body: stream })
  }

  private give (controller: Dispatcher.DispatchController, stream: Readable, chunk: Buffer): void {
    const { bulk, clock } = this.options
    const now = clock()
    this.pace.give(chunk.length, now)
    this.given += chunk.length
    const hasRoom = stream.push(chunk)
    // With the last byte that was announced a client may ask for something else: the end comes at once.
    if (this.given === Number(this.headers['content-length'])) return
    if (!hasRoom) {
      this.pace.holdUp(now)
      this.waits.reader = true
    }
    if (!bulk.pass(chunk.length, () => { this.goOn('turn', controller) })) this.waits.turn = true
    if (this.waits.reader || this.waits.turn) controller.pause()
  }

  /** One of both does not keep it any more. */
  private goOn (what: 'reader' | 'turn', controller: Dispatcher.DispatchController): void {
    this.waits[what] = false
    if (!this.waits.reader && !this.waits.turn && !this.over) controller.resume()
  }

  /** Says what came of it, and how long everybody waited for that. */
  private tell (result: number | ReasonCode): void {
    const { company, clock, answered } = this.options
    const now = clock()
    answered(result, now - this.sentAt)
    for (const { asker: { waits } } of company.members) {
      waits.waited += now - (waits.askedAt === 0 ? this.since : waits.askedAt)
      waits.askedAt = 0
    }
  }

  /** Lets go of the upstream, if it is still there. */
  private leave (): void {
    this.over = true
    this.controller?.abort(LEFT)
  }

  private release (): void {
    this.forget()
    this.place.release()
  }
}
