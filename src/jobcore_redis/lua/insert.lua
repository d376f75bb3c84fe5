-- Store new jobs; answer as `_insert.lua` tells.
-- keys: jobs states ids queued scheduled held unique counts leases results errors extras
-- uses: record read insert
-- ARGV: offset; a channel and what to tell there, or nothing; and the jobs

return insert(4)
