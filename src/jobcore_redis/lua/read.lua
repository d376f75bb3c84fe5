-- The time, and whole jobs.
-- keys: jobs states leases results errors extras
-- uses: record read
-- ARGV: offset, and ids

local wanted = {}
for i = 2, #ARGV do
  wanted[i - 1] = ARGV[i]
end
return {instant(clock(ARGV[1])), records(wanted)}
