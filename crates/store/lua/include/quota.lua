-- What one agent may have (quota.rs). A bound is '' where there is none.

-- The answer to somebody who has so much and asks for more; nil if it may have it.
local function over_quota(name, bound, has, more)
  if bound ~= '' and has + more > tonumber(bound) then return { 'quota', name, bound } end
end
