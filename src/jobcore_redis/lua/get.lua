-- Whole jobs, and their attempts if wanted.
-- keys: jobs states leases results errors extras attempts
-- uses: record read
-- ARGV: whether attempts are wanted (1 or 0), and ids

local wanted = {}
for i = 2, #ARGV do
  wanted[i - 1] = ARGV[i]
end
local found = records(wanted)
found[7] = ARGV[1] == '1' and paged('HMGET', attempts, wanted) or {}
return found
