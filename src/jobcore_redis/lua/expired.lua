-- Whole jobs whose lease has run out, the oldest first.
-- keys: jobs states leases results errors extras
-- uses: record read
-- ARGV: offset, and how many

local now = clock(ARGV[1])
local found = call('ZRANGEBYSCORE', leases, '-inf', instant(now), 'LIMIT', 0, ARGV[2])
return {found, records(found)}
