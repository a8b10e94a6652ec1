-- An instant in ms as RFC 3339 in UTC, to the second: what old readers of hb: keys expect.
-- Counts in eras of 400 years that begin on the first of March. The last one is kept: most are of now.
local LAST = { at = nil, shown = '' }
local function rfc3339(ms)
  local seconds = math.floor(ms / 1000)
  if seconds == LAST.at then return LAST.shown end
  local days = math.floor(seconds / 86400)
  local in_day = seconds - days * 86400
  local shifted = days + 719468
  local era = math.floor(shifted / 146097)
  local day_of_era = shifted - era * 146097
  local year_of_era = math.floor((day_of_era - math.floor(day_of_era / 1460)
    + math.floor(day_of_era / 36524) - math.floor(day_of_era / 146096)) / 365)
  local day_of_year = day_of_era
    - (365 * year_of_era + math.floor(year_of_era / 4) - math.floor(year_of_era / 100))
  local from_march = math.floor((5 * day_of_year + 2) / 153)
  local month = from_march < 10 and from_march + 3 or from_march - 9
  local year = era * 400 + year_of_era + (month <= 2 and 1 or 0)
  LAST.at = seconds
  LAST.shown = string.format('%04d-%02d-%02dT%02d:%02d:%02dZ', year, month,
    day_of_year - math.floor((153 * from_march + 2) / 5) + 1,
    math.floor(in_day / 3600), math.floor(in_day / 60) % 60, in_day % 60)
  return LAST.shown
end

-- The same to the millisecond.
local function rfc3339_ms(ms)
  return string.sub(rfc3339(ms), 1, 19) .. string.format('.%03dZ', ms % 1000)
end
