// What Redis does in one go, in its Lua. What is shared of indexes is in two keys: who is
// there, with how often they came (a hash), and which tenant was changed last when (a sorted
// set of numbers that only go on). They are worth something together alone, and only in the
// run of the server that they were written in: all of it is an epoch, with a name and an age.
// A Redis that was restarted or emptied, and a replica of it that has taken its place, begin
// another one: what it held before may be lost or old.
import { MOST_SPENT } from '../tokens/spent.ts'
import type { Script } from './redis.ts'

const MEMBERS = '{chartgate}:replicas'
const KEYS = [MEMBERS, '{chartgate}:changes', '{chartgate}:revoked'] as const

/** Tenants whose last change is known; who was away for more of them forgets everything. */
const MOST_CHANGES = 10_000

/** What a member's field begins with. */
const MEMBER = 'replica:'

/** Begins another epoch where that has to be; its name, and since how many milliseconds it is. */
const EPOCH = `
local function epochNow (fresh)
  local time = redis.call('TIME')
  local now = time[1] * 1000 + math.floor(time[2] / 1000)
  local run = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
  local known = redis.call('HMGET', KEYS[1], 'epoch', 'run', 'born')
  if known[2] == run and redis.call('EXISTS', KEYS[2]) == 1 then
    if now >= tonumber(known[3]) then return known[1], now - known[3] end
    redis.call('HSET', KEYS[1], 'born', now) -- its clock was set back
    return known[1], 0
  end
  redis.call('DEL', KEYS[1], KEYS[2])
  redis.call('HSET', KEYS[1], 'epoch', fresh, 'run', run, 'born', now, 'seq', 0, 'floor', 0, 'revoked', 0)
  redis.call('ZADD', KEYS[2], 0, '')
  for _, each in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
    redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[1], 'revoked', 1), each)
  end
  return fresh, 0
end
`

const MEMBERS_NOW = `
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
 * changed since the number that was asked with and its number, who is there and what each said
 * of itself last, and what was revoked since, with its number.
 */
export type BeatReply = readonly [string, string, string, Pairs, Pairs, Pairs]

/**
 * A member is there. Arguments: its name, the number of the last change that it knows, the epoch
 * that it knows, a name for a new one, the number of the last revocation that it knows, and what
 * it says of itself, which is another thing each time.
 */
export const BEAT: Script = {
  keys: KEYS,
  stores: true,
  lua: `${EPOCH}${MEMBERS_NOW}
local now = epochNow(ARGV[4])
redis.call('HSET', KEYS[1], '${MEMBER}' .. ARGV[1], ARGV[6])
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

/**
 * Since how many milliseconds the epoch is, who is there and what each said of itself last, and the
 * number of the change.
 */
export type ChangeReply = readonly [number, Pairs, number]

/**
 * A tenant has changed. Arguments: the tenant, a name for a new epoch, the channel on which it is
 * published, the name of the change, who made it, and what it was in their words.
 */
export const CHANGE: Script = {
  keys: KEYS,
  stores: true,
  lua: `${EPOCH}${MEMBERS_NOW}
local now, age = epochNow(ARGV[2])
local seq = redis.call('HINCRBY', KEYS[1], 'seq', 1)
redis.call('ZADD', KEYS[2], seq, ARGV[1])
if redis.call('ZCARD', KEYS[2]) > ${MOST_CHANGES} then
  local half = ${MOST_CHANGES / 2}
  redis.call('HSET', KEYS[1], 'floor', redis.call('ZRANGE', KEYS[2], half, half, 'WITHSCORES')[2])
  redis.call('ZREMRANGEBYRANK', KEYS[2], 0, half)
end
redis.call('PUBLISH', ARGV[3], cjson.encode({now, seq, ARGV[1], ARGV[4], ARGV[5], ARGV[6]}))
return {age, members(), seq}
`
}

/**
 * A member has gone, unless it came since. Arguments: its name, what it had said of itself last; ''
 * for whatever it had.
 */
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
 * A lock. Arguments: its key's name, who wants it, milliseconds, a name for a new epoch, and the
 * milliseconds for which nobody else gets it once it is free when they are refused it and nobody was
 * before. When it is theirs for so long from now on, also when it was theirs before: since how many
 * milliseconds the epoch is. When it is another's, or somebody else's turn: -1.
 */
