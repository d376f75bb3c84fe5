-- The time, and all workers.
-- keys: workers
-- uses: record
-- ARGV: offset

return {instant(clock(ARGV[1])), call('HGETALL', workers)}
