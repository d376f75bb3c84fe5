-- Take a duty for an interval, if it is due; whether it was.
-- keys: duties
-- uses: record
-- ARGV: offset, the duty, and the interval

local now = clock(ARGV[1])
local due = tonumber(call('HGET', duties, ARGV[2]) or 0)
if now < due and due <= now + ARGV[3] then
  return 0
end
call('HSET', duties, ARGV[2], instant(now + ARGV[3]))
return 1
