-- Hands the leadership back: only the holder can, and only with its term.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          audit
--          node_id: NodeId      Who.
--          term: int            The term under which it leads.
--          writer: Writer<'a>   Who sends the request.
-- Returns  Resigned:
--          ok(term: int)        Nobody leads now; that term has ended.
--          not_found            There is no such node.
--          forbidden            The node belongs to somebody else.
--          fenced(leader: NodeId?, term: int)
--                               Somebody else leads, or nobody, or under another term.
-- Emits    leader_changed
-- full: runs
-- include: records once node audit

local function run()
  local row = redis.call('HMGET', key.node(node_id), 'status', 'owner')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], writer) then return { 'forbidden' } end
  local node, present, left = observe()
  keep_clock()
  if left == 0 then return { 'fenced', '', present } end
  if node ~= node_id or present ~= tonumber(term) then return { 'fenced', node, present } end
  redis.call('HSET', key.leader, 'ended', 'resigned')
  redis.call('DEL', key.leader_lock)
  remember('resigned', node, present)
  tell_leader_changed('', present, node)
  audit('leader.resign', node_id, facts('leader', node, 'term', present))
  return { 'ok', present }
end

return once(run)
