-- Baseline: limits of the kind that etc/default.policy sets, as a Redis
-- script: the same windows and classes, with fixed numbers where the policy
-- has learned lines (which is in this script's favour).
--
-- Written as one would write it for production: one call a withdrawal, every
-- window bucketed into hash fields or plain strings with an expiry, so that
-- nothing is scanned, and nothing is read that the withdrawal's class does
-- not ask for.  VARIANT (ARGV[1]) chooses how a rolling sum is kept: "hash"
-- (one hash a counter, a field a bucket) or "keys" (one string a bucket,
-- MGET); the bench reports the better of the two.
--
-- ARGV: variant, now in ms, account, destination, amount in sat, net24,
-- number of the request, hot wallet in sat, requests a day
-- Returns 0 released, 1 delayed, 2 held, 3 denied.
local variant, now = ARGV[1], tonumber(ARGV[2])
local acct, dest, amount = ARGV[3], ARGV[4], tonumber(ARGV[5])
local coins = ARGV[5]		-- as given: Lua would print large ones as 1e+14
local net, number = ARGV[6], tonumber(ARGV[7])
local hot, daily = tonumber(ARGV[8]), tonumber(ARGV[9])
local call = redis.call
local H, D = 3600000, 86400000

local function sum_hash(key, width, n)
	local b = math.floor(now / width)
	local f = {}
	for i = 0, n do f[i + 1] = b - i end
	local v = call('HMGET', key, unpack(f))
	local s = 0
	for i = 1, n + 1 do if v[i] then s = s + tonumber(v[i]) end end
	return s
end
local function add_hash(key, width, n, amt)
	local b = math.floor(now / width)
	call('HINCRBY', key, b, amt)
	call('HDEL', key, b - n - 1, b - n - 2)
	call('PEXPIRE', key, math.ceil(width * (n + 2)))
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
	call('PEXPIRE', k, math.ceil(width * (n + 2)))
end
local sum, add = sum_hash, add_hash
if variant == "keys" then sum, add = sum_keys, add_keys end

-- Distinct members: a sorted set of last-seen times.
local function distinct(key, window)
	call('ZREMRANGEBYSCORE', key, '-inf', now - window)
	local n = call('ZCARD', key)
	if not call('ZSCORE', key, acct) then n = n + 1 end
	return n
end
local function touch(key, window)
	call('ZADD', key, now, acct)
	call('PEXPIRE', key, window)
end
local function platform(key, days)	-- a sum of 64 buckets, with this one
	return sum(key, days * D / 64, 64) + amount
end
local function entered(key, days)
	add(key, days * D / 64, 64, coins)
end

-- What is known of the account and of the pair.
local a = call('HMGET', 'a:' .. acct, 'habit', 'limit')
local habit, limit = tonumber(a[1] or '0'), tonumber(a[2] or '10000000000')
local p = call('HMGET', 'p:' .. acct, dest, dest .. ':t')
local credit, first = tonumber(p[1] or '0'), tonumber(p[2] or '0')

-- Classes.
local proven = amount <= credit and now - first >= 3 * D
local acquainted = not proven and 2 * credit >= amount
local strange = not proven and not acquainted
local outlay = sum('o:' .. acct, D / 8, 8) + (strange and amount or 0)
local small = strange and outlay < 50000000
local surprising = not proven and amount >= 50000000 and outlay > 3 * habit
local habitual = strange and not small and not surprising
local watched = surprising and outlay >= 150000000
local heavy = surprising and outlay >= 500000000
local rush = false
if proven then
	rush = distinct('e3', 3 * H) > daily * 0.2 or
	    distinct('e24', D) > daily * 0.9
	call('SET', 'rush', rush and '1' or '0')
else
	rush = call('GET', 'rush') == '1'
end
local calm = surprising and not rush
local calmw, calmhv = watched and not rush, heavy and not rush
local calms = small and not rush
local habw = habitual and outlay >= 150000000 and not rush
local habs = habitual and outlay < 150000000 and not rush
local odds = calms and outlay >= 10000000 and outlay > 3 * habit

-- Rules.
local delay, hold, deny = 0, false, false
if watched then delay = H end
if heavy then delay = 6 * H end
if watched and amount >= hot * 0.01 then delay = 12 * H end
if calm then
	if distinct('c6', 6 * H) > daily * 0.1 then hold = true end
	if distinct('c24', D) > daily * 0.2 then hold = true end
	if distinct('c7', 7 * D) > daily * 0.8 then hold = true end
end
if calmw then
	if distinct('w6', 6 * H) > daily * 0.05 then hold = true end
	if distinct('w24', D) > daily * 0.1 then hold = true end
	if distinct('w72', 3 * D) > daily * 0.2 then hold = true end
	if distinct('w7', 7 * D) > daily * 0.4 then hold = true end
end
if calmhv then
	if distinct('h24', D) > daily * 0.05 then hold = true end
	if distinct('h72', 3 * D) > daily * 0.1 then hold = true end
	if distinct('h7', 7 * D) > daily * 0.2 then hold = true end
	if platform('sc24', 1) > hot * 0.2 then hold = true end
	if platform('sc72', 3) > hot * 0.4 then hold = true end
	if platform('sc7', 7) > hot * 0.6 then hold = true end
end
if watched and rush and distinct('rw6', 6 * H) > daily * 0.1 then hold = true end
if heavy and rush and distinct('rh24', D) > daily * 0.1 then hold = true end
if calms then
	if platform('m6', 0.25) > hot * 0.02 then hold = true end
	if platform('m24', 1) > hot * 0.06 then hold = true end
	if platform('m7', 7) > hot * 0.25 then hold = true end
end
if odds then
	if platform('od24', 1) > hot * 0.03 then hold = true end
	if platform('od7', 7) > hot * 0.12 then hold = true end
end
if habw then
	if distinct('hw24', D) > daily * 0.2 then hold = true end
	if distinct('hw7', 7 * D) > daily then hold = true end
	if platform('hc24', 1) > hot * 0.3 then hold = true end
	if platform('hc7', 7) > hot * 1.5 then hold = true end
end
if habs then
	if platform('hs24', 1) > hot * 0.1 then hold = true end
	if platform('hs7', 7) > hot * 0.5 then hold = true end
end
if surprising then
	if amount >= hot * 0.04 then hold = true end
	if distinct('n1:' .. net, H) > 2 then hold = true end
	if distinct('n24:' .. net, D) > 3 then hold = true end
	if number % 1000 == 0 then hold = true end
end
if watched and distinct('y:' .. dest, D) > 2 then hold = true end
if limit > 0 and sum('l:' .. acct, D / 8, 8) + amount > limit then deny = true end

-- Asked for: counted whatever the verdict, in the same step.
if strange then add('o:' .. acct, D / 8, 8, coins) end
if proven then touch('e3', 3 * H) touch('e24', D) end
if surprising then
	touch('n1:' .. net, H) touch('n24:' .. net, D)
	touch('y:' .. dest, D)
end
if calm then
	touch('c6', 6 * H) touch('c24', D) touch('c7', 7 * D)
	entered('sc24', 1) entered('sc72', 3) entered('sc7', 7)
end
if calmw then
	touch('w6', 6 * H) touch('w24', D) touch('w72', 3 * D) touch('w7', 7 * D)
end
if calmhv then touch('h24', D) touch('h72', 3 * D) touch('h7', 7 * D) end
if watched then touch('rw6', 6 * H) end
if heavy then touch('rh24', D) end
if calms then entered('m6', 0.25) entered('m24', 1) entered('m7', 7) end
if odds then entered('od24', 1) entered('od7', 7) end
if habw then touch('hw24', D) touch('hw7', 7 * D) end
if habs then entered('hs24', 1) entered('hs7', 7) end
if deny then return 3 end
if hold then return 2 end

-- Committed, and what is learnt from it.
add('l:' .. acct, D / 8, 8, coins)
if habw then entered('hc24', 1) entered('hc7', 7) end
if first == 0 then call('HSET', 'p:' .. acct, dest .. ':t', ARGV[2]) end
call('HINCRBY', 'p:' .. acct, dest, coins)
if not proven then
	local learnt = habit == 0 and amount or
	    habit + math.floor((amount - habit) / 8)
	call('HSET', 'a:' .. acct, 'habit', string.format('%.0f', learnt))
end
if delay > 0 then return 1 end
return 0
