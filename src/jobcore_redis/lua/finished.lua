-- Whole jobs that finished long ago, those that finished first.
-- keys: finished jobs states leases results errors extras
-- uses: record read
-- ARGV: offset, how long ago, how many, the place after which to begin or nothing, and
-- the statuses
-- Answers the time, the places of what was found, the ids and their records.

local now = clock(ARGV[1])
local till = instant(now - ARGV[2] + 1)
local limit = tonumber(ARGV[3])
local found = {}
for i = 5, #ARGV do
  local stem = ARGV[i] .. '\t'
  local low = ARGV[4] == '' and '[' .. stem or '(' .. stem .. ARGV[4]
  local members = call('ZRANGEBYLEX', finished, low, '(' .. stem .. till, 'LIMIT', 0, limit)
  for _, member in ipairs(members) do
    found[#found + 1] = string.sub(member, #stem + 1)
  end
end
table.sort(found)
local places, wanted = {}, {}
for i = 1, math.min(limit, #found) do
  places[i], wanted[i] = found[i], string.sub(found[i], 17)
end
return {instant(now), places, wanted, records(wanted)}
