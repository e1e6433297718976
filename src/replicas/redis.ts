// How is Redis spoken to? Over two connections of node-redis, one for questions and one that
// hears what others publish; both come back by themselves. A question has an answer within
// a second, or is a fault: nothing here waits for a Redis that is away.
import type { CountReads, CountStore } from '../limits/counter.ts'
import { connect, PATIENCE, SILENCE, type Client, type ConnectionOptions } from './connections.ts'
import { isEnd, isForbidden, isReadOnly, RedisSilent, sentenceOf } from './faults.ts'
import { createForbidden } from './forbidden.ts'
import { NoMaster } from './sentinel.ts'

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

/** What the library of limits reads, which is no script. */
const READS = 'reads'

/**
 * Opens it, and waits as long for it as for an answer; whether it can be used is said by `outages`, and
 * nothing else waits for it.
 */
export async function openRedis (options: ConnectionOptions): Promise<Redis> {
  const redis = await import('redis') // loaded where there is one: a fifth of a second
  const { outages, later, clock } = options
  const forbidden = createForbidden()
  const connections = await connect(redis, options, forbidden)
  let storedAt = -Infinity
  /** When something came back, whatever it was. */
  let answeredAt = -Infinity

  function asks (): Client {
    const client = connections.asks()
    if (client === undefined) throw new NoMaster('nobody has said yet where Redis is')
    return client
  }

  /** Does this connection lead to nobody, or to one that was the master before? */
  function isLost (error: unknown): boolean {
    return error instanceof RedisSilent ? clock() - answeredAt >= SILENCE : isReadOnly(error)
  }

  /** @param what is asked: what its user may not do stays wrong while other questions are answered */
  async function inTime<T> (client: Client, asked: Promise<T>, what: string, stores = false): Promise<T> {
    const came = (): void => { answeredAt = clock() }
    asked.then(came, (error: unknown) => { if (error instanceof redis.ErrorReply) came() })
    try {
      const answer = await new Promise<T>((resolve, reject) => {
        // What came while this process stood still is read first.
        const giveUp = (): void => { setImmediate(() => { reject(new RedisSilent('no answer in time')) }) }
        const cancel = later(PATIENCE, giveUp)
        asked.finally(cancel).then(resolve, reject)
      })
      forbidden.passed(what)
      if (stores) {
        if (!forbidden.any()) outages.report(undefined)
        storedAt = clock()
      }
      return answer
    } catch (error) {
      if (isForbidden(error)) forbidden.refused(what)
      if (isLost(error)) connections.renew(client)
      // There is no connection, it ended, or it was given up: connections.ts says why.
      const isSaid = error instanceof redis.ClientOfflineError || error instanceof redis.DisconnectsClientError
      if (!isSaid && !isEnd(error)) outages.report(sentenceOf(error))
      throw error
    }
  }

  return {
    async run ({ lua, keys, stores }, args) {
      const client = asks()
      return await inTime(client, client.eval(lua, { keys: [...keys], arguments: [...args] }), lua, stores)
    },
    storedAt: () => storedAt,
    hear: connections.hear,
    store: {
      async eval (lua, given) {
        const client = asks()
        return await inTime(client, client.eval(lua, given), lua, true)
      },
      multi () {
        const asked: ((reads: CountReads) => void)[] = []
        const chain: CountReads = {
          get (key) { asked.push(reads => { reads.get(key) }); return chain },
          pTTL (key) { asked.push(reads => { reads.pTTL(key) }); return chain },
          async exec (asOne) {
            const client = asks()
            const reads = client.multi() as unknown as CountReads
            for (const each of asked) each(reads)
            return await inTime(client, reads.exec(asOne), READS)
          }
        }
        return chain
      }
    },
    close: connections.close
  }
}
