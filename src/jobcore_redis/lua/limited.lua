-- The ids of a limit key's jobs that run, its figures where some were set, and its pace.
-- keys: limited limits paces
-- ARGV: the key, and how many ids

local low, high = '[' .. ARGV[1] .. '\t', '(' .. ARGV[1] .. '\n'
local members = call('ZRANGEBYLEX', limited, low, high, 'LIMIT', 0, ARGV[2])
local ids = {}
for i = 1, #members do
  ids[i] = string.sub(members[i], #ARGV[1] + 2)
end
return {ids, call('HGET', limits, ARGV[1]), call('HGET', paces, ARGV[1])}
