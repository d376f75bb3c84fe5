-- How many queued jobs of its queue come before a queued job; nothing where it is not.
-- keys: jobs states queued
-- uses: record
-- ARGV: an id, and how far to count

local id = ARGV[1]
local text = call('HGET', jobs, id)
if not text then
  return false
end
local became = call('HGET', states, id)
local state = became and split(became) or inserted(text)
if state[STATUS] ~= 'queued' then
  return false
end
local line = state[QUEUE] .. '\t'
local own = line .. state[PRIORITY] .. state[DUE] .. id
return math.min(call('ZLEXCOUNT', queued, '[' .. line, '(' .. own), tonumber(ARGV[2]))
