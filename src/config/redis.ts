// Where is Redis, and is that said in a way that can be? Its keys of the configuration, from
// their words to what the program works with.
import { showText } from '../files/mistakes.ts'
import { readDuration } from '../files/units.ts'
import type { ConfigFile, RedisConfig } from './schema.ts'

const REDIS_URL = /^rediss?:\/\/(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:\/\d{0,3})?$/
const DEFAULT_PORT = 6379
/**
 * Seconds that an index may be answered from memory, with Redis: for so long a push waits that
 * cannot tell the other replicas.
 */
export const MOST_AGE = 10

type Values = Pick<ConfigFile, 'redis' | 'charts'>

/** Undefined where no URL is given. @param absolute makes files independent of where somebody is */
export function settleRedis (
  { url, username, password, tls }: ConfigFile['redis'],
  absolute: (named: ConfigFile['redis']['tls']) => Partial<ConfigFile['redis']['tls']>
): RedisConfig | undefined {
  if (url === '') return undefined
  const { protocol, hostname, port, pathname } = new URL(url)
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: port === '' ? DEFAULT_PORT : Number(port),
    database: Number(pathname.slice(1)),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(protocol === 'redis:' ? {} : { tls: absolute(tls) })
  }
}

type Rule = (keys: readonly [string, ...string[]], sentence: () => string | false) => void

/** What is wrong with them beyond their form. @param rule takes a sentence where its keys are sound (rules.ts) */
export function redisRules ({ redis, charts }: Values, rule: Rule): void {
  const { url, username, password, tls } = redis
  const usesTls = Object.values(tls).some(file => file !== '')
  rule(['redis.url'], () => url !== '' && !(REDIS_URL.test(url) && URL.canParse(url)) &&
    `${showText(url)} is not a redis or rediss URL without user and password (redis.username and redis.password are ` +
      'for those)')
  rule(['redis', 'redis.url'], () => url === '' && (usesTls || username + password !== '') &&
    'it says how Redis is spoken to, and redis.url does not say where it is')
  rule(['redis.username', 'redis.password'], () => username !== '' && password === '' &&
    'it needs redis.password: a user of Redis is known by a password')
  rule(['redis.tls', 'redis.url'], () => usesTls && url.startsWith('redis:') &&
    'it is for a Redis behind TLS, and redis.url does not begin with rediss:')
  rule(['redis.tls.key', 'redis.tls.cert'], () => (tls.cert === '') !== (tls.key === '') &&
    'redis.tls.cert and redis.tls.key are used together: a certificate and its private key')
  rule(['charts.index.maxAge', 'redis.url'], () => url !== '' && readDuration(charts.index.maxAge) > MOST_AGE &&
    `"${charts.index.maxAge}" is more than ${MOST_AGE}s: with redis.url a push waits for so long while Redis is away`)
}
