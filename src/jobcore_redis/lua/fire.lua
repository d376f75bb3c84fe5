-- Let a schedule stand in the place of the one that has the expected revision, or its own,
-- and store jobs; answer as `_insert.lua` tells, or nothing where another is there.
-- keys: schedules ticks jobs states ids queued scheduled held unique counts leases results errors extras
-- uses: record read insert schedule
-- ARGV: offset; a channel and what to tell there, or nothing; the name of the schedule; the
-- revision that is expected, or nothing for none; its text; and the jobs

local name, expected, text = ARGV[4], ARGV[5], ARGV[6]
local kept = call('HGET', schedules, name)
local due_then, there = schedule_of(kept or '\t\t')
local due, revision = schedule_of(text)
if there ~= expected and there ~= revision then
  return ''
end
-- This comes first, as version 6.2 judges by the first write whether memory is left.
call('HSET', schedules, name, text)
if due_then ~= '' then
  call('ZREM', ticks, due_then .. name)
end
if due ~= '' then
  call('ZADD', ticks, 0, due .. name)
end
return insert(7)
