-- Take a unique key for a job that lies in another partition; answer nothing, or what is
-- kept of whoever has it.
-- keys: unique
-- uses: record
-- ARGV: offset, the task and key, the job, its generation, and what was seen of a holder
-- that is to be replaced, or nothing

local kept = call('HGET', unique, ARGV[2])
if kept and kept ~= ARGV[5] and string.match(kept, '^[^\t]*') ~= ARGV[3] then
  return kept
end
local mine = ARGV[3] .. '\t' .. ARGV[4] .. '\t' .. instant(clock(ARGV[1]))
call('HSET', unique, ARGV[2], mine)
return ''
