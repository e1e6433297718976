// What is wrong with Redis, and what is to be done? One sentence for each way in which it
// fails, told by what it or the system says; all else in its own words, cut short.
import { inQuotes } from '../lib/printable.ts'
import { NoMaster } from './sentinel.ts'

/** Nothing came back in time. */
export class RedisSilent extends Error {}

const READONLY = /\bREADONLY\b/
/** Of a script redis 7.0 says it in the second way, and Valkey 8 and 9 in the third. */
const FORBIDDEN = /\bNOPERM\b|\buser executing the script can't\b|\bACL failure in script\b/

/** What the client library says of one that was there (@redis/client 6.3.1, errors.js). */
const ENDED = /^Socket closed unexpectedly/
const SILENT = 'Redis does not answer'

/** By a word of its own errors (redis 7.0, src/server.c, createSharedObjects); of a script others stand before it. */
const OF_REDIS: readonly (readonly [RegExp, string])[] = [
  [/\bNOAUTH\b/, 'Redis wants a password: set redis.password'],
  [/\bWRONGPASS\b/, 'Redis refuses redis.username and redis.password: give those of one of its users'],
  [
    FORBIDDEN,
    'Redis does not let redis.username do what is needed: it needs the commands of docs/scaling.md'
  ],
  [READONLY, 'Redis is read-only: redis.url names a replica of it, and has to name the one that is written to'],
  [/\bOOM\b/, 'Redis is full (maxmemory), and takes nothing more: give it more memory, or use one for this alone'],
  [/\bMISCONF\b/, 'Redis takes nothing, because it cannot save what it has: its own log says why'],
  [/\bLOADING\b/, 'Redis is starting, and reads what it has saved'],
  [/\bMOVED\b|\bCLUSTERDOWN\b/, 'Redis is one of a cluster: redis.url has to name one that is none'],
  [/\bunknown command '?EVAL\b/i, 'what answers at redis.url runs no scripts: if it is a Sentinel, set redis.sentinel']
]
/** What the client library says of connections (@redis/client 6.3.1, errors.js). */
const OF_CONNECTIONS: readonly (readonly [RegExp, string])[] = [
  [ENDED, 'what answers at redis.url ends connections: is it Redis, and with TLS or without?'],
  [/^(?:Socket|Connection) timeout/, SILENT]
]
/** Of Node (https://nodejs.org/api/tls.html#x509-certificate-error-codes, and ERR_TLS_CERT_ALTNAME_INVALID). */
const OF_CERTIFICATES = /CERT|SELF_SIGNED|UNABLE_TO|INVALID_CA|HOSTNAME_MISMATCH/
/** What the client library says of bytes that no Redis sends (@redis/client 6.3.1, RESP/decoder). */
const NO_REDIS = /^(?:Unknown RESP type|Invalid RESP|Unexpected)/
const LONGEST = 160

/** Does it say that a connection has ended, and nothing of why? */
export function isEnd (error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ECONNRESET' || code === 'EPIPE' || ENDED.test(message)
}

/** Does it say that it is a replica? One that was the master may be, and its name another one's by now. */
export function isReadOnly (error: unknown): boolean {
  return READONLY.test((error as Error).message)
}

/** Does it say that redis.username may not do that? */
export function isForbidden (error: unknown): boolean {
  return FORBIDDEN.test((error as Error).message)
}

/** @param error what came of a question or a connection */
export function sentenceOf (error: unknown): string {
  if (error instanceof NoMaster) return error.message
  if (error instanceof RedisSilent) return SILENT
  const { message, code } = error as NodeJS.ErrnoException
  if (code !== undefined && OF_CERTIFICATES.test(code)) {
    return `the certificate of Redis is not good (${code}): look at redis.tls.ca, and the name in redis.url`
  }
  if (code !== undefined) return `Redis cannot be reached (${code})`
  const known = [...OF_REDIS, ...OF_CONNECTIONS].find(([form]) => form.test(message))
  if (known !== undefined) return known[1]
  if (NO_REDIS.test(message)) return 'what answers at redis.url is no Redis'
  return `Redis cannot be used: it says ${inQuotes(message, LONGEST)}`
}
