// What is wrong with Redis, and what is to be done? One sentence for each way in which it
// fails, told by what it or the system says; all else in its own words, cut short.
import { inQuotes } from '../lib/printable.ts'
import { NoMaster } from './sentinel.ts'

/** Nothing came back in time. */
export class RedisSilent extends Error {}

/** By a word of its own errors (redis 7.0, src/server.c, createSharedObjects); of a script others stand before it. */
const OF_REDIS: readonly (readonly [RegExp, string])[] = [
  [/\bNOAUTH\b/, 'Redis wants a password: set redis.password'],
  [/\bWRONGPASS\b/, 'Redis refuses redis.username and redis.password: give those of one of its users'],
  [
    // of a script redis 7.0 says it in the second way, and Valkey 8 and 9 in the third
    /\bNOPERM\b|\buser executing the script can't\b|\bACL failure in script\b/,
    'Redis does not let redis.username do what is needed: it needs the commands of docs/scaling.md'
  ],
  [/\bREADONLY\b/, 'Redis is read-only: redis.url names a replica of it, and has to name the one that is written to'],
  [/\bOOM\b/, 'Redis is full (maxmemory), and takes nothing more: give it more memory, or a database for this alone'],
  [/\bMISCONF\b/, 'Redis takes nothing, because it cannot save what it has: its own log says why'],
  [/\bLOADING\b/, 'Redis is starting, and reads what it has saved']
]
/** What the client library says of bytes that no Redis sends (@redis/client 6.3.1, RESP/decoder). */
const NO_REDIS = /^(?:Unknown RESP type|Invalid RESP|Unexpected)/
const LONGEST = 160

/** @param error what came of a question or a connection */
export function sentenceOf (error: unknown): string {
  if (error instanceof NoMaster) return error.message
  if (error instanceof RedisSilent) return 'Redis does not answer'
  const { message, code } = error as NodeJS.ErrnoException
  if (code !== undefined) return `Redis cannot be reached (${code})`
  const known = OF_REDIS.find(([form]) => form.test(message))
  if (known !== undefined) return known[1]
  if (NO_REDIS.test(message)) return 'what answers at redis.url is no Redis'
  return `Redis cannot be used: it says ${inQuotes(message, LONGEST)}`
}
