-- Delete jobs that finished long ago, those that finished first; answer as
-- `_delete.lua` tells.
-- keys: jobs states queued scheduled held leases limited finished unique counts ids results errors extras attempts
-- uses: record change delete
-- ARGV: offset, how long ago, how many, and the statuses

local till = instant(clock(ARGV[1]) - ARGV[2] + 1)
local limit = tonumber(ARGV[3])
local found = {}
for i = 4, #ARGV do
  local status = ARGV[i]
  local start = #status + 2
  local low, high = '[' .. status .. '\t', '(' .. status .. '\t' .. till
  for _, member in ipairs(call('ZRANGEBYLEX', finished, low, high, 'LIMIT', 0, limit)) do
    found[#found + 1] = string.sub(member, start)
  end
end
table.sort(found)
local wanted = {}
for i = 1, math.min(limit, #found) do
  wanted[i] = string.sub(found[i], 17)
end
return delete(wanted)
