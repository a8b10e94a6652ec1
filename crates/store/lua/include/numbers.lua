-- Usage is six numbers: tokens that were read, written, read from a cache, and thought; requests; and the cost
-- in millionths.

-- What stands for all for which there is no place.
local TOO_MANY = '/@other'

-- Adds usage to a sum, or begins one; either may be nil.
local function add_usage(sum, more)
  sum = sum or { 0, 0, 0, 0, 0, 0 }
  for i = 1, more and 6 or 0 do sum[i] = math.min(sum[i] + more[i], USAGE_SUM_MAX) end
  return sum
end

local function packed(used)
  return string.format('%.0f,%.0f,%.0f,%.0f,%.0f,%.0f', unpack(used))
end

local function unpacked(text)
  local used = {}
  for number in string.gmatch(text, '%d+') do used[#used + 1] = tonumber(number) end
  return used
end
