-- An instant in ms as RFC 3339 in UTC, to the second: what old readers of hb: keys expect.
-- Counts in eras of 400 years that begin on the first of March. The last one is kept: most are of now.
-- `doe`, `yoe`, `doy`: day and year of the era, day of the year; `mp`: months since March.
local LAST = { at = nil, shown = '' }
local function rfc3339(ms)
  local floor = math.floor
  local seconds = floor(ms / 1000)
  if seconds == LAST.at then return LAST.shown end
  local days = floor(seconds / 86400)
  local in_day = seconds - days * 86400
  local era = floor((days + 719468) / 146097)
  local doe = days + 719468 - era * 146097
  local yoe = floor((doe - floor(doe / 1460) + floor(doe / 36524) - floor(doe / 146096)) / 365)
  local doy = doe - (365 * yoe + floor(yoe / 4) - floor(yoe / 100))
  local mp = floor((5 * doy + 2) / 153)
  local month = mp < 10 and mp + 3 or mp - 9
  LAST.at = seconds
  LAST.shown = string.format('%04d-%02d-%02dT%02d:%02d:%02dZ', era * 400 + yoe + (month <= 2 and 1 or 0),
    month, doy - floor((153 * mp + 2) / 5) + 1, floor(in_day / 3600), floor(in_day / 60) % 60, in_day % 60)
  return LAST.shown
end

-- The same to the millisecond.
local function rfc3339_ms(ms)
  return string.sub(rfc3339(ms), 1, 19) .. string.format('.%03dZ', ms % 1000)
end
