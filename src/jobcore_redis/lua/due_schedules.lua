-- Schedules whose tick has come, the earliest first; answer the time, of each its name and
-- its text, and when the next tick of the others is, or nothing.
-- keys: schedules ticks
-- uses: record
-- ARGV: offset, and how many

local now = clock(ARGV[1])
local limit = tonumber(ARGV[2])
local due = call('ZRANGEBYLEX', ticks, '-', '(' .. instant(now + 1), 'LIMIT', 0, limit)
local names, found = {}, {}
for i = 1, #due do
  names[i] = string.sub(due[i], 17)
end
for i, text in ipairs(paged('HMGET', schedules, names)) do
  if text then
    found[#found + 1] = names[i]
    found[#found + 1] = text
  end
end
local low = #due > 0 and '(' .. due[#due] or '-'
local later = call('ZRANGEBYLEX', ticks, low, '+', 'LIMIT', 0, 1)[1]
return {instant(now), found, later and string.sub(later, 1, 16) or ''}
