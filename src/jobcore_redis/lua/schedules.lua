-- Schedules, each its name and its text: those of some names, or what follows a cursor,
-- after the cursor that comes next.
-- keys: schedules
-- uses: record
-- ARGV: a cursor and how many to look at, or nothing for both; and names

if ARGV[1] ~= '' then
  return call('HSCAN', schedules, ARGV[1], 'COUNT', ARGV[2])
end
local names, found = {}, {}
for i = 3, #ARGV do
  names[i - 2] = ARGV[i]
end
for i, text in ipairs(paged('HMGET', schedules, names)) do
  if text then
    found[#found + 1] = names[i]
    found[#found + 1] = text
  end
end
return {'0', found}
