-- Delete jobs that are still as they were seen; answer as `_delete.lua` tells.
-- keys: jobs states queued scheduled held leases limited finished unique counts ids results errors extras attempts
-- uses: record change delete
-- ARGV: of each job its id and its state, or nothing where it had none

local wanted, seen = {}, {}
for i = 1, #ARGV, 2 do
  wanted[#wanted + 1] = ARGV[i]
  seen[#seen + 1] = ARGV[i + 1]
end
local texts = paged('HMGET', states, wanted)
local same = {}
for i = 1, #wanted do
  if (texts[i] or '') == seen[i] then
    same[#same + 1] = wanted[i]
  end
end
return delete(same)
