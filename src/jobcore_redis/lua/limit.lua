-- Set the figures of a limit key for all of its jobs, or let them go by their own.
-- keys: limits
-- ARGV: the key, and its figures if it is to have some

if ARGV[2] then
  return call('HSET', limits, ARGV[1], ARGV[2])
end
return call('HDEL', limits, ARGV[1])
