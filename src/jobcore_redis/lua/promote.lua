-- Jobs that are due become queued; answer how many, how long until the next is due or
-- nothing, and the queues that got some.
-- keys: jobs states queued scheduled held leases limited finished unique counts
-- uses: record change
-- ARGV: offset, and how many

local now = clock(ARGV[1])
local limit = tonumber(ARGV[2])
local due = call('ZRANGEBYLEX', scheduled, '-', '(' .. instant(now + 1), 'LIMIT', 0, limit)
local wanted = {}
for i = 1, #due do
  wanted[i] = string.sub(due[i], 17)
end
local found = states_of(wanted)
local queues = {}
for i = 1, #wanted do
  local state = found[i]
  leave(state, wanted[i])
  state[STATUS] = 'queued'
  enter(state, wanted[i])
  queues[state[QUEUE]] = true
end
write()
local names = {}
for name in pairs(queues) do
  names[#names + 1] = name
end
local first = call('ZRANGEBYLEX', scheduled, '-', '+', 'LIMIT', 0, 1)[1]
local left = first and string.format('%.0f', math.max(string.sub(first, 1, 16) - now, 0))
return {#due, left or '', names}
