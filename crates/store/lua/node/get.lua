-- Reads one node.
--
-- KEYS[1]  the cluster partition
-- ARGV     node_id: NodeId      Which.
-- Returns  ok(Sighting)
--          not_found
-- include: node

-- A node that is quiet as long as it said it would be is not silent.
local beat = redis.call('ZSCORE', key.alive, node_id) or redis.call('HGET', key.node(node_id), 'beat')
local reply = { 'ok', now, beat and math.max(clock - tonumber(beat), 0) or 0 }
if not append_node(reply, node_id) then return { 'not_found' } end
return reply
