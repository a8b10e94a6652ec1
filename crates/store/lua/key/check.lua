-- Says whose a key is, and counts a request against its rate (contract.md §1).
--
-- The rate is a bucket that holds one second's requests (GCRA): what is stored is the time at which
-- all that was asked for will have been used up. It is kept out of the append-only file and the
-- replicas: losing it costs nobody anything, and writing it would cost every reader a disk write.
-- Where Redis takes no writes nothing is counted, and readers get their answers.
--
-- All keys of an agent share its rate.
--
-- KEYS[1]  the ledger partition
-- ARGV     key_id: KeyId        The id that the key carries.
--          digest: text         SHA-256 of the key, in hex.
--          group: text          The group of routes that is asked for.
--          rate: int            Requests a second; 0 for no limit.
-- Returns  Checked:
--          ok(agent_id: AgentId, scopes: Scopes, left: int?)
--                               The key is good; `left` requests may follow at once, if that is limited.
--          limited(agent_id: AgentId, scopes: Scopes, wait_ms: int)
--                               The key is good, and has been used too often.
--          suspended(agent_id: AgentId)
--                               The key would be good, but its agent is suspended.
--          unknown              There is no such key, or it has expired.
-- include: now

local row = redis.call('HMGET', key.agent_key(key_id), 'digest', 'agent', 'scopes', 'expires_at',
  'last_used', 'suspended')
if not row[1] or row[1] ~= digest then return { 'unknown' } end
if row[4] and row[4] ~= '' and tonumber(row[4]) <= now then return { 'unknown' } end
if row[6] then return { 'suspended', row[2] } end

local left = ''
rate = tonumber(rate)
if rate > 0 then
  local now_us = now * 1000 + micros % 1000
  local cost = 1e6 / rate
  local used_up = math.max(tonumber(redis.call('GET', key.rate(row[2], group))) or 0, now_us)
  -- A clock that was set back must not lock a key out.
  if used_up > now_us + 1e6 then used_up = now_us + 1e6 end
  local room = 1e6 - (used_up - now_us)
  if room < cost then
    return { 'limited', row[2], row[3], math.ceil((cost - room) / 1000) }
  end
  redis.set_repl(redis.REPL_NONE)
  redis.pcall('SET', key.rate(row[2], group), string.format('%.0f', used_up + cost), 'PX', 2000)
  redis.set_repl(redis.REPL_ALL)
  left = math.floor((room - cost) / cost)
end
if now - (tonumber(row[5]) or 0) >= KEY_USE_LAG_MS then
  redis.pcall('HSET', key.agent_key(key_id), 'last_used', now)
end
return { 'ok', row[2], row[3], left }
