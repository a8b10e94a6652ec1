-- Entries that are linked to the ones before, so that whoever has them can tell whether one was altered, left
-- out or moved: the journal's and the audit's. Rust makes the same links (journal.rs, trail.rs).

local NO_LINK = '0000000000000000000000000000000000000000'

-- One part of the text that a link is made of, with its length in front.
local function part(text)
  return #text .. ':' .. text
end
