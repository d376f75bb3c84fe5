-- Extend leases; answer the ids of those that are lost, and of those whose cancellation
-- is requested.
-- keys: states leases
-- uses: record
-- ARGV: offset, length of the lease, and of each claim its id and token

local till = instant(clock(ARGV[1]) + ARGV[2])
local n = (#ARGV - 2) / 2
local wanted = {}
for i = 1, n do
  wanted[i] = ARGV[2 * i + 1]
end
local texts = paged('HMGET', states, wanted)
local lost, requested, renewed = {}, {}, {}
for i = 1, n do
  local token, request
  if texts[i] then
    token, request = string.match(texts[i], '^([^\t]*)\t([^\t]*)')
  end
  if token == ARGV[2 * i + 2] then
    renewed[#renewed + 1] = till
    renewed[#renewed + 1] = wanted[i]
    if request ~= '' then
      requested[#requested + 1] = wanted[i]
    end
  else
    lost[#lost + 1] = wanted[i]
  end
end
for from = 1, #renewed, PAGE do
  local to = math.min(from + PAGE - 1, #renewed)
  call('ZADD', leases, 'GT', unpack(renewed, from, to))
end
return {lost, requested}
