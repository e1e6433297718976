// Which Redis is the master now? Sentinels watch it and its replicas, and make one of those the
// master when it is gone. They are asked again and again, because one that was the master may
// still be there, and not know yet that it is none any more.
import type { RedisConfig, RedisPlace } from '../config/schema.ts'
import { inQuotes } from '../lib/printable.ts'

/** None of them says where the master is; the message says why, in a sentence. */
export class NoMaster extends Error {}

export interface AskMaster {
  readonly sentinel: Required<RedisConfig>['sentinel']
  /** Sends one command to one of them; what comes back. @throws Error when nothing does */
  readonly ask: (place: RedisPlace, words: readonly string[]) => Promise<unknown>
}

const LONGEST = 160

/** Asks one after the other. @throws NoMaster when none says it */
export async function askMaster ({ sentinel: { places, master }, ask }: AskMaster): Promise<RedisPlace> {
  let why = ''
  for (const place of places) {
    try {
      // https://redis.io/docs/latest/operate/oss_and_stack/management/sentinel/#sentinel-api
      const reply = await ask(place, ['SENTINEL', 'GET-MASTER-ADDR-BY-NAME', master])
      if (isAddress(reply)) return { host: reply[0], port: Number(reply[1]) }
      why = `Sentinel knows no master ${inQuotes(master, LONGEST)}: redis.sentinel is the name that it watches it by`
    } catch (error) {
      why = sentenceOf(error as NodeJS.ErrnoException)
    }
  }
  throw new NoMaster(why)
}

function isAddress (reply: unknown): reply is readonly [string, string] {
  return Array.isArray(reply) && reply.length === 2
}

function sentenceOf ({ code, message }: NodeJS.ErrnoException): string {
  if (code !== undefined) return `no Sentinel at redis.url can be reached (${code})`
  if (/\bunknown command\b/.test(message)) return 'what answers at redis.url is no Sentinel, as redis.sentinel says'
  return `no Sentinel at redis.url can be asked: it says ${inQuotes(message, LONGEST)}`
}
