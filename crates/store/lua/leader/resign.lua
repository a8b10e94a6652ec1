-- Hands the leadership back: only the holder can, and only with its term.
--
-- KEYS[1]  the cluster partition
-- ARGV     1-2 idempotency · 3 node · 4 term · 5 caller to check ('' none)
-- Returns  'ok', term · 'not_found' · 'forbidden' · 'fenced', leader ('' for none), term
-- Emits    leader_changed
-- full: runs
-- include: now clock foreign rfc3339 records once event leader queue node

local function run()
  local row = redis.call('HMGET', key.node(ARGV[3]), 'status', 'owner')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], ARGV[5]) then return { 'forbidden' } end
  local node, term, left = observe()
  keep_clock()
  if left == 0 then return { 'fenced', '', term } end
  if node ~= ARGV[3] or term ~= tonumber(ARGV[4]) then return { 'fenced', node, term } end
  redis.call('HSET', key.leader, 'ended', 'resigned')
  redis.call('DEL', key.leader_lock)
  remember('resigned', node, term)
  tell_leader_changed('', term, node)
  return { 'ok', term }
end

return once(run)
