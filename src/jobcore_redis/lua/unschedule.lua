-- Remove a schedule; how many there were.
-- keys: schedules ticks
-- uses: schedule
-- ARGV: its name

local kept = call('HGET', schedules, ARGV[1])
if not kept then
  return 0
end
call('ZREM', ticks, (schedule_of(kept) or '') .. ARGV[1])
return call('HDEL', schedules, ARGV[1])
