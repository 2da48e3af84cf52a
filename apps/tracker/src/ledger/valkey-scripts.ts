import { forgottenAtOnce, greatestTotal, mostBans, mostKeys, mostListed } from './limits.ts'
import { perBatch } from './port.ts'

/** All in one slot of a cluster, since scripts touch several at once. */
const prefix = '{eldernode-tracker}:'

/**
 * `about`: epoch and sequence. `keys`, `revoked`, `totals`: by key id. `order`: key ids by themselves. `allowed`, `denied`, `bans`: names with score 0, or with the end of a ban. `changes`: `<kind>:<name>` by the number
 * of the last change. `gone`: what is to be forgotten, by when it went.
 */
export const storeKeys = [
  'about',
  'keys',
  'revoked',
  'totals',
  'order',
  'allowed',
  'denied',
  'bans',
  'changes',
  'gone',
].map((name) => prefix + name)

/** The number of the last batch of a source. */
export const sourceKey = (source: string): string => `${prefix}source:${source}`

const preamble = `
local about, keys, revoked, totals, order, allowed, denied, bans, changes, gone, source = unpack(KEYS)
local lists = { allowed = allowed, denied = denied, ban = bans }
local function changed(kind, name)
  redis.call('ZADD', changes, redis.call('HINCRBY', about, 'sequence', 1), kind .. ':' .. name)
end
local function forget(before)
  for _, member in ipairs(redis.call('ZRANGEBYSCORE', gone, '-inf', '(' .. before, 'LIMIT', 0, ${forgottenAtOnce})) do
    redis.call('ZREM', gone, member)
    redis.call('ZREM', changes, member)
    local id = string.match(member, '^key:(.*)$')
    if id then
      redis.call('HDEL', keys, id)
      redis.call('HDEL', revoked, id)
      redis.call('HDEL', totals, id .. '.up', id .. '.down')
      redis.call('ZREM', order, id)
    end
  end
end
`

const script = (body: string): string => preamble + body

/** ARGV: record, before when things are forgotten. Gives the id, or 0. */
export const createScript = script(`
forget(ARGV[2])
if redis.call('HLEN', keys) >= ${mostKeys} then return 0 end
local id = redis.call('HINCRBY', about, 'keys', 1)
redis.call('HSET', keys, id, ARGV[1])
redis.call('ZADD', order, id, id)
changed('key', id)
return id
`)

/** ARGV: id, now, before. */
export const revokeScript = script(`
forget(ARGV[3])
if redis.call('HEXISTS', keys, ARGV[1]) == 0 then return 0 end
if redis.call('HSETNX', revoked, ARGV[1], ARGV[2]) == 1 then
  redis.call('ZADD', gone, ARGV[2], 'key:' .. ARGV[1])
  changed('key', ARGV[1])
end
return 1
`)

/** ARGV: the id after which to begin, how many. Gives id, record, revoked at, up and down of each. */
export const pageScript = script(`
local found = redis.call('ZRANGEBYSCORE', order, '(' .. ARGV[1], '+inf', 'LIMIT', 0, ARGV[2])
local rows = {}
for _, id in ipairs(found) do
  rows[#rows + 1] = { id, redis.call('HGET', keys, id), redis.call('HGET', revoked, id),
    redis.call('HGET', totals, id .. '.up'), redis.call('HGET', totals, id .. '.down') }
end
return rows
`)

/** ARGV: list, 1 or 0, now, before, then infohashes. */
export const listScript = script(`
forget(ARGV[4])
local list, isListed = lists[ARGV[1]], ARGV[2] == '1'
local other = {}
for i = 5, #ARGV do
  if (redis.call('ZSCORE', list, ARGV[i]) and true or false) ~= isListed then other[#other + 1] = ARGV[i] end
end
if isListed and redis.call('ZCARD', allowed) + redis.call('ZCARD', denied) + #other > ${mostListed} then return 0 end
for _, name in ipairs(other) do
  local member = ARGV[1] .. ':' .. name
  if isListed then
    redis.call('ZADD', list, 0, name)
    redis.call('ZREM', gone, member)
  else
    redis.call('ZREM', list, name)
    redis.call('ZADD', gone, ARGV[3], member)
  end
  changed(ARGV[1], name)
end
return 1
`)