export const LOCK: Script = {
  keys: KEYS,
  stores: true,
  lua: `${EPOCH}
local key = '{chartgate}:lock:' .. ARGV[1]
local turn = '{chartgate}:turn:' .. ARGV[1]
local holder = redis.call('GET', key)
if holder ~= ARGV[2] then
  local whose = redis.call('GET', turn)
  if whose and whose ~= ARGV[2] then return -1 end
  if holder then
    redis.call('SET', turn, ARGV[2], 'PX', ARGV[5])
    return -1
  end
  redis.call('DEL', turn)
end
local _, age = epochNow(ARGV[4])
redis.call('SET', key, ARGV[2], 'PX', ARGV[3])
return age
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

/**
 * Something is revoked. Arguments: a name for a new epoch, the seconds since the epoch until which
 * what has ended may be given up, then one text for each revocation, which ends with a blank and
 * the seconds until which it counts. Returns how many were not there yet.
 */
export const REVOKE: Script = {
  keys: KEYS,
  stores: true,
  lua: `${EPOCH}
epochNow(ARGV[1])
for _, each in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do
  if (tonumber(string.match(each, '(%d+)$')) or 0) < tonumber(ARGV[2]) then redis.call('ZREM', KEYS[3], each) end
end
local new = 0
for i = 3, #ARGV do
  if not redis.call('ZSCORE', KEYS[3], ARGV[i]) then
    redis.call('ZADD', KEYS[3], redis.call('HINCRBY', KEYS[1], 'revoked', 1), ARGV[i])
    new = new + 1
  end
end
return new
`
}

/** Seconds after which a provider of which nothing was exchanged is forgotten: longer than a token is remembered. */
const SPENT_LASTS = 90_000

/**
 * A token that counts once is exchanged. Arguments: a name for a new epoch, whose it is, its own name, and in
 * milliseconds how long it is remembered, and since when it is issued at most. Returns a `Use` (tokens/spent.ts).
 */
export const SPEND: Script = {
  keys: KEYS,
  stores: true,
  lua: `${EPOCH}
local _, age = epochNow(ARGV[1])
local token, share = '{chartgate}:exchanged:' .. ARGV[3], '{chartgate}:exchanged-of:' .. ARGV[2]
if redis.call('EXISTS', token) == 1 then return 'used' end
if tonumber(ARGV[5]) >= age then return 'too_early' end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', share, '-inf', now)
if redis.call('ZCARD', share) >= ${MOST_SPENT} then return 'unproved' end
redis.call('SET', token, '', 'PX', ARGV[4])
redis.call('ZADD', share, now + ARGV[4], ARGV[3])
redis.call('EXPIRE', share, ${SPENT_LASTS})
return 'first'
`
}

/** Seconds that something of a registry is kept which nobody asks for: 90 days. */
const ANSWERED_LASTS = 7_776_000

/**
 * And that a version is gone, which a replica may not have heard that still has it: 7 days. Who pushes and deletes
 * leaves no more than that.
 */
const GONE_LASTS = 604_800

/** Bytes of content that are kept of one version: whoever may push could push many. */
const MOST_OF_VERSION = 256 * 1024

/**
 * Where something of a registry is: of a version a hash, with what has its tag (`last`) and, for each digest, the
 * archive and the bytes of the content; and the content itself. What others need of Redis comes before it: from
 * half of `maxmemory` on it takes nothing more.
 */
const REGISTRY = `
local version = '{chartgate}:registry:' .. ARGV[1] .. ':' .. ARGV[2]
local function contentOf (hex) return '{chartgate}:registry:' .. ARGV[1] .. '@' .. hex end
local function isRoom ()
  local info = redis.call('INFO', 'memory')
  local most = tonumber(string.match(info, 'maxmemory:(%d+)')) or 0
  return most == 0 or tonumber(string.match(info, 'used_memory:(%d+)')) < most / 2
end
local function numberAfter (least)
  local time = redis.call('TIME')
  local last = tonumber(string.match(redis.call('HGET', version, 'last') or '', '^%d+')) or 0
  return math.max(time[1] * 1000 + math.floor(time[2] / 1000), least + 1, last + 1)
end
local function put (field, value)
  redis.call('HSET', version, field, value)
  redis.call('EXPIRE', version, ${ANSWERED_LASTS})
end
`

/** What a digest names, or ''. Arguments: the repository, the digest. */
export const REGISTRY_CONTENT: Script = {
  keys: [],
  lua: `${REGISTRY}
local found = redis.call('GET', contentOf(ARGV[2]))
if found then redis.call('EXPIRE', contentOf(ARGV[2]), ${ANSWERED_LASTS}) end
return found or ''
`
}

/** Keeps content. Arguments: the repository, the tag of its version, its digest, that of its archive, and the text. */
export const REGISTRY_KEEP: Script = {
  keys: [],
  lua: `${REGISTRY}
local bytes = #ARGV[5]
local all = redis.call('HGETALL', version)
for i = 1, #all, 2 do
  if all[i] ~= 'last' and all[i] ~= ARGV[3] then bytes = bytes + tonumber(string.match(all[i + 1], '%d+$')) end
end
if bytes > ${MOST_OF_VERSION} or not isRoom() then return 0 end
redis.call('SET', contentOf(ARGV[3]), ARGV[5], 'EX', ${ANSWERED_LASTS})
put(ARGV[3], ARGV[4] .. ' ' .. #ARGV[5])
return 1
`
}

/**
 * The fields of a version and their values in turn, without those of which the content is lost. Arguments: the
 * repository, the tag.
 */
export const REGISTRY_VERSION: Script = {
  keys: [],
  lua: `${REGISTRY}
local all, found = redis.call('HGETALL', version), {}
for i = 1, #all, 2 do
  if all[i] == 'last' or redis.call('EXPIRE', contentOf(all[i]), ${ANSWERED_LASTS}) == 1 then
    found[#found + 1] = all[i]
    found[#found + 1] = all[i + 1]
  end
end
if #found > 0 then redis.call('EXPIRE', version, ${ANSWERED_LASTS}) end
return found
`
}

/**
 * Something else has the tag. Arguments: the repository, the tag, the text, a number that is below its own.
 * Returns that; 0 when there is no room.
 */
export const REGISTRY_TAG: Script = {
  keys: [],
  lua: `${REGISTRY}
if redis.call('EXISTS', version) == 0 and not isRoom() then return 0 end
local number = numberAfter(tonumber(ARGV[4]))
put('last', string.format('%.0f', number) .. ' ' .. ARGV[3])
return number
`
}

/** The same with its number, which Redis had. Arguments: the repository, the tag, both, and what is there now. */
export const REGISTRY_TAG_AGAIN: Script = {
  keys: [],
  lua: `${REGISTRY}
if (redis.call('HGET', version, 'last') or '') ~= ARGV[4] then return 0 end
if redis.call('EXISTS', version) == 0 and not isRoom() then return 0 end
put('last', ARGV[3])
return 1
`
}

/**
 * What is of an archive is gone; that it has not the tag any more is known, so that nobody tells again who has not
 * heard of it. Arguments: the repository, the tag, the archive.
 */
export const REGISTRY_FORGET: Script = {
  keys: [],
  lua: `${REGISTRY}
local all = redis.call('HGETALL', version)
for i = 1, #all, 2 do
  if all[i] == 'last' then
    if string.find(all[i + 1], '"archive":"' .. ARGV[3] .. '"', 1, true) then
      redis.call('HSET', version, 'last', string.format('%.0f', numberAfter(0)) .. ' ')
    end
  elseif string.match(all[i + 1], '^%x+') == ARGV[3] then
    redis.call('HDEL', version, all[i])
    redis.call('DEL', contentOf(all[i]))
  end
end
local left = redis.call('HGETALL', version)
if #left == 2 and left[1] == 'last' and string.match(left[2], '^%d+ $') then
  redis.call('EXPIRE', version, ${GONE_LASTS})
end
return 1
`
}
