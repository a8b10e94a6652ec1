-- Takes the leadership, or renews it (api.md §3).
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 node · 4 lease in ms · 5 caller to check ('' none)
-- Returns  'ok', 1 if the node leads now else 0, leader, term, ms that the lease runs · 'forbidden'
-- Emits    leader_changed
-- full: runs
-- include: now clock foreign once rfc3339 event leader

local candidate, ttl_ms = ARGV[3], tonumber(ARGV[4])

local function run()
  if is_anothers(candidate, ARGV[5]) then return { 'forbidden' } end
  local node, term, left = observe()
  keep_clock()
  if left > 0 and node ~= candidate then return { 'ok', 0, node, term, left } end
  if left == 0 then
    local resigned = redis.call('HGET', key.leader, 'ended') == 'resigned'
    if node == candidate and not resigned then
      remember('renewed-late', candidate, term)
    else
      term = term + 1
      remember('elected', candidate, term)
    end
    announce(candidate, term, node)
  end
  hold(candidate, term, ttl_ms, 'hub')
  redis.call('SET', key.leader_lock, candidate .. ':' .. string.format('%.0f', now), 'PX', ttl_ms)
  return { 'ok', 1, candidate, term, ttl_ms }
end

return once(run)
