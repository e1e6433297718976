// Where is Redis, and is that said in a way that can be? Its keys of the configuration, from
// their words to what the program works with.
import { showText } from '../files/mistakes.ts'
import { readDuration } from '../files/units.ts'
import type { ConfigFile, RedisConfig, RedisPlace } from './schema.ts'

const HOST = '(?:[A-Za-z0-9._-]+|\\[[0-9A-Fa-f:.]+\\])(?::\\d{1,5})?'
const REDIS_URL = new RegExp(`^(rediss?)://(${HOST}(?:,${HOST})*)(?:/(\\d{0,3}))?$`)
const [REDIS_PORT, SENTINEL_PORT] = [6379, 26379]
/**
 * Seconds that an index may be answered from memory, with Redis: for so long a push waits that
 * cannot tell the other replicas.
 */
export const MOST_AGE = 10

type Values = Pick<ConfigFile, 'redis' | 'charts'>

/** Undefined where no URL is given. @param absolute makes files independent of where somebody is */
export function settleRedis (
  { url, sentinel, username, password, tls }: ConfigFile['redis'],
  absolute: (named: ConfigFile['redis']['tls']) => Partial<ConfigFile['redis']['tls']>
): RedisConfig | undefined {
  const parts = partsOf(url)
  if (parts === undefined) return undefined
  const { scheme, database } = parts
  const places = parts.places.map(each => placeOf(each, sentinel === '' ? REDIS_PORT : SENTINEL_PORT))
  return {
    ...places[0] as RedisPlace, // the form has one at least
    database: Number(database),
    ...(sentinel === '' ? {} : { sentinel: { master: sentinel, places } }),
    ...(username === '' ? {} : { username }),
    ...(password === '' ? {} : { password }),
    ...(scheme === 'redis' ? {} : { tls: absolute(tls) })
  }
}

interface UrlParts {
  readonly scheme: string
  /** Each as a URL of its own. */
  readonly places: readonly URL[]
  readonly database: string
}

/** Undefined for what is none. */
function partsOf (url: string): UrlParts | undefined {
  const [, scheme, hosts, database = ''] = REDIS_URL.exec(url) ?? []
  if (scheme === undefined || hosts === undefined) return undefined
  const places = hosts.split(',').map(host => `${scheme}://${host}`)
  return places.every(place => URL.canParse(place))
    ? { scheme, places: places.map(place => new URL(place)), database }
    : undefined
}

function placeOf ({ hostname, port }: URL, otherwise: number): RedisPlace {
  return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? otherwise : Number(port) }
}

type Rule = (keys: readonly [string, ...string[]], sentence: () => string | false) => void

/** What is wrong with them beyond their form. @param rule takes a sentence where its keys are sound (rules.ts) */
export function redisRules ({ redis, charts }: Values, rule: Rule): void {
  const { url, sentinel, username, password, tls } = redis
  const usesTls = Object.values(tls).some(file => file !== '')
  const parts = partsOf(url)
  rule(['redis.url'], () => url !== '' && parts === undefined &&
    `${showText(url)} is not a redis or rediss URL without user and password (redis.username and redis.password are ` +
      'for those)')
  rule(['redis.url', 'redis.sentinel'], () => sentinel === '' && (parts?.places.length ?? 0) > 1 &&
    'it names several hosts, as only Sentinels are: redis.sentinel is the name of their master')
  rule(['redis', 'redis.url'], () => url === '' && (usesTls || username + password + sentinel !== '') &&
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
