-- Takes the leadership, or renews it (contract.md §3). Only the incarnation of a node that holds the lease
-- renews it; a node that is not online or busy does not lead.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 node · 4 lease in ms · 5 caller to check ('' none)
--          6 incarnation ('' for the present one)
-- Returns  'ok', 1 if the node leads now else 0, leader ('' for none), term, ms that the lease runs,
--          ms for which leaders before may not know that they lead no longer · 'not_found'
--          'forbidden' · 'fenced' (it has registered since) · 'unfit', status
-- Emits    leader_changed
-- full: runs
-- include: now clock foreign rfc3339 records once event leader queue node

local candidate, ttl_ms = ARGV[3], tonumber(ARGV[4])

local function run()
  local row = redis.call('HMGET', key.node(candidate), 'status', 'owner', 'incarnation')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], ARGV[5]) then return { 'forbidden' } end
  local incarnation = ARGV[6] ~= '' and ARGV[6] or row[3]
  if tonumber(incarnation) ~= tonumber(row[3]) then return { 'fenced' } end
  local node, term, left = observe()
  keep_clock()
  if not is_alive(row[1]) then return { 'unfit', row[1] } end
  local lease = redis.call('HMGET', key.leader, 'through', 'incarnation', 'ended', 'former')
  local is_holder = node == candidate and lease[1] == 'hub'
    and (lease[2] == incarnation or not lease[2])
  if left > 0 and not is_holder then return { 'ok', 0, node, term, left, 0 } end
  if left == 0 then
    if is_holder and lease[3] == 'lost' then
      remember('renewed-late', candidate, term)
    else
      term = next_term(term)
      remember('elected', candidate, term)
    end
    tell_leader_changed(candidate, term, node)
  end
  redis.call('SET', key.leader_lock, candidate .. ':' .. string.format('%.0f', now), 'PX', ttl_ms)
  hold(candidate, term, ttl_ms, 'hub', incarnation, row[2] or '')
  local former = math.max((tonumber(lease[4]) or 0) - clock, 0)
  return { 'ok', 1, candidate, term, ttl_ms, math.ceil(former) }
end

return once(run)
