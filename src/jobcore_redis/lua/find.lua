-- Whole jobs by descending id.
-- keys: ids jobs states leases results errors extras
-- uses: record read
-- ARGV: offset, the id after which to begin or nothing, and how many to look at

local last = ARGV[2] == '' and '+' or '(' .. ARGV[2]
local found = call('ZREVRANGEBYLEX', ids, last, '-', 'LIMIT', 0, ARGV[3])
return {instant(clock(ARGV[1])), found, records(found)}
