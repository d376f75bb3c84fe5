-- All counts, and of each queue since when its oldest queued job is due.
-- keys: counts queued
-- uses: record

local LAST = 65535

local function oldest(queue)
  local first, from = nil, 0
  while from <= LAST do
    local low = '[' .. queue .. '\t' .. string.format('%05d', from)
    local found = call('ZRANGEBYLEX', queued, low, '(' .. queue .. '\n', 'LIMIT', 0, 1)[1]
    if not found then
      break
    end
    local start = #queue + 2
    local due = string.sub(found, start + 5, start + 20)
    if not first or due < first then
      first = due
    end
    from = string.sub(found, start, start + 4) + 1
  end
  return first
end

local all = call('HGETALL', counts)
local since = {}
for i = 1, #all, 2 do
  local queue, status = string.match(all[i], '^(.*)\t(.*)$')
  if status == 'queued' then
    local due = oldest(queue)
    if due then
      since[#since + 1] = queue
      since[#since + 1] = due
    end
  end
end
return {all, since}