/** ARGV: now, before, then network and end of each. */
export const banScript = script(`
forget(ARGV[2])
local now = tonumber(ARGV[1])
for _, network in ipairs(redis.call('ZRANGEBYSCORE', bans, '-inf', now)) do
  redis.call('ZREM', bans, network)
end
for i = 3, #ARGV, 2 do
  local network, untilWhen = ARGV[i], tonumber(ARGV[i + 1])
  local isThere = redis.call('ZSCORE', bans, network)
  if untilWhen <= now then
    if isThere or untilWhen == 0 then
      redis.call('ZREM', bans, network)
      redis.call('ZADD', gone, now, 'ban:' .. network)
      changed('ban', network)
    end
  elseif isThere or redis.call('ZCARD', bans) < ${mostBans} then
    redis.call('ZADD', bans, ARGV[i + 1], network)
    redis.call('ZADD', gone, ARGV[i + 1], 'ban:' .. network)
    changed('ban', network)
  end
end
return 1
`)

/** ARGV: an epoch for a store that has none, epoch and sequence of who asks. Gives epoch, sequence, 1 when told anew, 1 when there is more, and rows: kind, name, record or score, 1 when a key is revoked. */
export const changesScript = script(`
redis.call('HSETNX', about, 'epoch', ARGV[1])
local epoch = redis.call('HGET', about, 'epoch')
local sequence = tonumber(redis.call('HGET', about, 'sequence') or '0')
local from = tonumber(ARGV[3])
local isFresh = ARGV[2] ~= epoch or from > sequence
if isFresh then from = 0 end
local found = redis.call('ZRANGEBYSCORE', changes, '(' .. string.format('%.0f', from), '+inf', 'WITHSCORES', 'LIMIT', 0, ${perBatch})
local rows = {}
for i = 1, #found, 2 do
  local kind, name = string.match(found[i], '^(%a+):(.*)$')
  if kind == 'key' then
    local isRevoked = redis.call('HEXISTS', revoked, name) == 1 and '1' or '0'
    rows[#rows + 1] = { kind, name, redis.call('HGET', keys, name), isRevoked }
  else
    rows[#rows + 1] = { kind, name, redis.call('ZSCORE', lists[kind], name) or '', '' }
  end
end
local hasMore = #rows == ${perBatch}
if hasMore then sequence = tonumber(found[#found]) end
return { epoch, string.format('%.0f', sequence), isFresh and 1 or 0, hasMore and 1 or 0, rows }
`)

/** ARGV: number, milliseconds until its source is forgotten, then id, up and down of each. */
export const totalsScript = script(`
if tonumber(redis.call('GET', source) or '-1') >= tonumber(ARGV[1]) then return 0 end
redis.call('SET', source, ARGV[1], 'PX', ARGV[2])
local function add(field, more)
  local sum = math.min(tonumber(redis.call('HGET', totals, field) or '0') + tonumber(more), ${greatestTotal})
  redis.call('HSET', totals, field, string.format('%.0f', sum))
end
for i = 3, #ARGV, 3 do
  if redis.call('HEXISTS', keys, ARGV[i]) == 1 then
    add(ARGV[i] .. '.up', ARGV[i + 1])
    add(ARGV[i] .. '.down', ARGV[i + 2])
  end
end
return 1
`)

/** ARGV: id. Gives a row as the page does. */
export const findScript = script(`
local id = ARGV[1]
local record = redis.call('HGET', keys, id)
return record and { id, record, redis.call('HGET', revoked, id), redis.call('HGET', totals, id .. '.up'),
  redis.call('HGET', totals, id .. '.down') }
`)

/** ARGV: list, where to begin, how many. */
export const listPageScript = script(`
return redis.call('ZRANGEBYLEX', lists[ARGV[1]], ARGV[2], '+', 'LIMIT', 0, ARGV[3])
`)

/** ARGV: now. */
export const banPageScript = script(`
return redis.call('ZRANGEBYSCORE', bans, '(' .. ARGV[1], '+inf', 'WITHSCORES')
`)
