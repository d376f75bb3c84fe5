-- Held jobs become queued, of each holder as many as it lets start; answer how many,
-- and the queues that got some.
-- keys: jobs states queued scheduled held leases limited finished unique counts limits paces pauses
-- uses: record change limit
-- ARGV: how many, and the holders, or `*` for all

local limit = tonumber(ARGV[1])
local lifted, queues = 0, {}

local function lift(holder)
  local low, high = '[' .. holder .. '\t', '(' .. holder .. '\n'
  local wish = limit - lifted
  local kind, name = string.match(holder, '^(%a+):(.*)$')
  if kind == 'task' and call('SISMEMBER', pauses, holder) == 1 then
    return
  elseif kind == 'limit' then
    local first = call('ZRANGEBYLEX', held, low, high, 'LIMIT', 0, 1)[1]
    if not first then
      return
    end
    local id = string.sub(first, #holder + 7 + 16)
    wish = math.min(wish, places(name, (figures(states_of({id})[1]))))
  elseif kind ~= 'task' then
    return
  end
  if wish <= 0 then
    return
  end
  local members = call('ZRANGEBYLEX', held, low, high, 'LIMIT', 0, wish)
  local wanted = {}
  for i = 1, #members do
    wanted[i] = string.sub(members[i], #holder + 7 + 16)
  end
  local found = states_of(wanted)
  for i = 1, #wanted do
    leave(found[i], wanted[i])
    found[i][STATUS], found[i][HOLDER] = 'queued', ''
    enter(found[i], wanted[i])
    queues[found[i][QUEUE]] = true
  end
  lifted = lifted + #wanted
end

if ARGV[2] == '*' then
  local low = '-'
  while lifted < limit do
    local first = call('ZRANGEBYLEX', held, low, '+', 'LIMIT', 0, 1)[1]
    if not first then
      break
    end
    local holder = string.match(first, '^([^\t]*)\t')
    lift(holder)
    low = '(' .. holder .. '\n'
  end
else
  for i = 2, #ARGV do
    if lifted < limit then
      lift(ARGV[i])
    end
  end
end
write()
local names = {}
for name in pairs(queues) do
  names[#names + 1] = name
end
return {lifted, names}
