-- Names that agents and nodes share: an inbox goes by a name alone. `key.name` says that a name is
-- kept for an agent ('agent'), or for whoever owned the node of that name that left mail behind
-- ('node:<owner>').

local function is_left_to_another(name, caller)
  local kept = redis.call('GET', key.name(name))
  local owner = kept and string.match(kept, '^node:(.*)$')
  return owner and caller ~= '' and owner ~= caller
end

-- Keeps the name of a node that is removed, for as long as its mail may lie there.
local function keep_name(name, owner)
  if owner ~= '' then
    redis.call('SET', key.name(name), 'node:' .. owner, 'PX', NAME_LEFT_MS)
  end
end

-- Why a new node may not have a name that its caller asks for; nil if it may. `standing` says what is
-- known of the name: 'any' (the caller may take any), 'own' (it is the caller's own), 'free' (no
-- agent has it), 'made' (it looks like one that the hub makes), 'unknown'.
local function name_refusal(name, standing, caller)
  if standing == 'made' then return 'made_id' end
  if standing == 'any' then return nil end
  if is_left_to_another(name, caller) then return 'name_taken' end
  if standing == 'own' then return nil end
  if redis.call('GET', key.name(name)) == 'agent' then return 'name_taken' end
  if standing == 'unknown' then return 'ask' end
end
