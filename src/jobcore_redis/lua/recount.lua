-- Set counts to what they should be, each if it is still as it was seen; how many were.
-- keys: counts
-- ARGV: of each its queue and status, what was seen or 0, and what it is to be

local set = 0
for i = 1, #ARGV, 3 do
  if (call('HGET', counts, ARGV[i]) or '0') == ARGV[i + 1] then
    set = set + 1
    if ARGV[i + 2] == '0' then
      call('HDEL', counts, ARGV[i])
    else
      call('HSET', counts, ARGV[i], ARGV[i + 2])
    end
  end
end
return set
