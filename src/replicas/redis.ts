// How is Redis spoken to? Over two connections of node-redis, one for questions and one that
// hears what others publish; both come back by themselves. A question has an answer within
// a second, or is a fault: nothing here waits for a Redis that is away.
import type { RedisConfig } from '../config/schema.ts'
import type { Later } from '../lib/timers.ts'
import type { CountReads, CountStore } from '../limits/counter.ts'
import type { TlsTexts } from '../tls/material.ts'
import { RedisSilent, sentenceOf } from './faults.ts'
import type { RedisOutages } from './outages.ts'

/** A script in Redis's Lua, which runs as a whole. */
export interface Script {
  readonly lua: string
  readonly keys: readonly string[]
  /**
   * It writes what Redis may refuse to take: that it does not says that Redis can be used. One that is full
   * or read-only still answers all else.
   */
  readonly stores?: true
}

export interface Redis {
  /** Runs a script; what it returns. @throws Error when it is not known to have run */
  run (script: Script, args: readonly string[]): Promise<unknown>
  /** When something was last stored, by the clock. */
  readonly storedAt: () => number
  /** From now on this hears what is published there, whenever there is a connection. */
  hear (channel: string, heard: (text: string) => void): void
  /** What the library of limits asks in its own way (limits/counter.ts), with the same patience. */
  readonly store: CountStore
  close (): void
}

/** Milliseconds that an answer is waited for. */
export const PATIENCE = 1_000
/** Milliseconds between two tries to connect. */
const AGAIN = 250
/** Milliseconds between two words to a Redis that is asked nothing, and without one from it till a connection ends. */
const [PING, SILENCE] = [1_000, 3_000]

export interface RedisOptions {
  readonly config: RedisConfig
  /** What redis.tls names. */
  readonly texts: TlsTexts
  readonly outages: Pick<RedisOutages, 'report'>
  readonly later: Later
  /** Milliseconds of a clock that only goes on. */
  readonly clock: () => number
}

/**
 * Opens it, and waits as long for it as for an answer; whether it can be used is said by `outages`, and
 * nothing else waits for it.
 */
export async function openRedis ({ config, texts, outages, later, clock }: RedisOptions): Promise<Redis> {
  const redis = await import('redis') // loaded where there is one: a fifth of a second
  let storedAt = -Infinity
  const { host, port, database, username, password, tls } = config
  const [asks, hears] = [createOne(), createOne()]
  asks.on('error', (error: unknown) => { outages.report(sentenceOf(error)) })
  hears.on('error', () => {}) // the other one says the same
  const channels = new Map<string, (text: string) => void>()
  hears.on('ready', () => { for (const each of channels) subscribe(...each) })
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

  function createOne () {
    return redis.createClient({
      database,
      pingInterval: PING,
      disableOfflineQueue: true,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      socket: {
        host,
        port,
        connectTimeout: PATIENCE,
        socketTimeout: SILENCE,
        reconnectStrategy: () => AGAIN,
        ...(tls === undefined ? {} : { tls: true as const, ...texts })
      }
    })
  }

  /** Sent when there is a connection; what breaks off with one is sent anew with the next. */
  function subscribe (channel: string, heard: (text: string) => void): void {
    hears.subscribe(channel, heard).catch(() => {})
  }

  async function inTime<T> (asked: Promise<T>, stores = false): Promise<T> {
    try {
      const answer = await new Promise<T>((resolve, reject) => {
        const cancel = later(PATIENCE, () => { reject(new RedisSilent('no answer in time')) })
        asked.finally(cancel).then(resolve, reject)
      })
      if (stores) {
        outages.report(undefined)
        storedAt = clock()
      }
      return answer
    } catch (error) {
      if (!(error instanceof redis.ClientOfflineError)) outages.report(sentenceOf(error))
      throw error // of a connection that is not there its own error has said why
    }
  }

  return {
    run: async ({ lua, keys, stores }, args) =>
      await inTime(asks.eval(lua, { keys: [...keys], arguments: [...args] }), stores),
    storedAt: () => storedAt,
    hear (channel, heard) {
      channels.set(channel, heard)
      subscribe(channel, heard)
    },
    store: {
      eval: async (lua, given) => await inTime(asks.eval(lua, given), true),
      multi () {
        const reads = asks.multi() as unknown as CountReads
        const chain: CountReads = {
          get (key) { reads.get(key); return chain },
          pTTL (key) { reads.pTTL(key); return chain },
          exec: async asOne => await inTime(reads.exec(asOne))
        }
        return chain
      }
    },
    close () {
      for (const client of [asks, hears]) client.destroy()
    }
  }
}
