-- Baseline: the same limits as etc/default.policy, as a Redis script.
--
-- Written as one would write it for production: one call a withdrawal, every
-- window bucketed into hash fields or plain strings with an expiry, so that
-- nothing is scanned.  VARIANT (ARGV[1]) chooses how a rolling sum is kept:
-- "hash" (one hash a counter, a field a bucket) or "keys" (one string a
-- bucket, MGET); the bench reports the better of the two.
--
-- ARGV: variant, now in s, account, destination, amount in sat, net24, id
-- Returns 0 released, 1 delayed, 2 held, 3 denied.
local variant, now = ARGV[1], tonumber(ARGV[2])
local acct, dest, amount = ARGV[3], ARGV[4], tonumber(ARGV[5])
local coins = ARGV[5]		-- as given: Lua would print large ones as 1e+14
local net, id = ARGV[6], ARGV[7]
local call = redis.call

local function sum_hash(key, width, n)
	local b = math.floor(now / width)
	local f = {}
	for i = 0, n do f[i + 1] = tostring((b - i) % (n + 2)) .. ":" .. (b - i) end
	local v = call('HMGET', key, unpack(f))
	local s = 0
	for i = 1, n + 1 do if v[i] then s = s + tonumber(v[i]) end end
	return s
end
local function add_hash(key, width, n, amt)
	local b = math.floor(now / width)
	call('HINCRBY', key, tostring(b % (n + 2)) .. ":" .. b, amt)
	call('HDEL', key, tostring((b - n - 2) % (n + 2)) .. ":" .. (b - n - 2))
	call('EXPIRE', key, math.ceil(width * (n + 2)))
end
local function sum_keys(key, width, n)
	local b = math.floor(now / width)
	local f = {}
	for i = 0, n do f[i + 1] = key .. ":" .. (b - i) end
	local v = call('MGET', unpack(f))
	local s = 0
	for i = 1, n + 1 do if v[i] then s = s + tonumber(v[i]) end end
	return s
end
local function add_keys(key, width, n, amt)
	local k = key .. ":" .. math.floor(now / width)
	call('INCRBY', k, amt)
	call('EXPIRE', k, math.ceil(width * (n + 2)))
end
local sum, add = sum_hash, add_hash
if variant == "keys" then sum, add = sum_keys, add_keys end

-- Distinct members: a sorted set of last-seen times.
local function distinct(key, window, member)
	call('ZREMRANGEBYSCORE', key, '-inf', now - window)
	local n = call('ZCARD', key)
	if not call('ZSCORE', key, member) then n = n + 1 end
	return n
end
local function touch(key, window, member)
	call('ZADD', key, now, member)
	call('EXPIRE', key, window)
end

local H, D, W = 3600, 86400, 604800
local hot = 1000000000000
local habit = tonumber(call('HGET', 'a:' .. acct, 'habit') or '0')
local limit = tonumber(call('HGET', 'a:' .. acct, 'limit') or '0')
local credit = tonumber(call('HGET', 'p:' .. acct, dest) or '0')

local proven = amount <= credit
local outlay = sum('o:' .. acct, D / 8, 8) + (proven and 0 or amount)
local small = not proven and outlay < 50000000
local surprising = not proven and not small and outlay > 3 * habit
local large = surprising and outlay >= hot * 0.002
local habitual = not proven and not small and not surprising

local delay, hold, deny = 0, false, false
if surprising and outlay >= 200000000 then delay = H end
if large then delay = 12 * H end
if surprising then
	if distinct('d6', 6 * H, acct) > 120 then hold = true end
	if distinct('d7', W, acct) > 2500 then hold = true end
	if sum('s24', D / 64, 64) + amount > hot * 0.3 then hold = true end
	if distinct('n:' .. net, H, acct) > 4 then hold = true end
end
if large and sum('l7', W / 64, 64) + amount > hot * 0.02 then hold = true end
if small and sum('m6', 6 * H / 64, 64) + amount > hot * 0.02 then
	delay = math.max(delay, 2 * H)
end
if habitual and sum('h7', W / 64, 64) + amount > hot * 0.5 then hold = true end
if not proven then
	local s = sum('t:' .. dest, W / 8, 8) + amount
	if s > hot * 0.01 then hold = true end
	if distinct('y:' .. dest, W, acct) > 3 and s > hot * 0.0005 then hold = true end
	if sum('u1', H / 64, 64) + amount > hot * 0.1 then hold = true end
end
if limit > 0 and sum('c:' .. acct, D / 8, 8) + amount > limit then deny = true end

-- The reservation, in the same step.
if not proven then add('o:' .. acct, D / 8, 8, coins) end
if surprising then
	touch('d6', 6 * H, acct)
	touch('d7', W, acct)
	touch('n:' .. net, H, acct)
end
if not proven then touch('y:' .. dest, W, acct) end
if deny then return 3 end
if hold then return 2 end
add('c:' .. acct, D / 8, 8, coins)
if not proven then
	add('t:' .. dest, W / 8, 8, coins)
	add('u1', H / 64, 64, coins)
end
if small then add('m6', 6 * H / 64, 64, coins) end
if habitual then add('h7', W / 64, 64, coins) end
if surprising then add('s24', D / 64, 64, coins) end
if large then add('l7', W / 64, 64, coins) end
call('HINCRBY', 'p:' .. acct, dest, coins)
if delay > 0 then return 1 end
return 0
