// What Redis does in one go, in its Lua. What is shared of indexes is in two keys: who is
// there, with how often they came (a hash), and which tenant was changed last when (a sorted
// set of numbers that only go on). They are worth something together alone, and only in the
// Redis that they were written in: a name that is made with them and the run id of the server
// are an epoch. A Redis that was restarted empty or was emptied, and a replica of it that has
// taken its place, begin another one. No clock of Redis's decides anything.
import type { Script } from './redis.ts'

const MEMBERS = '{chartgate}:replicas'
const KEYS = [MEMBERS, '{chartgate}:changes', '{chartgate}:revoked'] as const

/** Tenants whose last change is known; who was away for more of them forgets everything. */
const MOST_CHANGES = 10_000

/** What a member's field begins with. */
const MEMBER = 'replica:'

const EPOCH = `
local function epochNow (fresh)
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local own = redis.call('HGET', KEYS[1], 'epoch')
  if not own or redis.call('EXISTS', KEYS[2]) == 0 then
    own = fresh
    redis.call('DEL', KEYS[1], KEYS[2])
    redis.call('HSET', KEYS[1], 'epoch', own, 'seq', 0, 'floor', 0, 'revoked', 0)
    redis.call('ZADD', KEYS[2], 0, '')
    for _, each in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
      redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[1], 'revoked', 1), each)
    end
  end
  return run .. ':' .. own
end
local function members ()
  local found = {}
  local all = redis.call('HGETALL', KEYS[1])
  for i = 1, #all, 2 do
    if string.sub(all[i], 1, ${MEMBER.length}) == '${MEMBER}' then
      found[#found + 1] = string.sub(all[i], ${MEMBER.length + 1})
      found[#found + 1] = all[i + 1]
    end
  end
  return found
end
`

/** Names and numbers in turn. */
export type Pairs = readonly string[]

export function pairsOf (flat: Pairs): (readonly [string, string])[] {
  return flat.flatMap((name, i) => i % 2 === 0 ? [[name, flat[i + 1] as string] as const] : [])
}

/**
 * The epoch, the number of the last change, the one below which nothing is known any more, what
 * changed since the number that was asked with and its number, who is there and how often each
 * came, and what was revoked since, with its number.
 */
export type BeatReply = readonly [string, string, string, Pairs, Pairs, Pairs]

/**
 * A member is there. Arguments: its name, the number of the last change that it knows, the epoch
 * that it knows, a name for a new one, the number of the last revocation that it knows.
 */
export const BEAT: Script = {
  keys: KEYS,
  lua: `${EPOCH}
local now = epochNow(ARGV[4])
redis.call('HINCRBY', KEYS[1], '${MEMBER}' .. ARGV[1], 1)
local changed, revoked = {}, '-inf'
if now == ARGV[3] then
  changed = redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. ARGV[2], '+inf', 'WITHSCORES')
  revoked = '(' .. ARGV[5]
end
return {
  now, redis.call('HGET', KEYS[1], 'seq'), redis.call('HGET', KEYS[1], 'floor'), changed, members(),
  redis.call('ZRANGEBYSCORE', KEYS[3], revoked, '+inf', 'WITHSCORES')
}
`
}

/** The epoch, and who is there and how often each came. */
export type ChangeReply = readonly [string, Pairs]

/**
 * A tenant has changed. Arguments: the tenant, a name for a new epoch, the channel on which it is
 * published, the name of the change, and who made it.
 */
export const CHANGE: Script = {
  keys: KEYS,
  lua: `${EPOCH}
local now = epochNow(ARGV[2])
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('ZADD', KEYS[2], seq, ARGV[1])
if redis.call('ZCARD', KEYS[2]) > ${MOST_CHANGES} then
  local half = ${MOST_CHANGES / 2}
  redis.call('HSET', KEYS[1], 'floor', redis.call('ZRANGE', KEYS[2], half, half, 'WITHSCORES')[2])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, half)
end
redis.call('PUBLISH', ARGV[3], cjson.encode({now, seq, ARGV[1], ARGV[4], ARGV[5]}))
return {now, members()}
`
}

/** A member has gone, unless it came since. Arguments: its name, how often it had come; '' for however often. */
export const LEAVE: Script = {
  keys: [MEMBERS],
  lua: `
local field = '${MEMBER}' .. ARGV[1]
if ARGV[2] == '' or redis.call('HGET', KEYS[1], field) == ARGV[2] then redis.call('HDEL', KEYS[1], field) end
return 0
`
}

/** Publishes. Arguments: the channel, the text. */
export const SAY: Script = { keys: [], lua: 'return redis.call(\'PUBLISH\', ARGV[1], ARGV[2])' }

/**
 * A lock. Arguments: its key's name, who wants it, milliseconds. Returns 1 when it is theirs for so
 * long from now on, also when it was theirs before; 0 when it is another's.
 */
export const LOCK: Script = {
  keys: [],
  lua: `
local key = '{chartgate}:lock:' .. ARGV[1]
local holder = redis.call('GET', key)
if holder and holder ~= ARGV[2] then return 0 end
redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
return 1
`
}

/** Gives a lock back. Arguments: its key's name, whose it is. */
export const UNLOCK: Script = {
  keys: [],
  lua: `
local key = '{chartgate}:lock:' .. ARGV[1]
if redis.call('GET', key) == ARGV[2] then redis.call('DEL', key) end
return 0
`
}
