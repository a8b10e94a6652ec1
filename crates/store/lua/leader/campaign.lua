-- Takes the leadership, or renews it (contract.md §3). Only the incarnation of a node that holds the
-- lease renews it; a node that is not online or busy does not lead.
--
-- KEYS[1]  the cluster partition
-- ARGV     once
--          node_id: NodeId      Who asks.
--          ttl_ms: int          For how long, in milliseconds.
--          incarnation: int?    Which registration of the node asks; `None` for the present one.
--          writer: Writer<'a>   Who sends the request.
-- Returns  Campaigned:
--          ok(is_leader: flag, leadership: Leadership, former_ttl_ms: int)
--                               It was heard. For so long leaders before may not know that they lead no
--                               longer, in milliseconds.
--          not_found            There is no such node.
--          forbidden            The node belongs to somebody else.
--          fenced               The node has registered again since.
--          unfit(status: text)  The node is neither online nor busy.
-- Emits    leader_changed
-- full: runs
-- include: records once node

ttl_ms = tonumber(ttl_ms)

local function run()
  local row = redis.call('HMGET', key.node(node_id), 'status', 'owner', 'incarnation')
  if not row[1] then return { 'not_found' } end
  if is_foreign(row[2], writer) then return { 'forbidden' } end
  if incarnation == '' then incarnation = row[3] end
  if tonumber(incarnation) ~= tonumber(row[3]) then return { 'fenced' } end
  local node, term, left = observe()
  keep_clock()
  if not is_alive(row[1]) then return { 'unfit', row[1] } end
  local lease = redis.call('HMGET', key.leader, 'through', 'incarnation', 'ended', 'former')
  local is_holder = node == node_id and lease[1] == 'hub'
    and (lease[2] == incarnation or not lease[2])
  if left > 0 and not is_holder then return { 'ok', 0, node, term, left, 0 } end
  if left == 0 then
    if is_holder and lease[3] == 'lost' then
      remember('renewed-late', node_id, term)
    else
      term = next_term(term)
      remember('elected', node_id, term)
    end
    tell_leader_changed(node_id, term, node)
  end
  redis.call('SET', key.leader_lock, node_id .. ':' .. string.format('%.0f', now), 'PX', ttl_ms)
  hold(node_id, term, ttl_ms, 'hub', incarnation, row[2] or '')
  local former = math.max((tonumber(lease[4]) or 0) - clock, 0)
  return { 'ok', 1, node_id, term, ttl_ms, math.ceil(former) }
end

return once(run)
