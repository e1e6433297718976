// To which Redis is there a connection now? To the one at redis.url; or to whichever is the master,
// as Sentinels say: then the connections to the one before end, whatever became of it.
import type { RedisConfig, RedisPlace } from '../config/schema.ts'
import type { Later } from '../lib/timers.ts'
import type { TlsTexts } from '../tls/material.ts'
import { isEnd, isForbidden, sentenceOf } from './faults.ts'
import type { Forbidden } from './forbidden.ts'
import type { Outages } from '../lib/outages.ts'
import { askMaster } from './sentinel.ts'

type Library = typeof import('redis')

/** Milliseconds that an answer is waited for. */
export const PATIENCE = 1_000
/** Milliseconds between two tries to connect. */
const AGAIN = 250
/** Milliseconds between two words to a Redis that is asked nothing, */
const PING = 1_000
/** and without one from it till a connection ends, and another one is tried. */
export const SILENCE = 3_000
/** Milliseconds between two questions to Sentinels. */
const LOOK = 1_000

export interface ConnectionOptions {
  readonly config: RedisConfig
  /** What redis.tls names. */
  readonly texts: TlsTexts
  readonly outages: Pick<Outages, 'report'>
  readonly later: Later
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
}

export type Client = ReturnType<typeof clientOf>

/** One that asks, and one that hears what others publish. */
interface Pair {
  readonly place: RedisPlace
  readonly asks: Client
  readonly hears: Client
  readonly openedAt: number
}

export interface Connections {
  /** Undefined: nobody has said yet where Redis is. */
  asks (): Client | undefined
  /** From now on this hears what is published there, whenever there is a connection. */
  hear (channel: string, heard: (text: string) => void): void
  /**
   * Begins anew, because one that asks leads nowhere; not while another try may still come to something. One into
   * which something is written and from which nothing comes ends in a quarter of an hour by itself (TCP).
   */
  renew (client: Client): void
  close (): void
}

/** Opens them, and waits as long for them as for an answer. */
export async function connect (
  redis: Library,
  options: ConnectionOptions,
  forbidden: Forbidden
): Promise<Connections> {
  const { config, outages, later, clock } = options
  const channels = new Map<string, (text: string) => void>()
  let pair: Pair | undefined
  let endLooks = (): void => {}
  let closed = false

  /** Sent when there is a connection; what breaks off with one is sent anew with the next. */
  function subscribe (hears: Client, channel: string, heard: (text: string) => void): void {
    hears.subscribe(channel, heard).then(
      () => { forbidden.passed(channel) },
      (error: unknown) => {
        if (!isForbidden(error)) return // it broke off, and is sent anew with the next connection
        forbidden.refused(channel)
        outages.report(sentenceOf(error))
      }
    )
  }

  /**
   * Says why there is no connection. That one has ended says less than the next try, which comes at once, and nothing
   * of one that ends once and is there again.
   */
  function tellFaults (asks: Client): void {
    let [said, ends] = [0, 0]
    const tell = (error: unknown): void => {
      if (pair?.asks !== asks) return
      said++
      outages.report(sentenceOf(error))
    }
    asks.on('error', (error: unknown) => {
      if (!isEnd(error)) return tell(error)
      const before = { said, ends: ++ends }
      later(PATIENCE, () => {
        const isAgain = !asks.isReady || ends !== before.ends
        if (said === before.said && isAgain) tell(error)
      })
    })
  }

  async function open (place: RedisPlace): Promise<void> {
    const [asks, hears] = [clientOf(redis, place, options), clientOf(redis, place, options)]
    pair = { place, asks, hears, openedAt: clock() }
    tellFaults(asks)
    hears.on('error', () => {}) // the other one says the same
    hears.on('ready', () => { for (const each of channels) subscribe(hears, ...each) })
    const looked = new Promise<void>(resolve => {
      const cancel = later(PATIENCE, resolve)
      for (const event of ['ready', 'error'] as const) {
        asks.once(event, () => {
          cancel()
          resolve()
        })
      }
    })
    for (const client of [asks, hears]) client.connect().catch(() => {}) // it is tried again until it is closed
    await looked
  }

  function end (): void {
    const before = pair
    pair = undefined // what is said of them from now on is nothing new
    if (before !== undefined) for (const client of [before.asks, before.hears]) client.destroy()
  }

  async function look (sentinel: Required<RedisConfig>['sentinel']): Promise<void> {
    try {
      const place = await askMaster({ sentinel, ask: async (one, words) => await askOnce(redis, one, options, words) })
      if (closed || (pair?.place.host === place.host && pair.place.port === place.port)) return
      end()
      await open(place)
    } catch (error) {
      // While there is a Redis nobody has to be asked where it is.
      if (pair === undefined) outages.report(sentenceOf(error))
    } finally {
      if (!closed) endLooks = later(LOOK, () => { void look(sentinel) })
    }
  }

  if (config.sentinel === undefined) await open(config)
  else await look(config.sentinel)
  return {
    asks: () => pair?.asks,
    hear (channel, heard) {
      channels.set(channel, heard)
      if (pair !== undefined) subscribe(pair.hears, channel, heard)
    },
    renew (client) {
      if (pair?.asks !== client || clock() - pair.openedAt < SILENCE) return
      const { place } = pair
      end()
      void open(place)
    },
    close () {
      closed = true
      endLooks()
      end()
    }
  }
}

/** It comes back by itself. */
function clientOf (redis: Library, place: RedisPlace, options: ConnectionOptions) {
  const { database, username, password } = options.config
  return redis.createClient({
    database,
    pingInterval: PING,
    disableOfflineQueue: true,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    socket: { ...socketOf(place, options), socketTimeout: SILENCE, reconnectStrategy: () => AGAIN }
  })
}

/** Sentinels are asked over a connection for each question, and without a password. */
async function askOnce (
  redis: Library,
  place: RedisPlace,
  options: ConnectionOptions,
  words: readonly string[]
): Promise<unknown> {
  const socket = { ...socketOf(place, options), socketTimeout: PATIENCE, reconnectStrategy: false as const }
  const client = redis.createClient({ disableOfflineQueue: true, socket })
  client.on('error', () => {}) // what it says is thrown too
  try {
    await client.connect()
    return await client.sendCommand(words)
  } finally {
    if (client.isOpen) client.destroy()
  }
}

function socketOf ({ host, port }: RedisPlace, { config, texts }: ConnectionOptions) {
  return { host, port, connectTimeout: PATIENCE, ...(config.tls === undefined ? {} : { tls: true as const, ...texts }) }
}
