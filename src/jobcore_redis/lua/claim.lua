-- Take queued jobs; those that may not start become held or scheduled.
-- keys: jobs states queued scheduled held leases limited finished unique counts limits paces pauses requests request_ends results errors extras
-- uses: record read change limit
-- ARGV: offset, token, worker, lease, how many, how many to look at, whether it is
-- repeated (1 or 0), and the queues
-- Answers the time, how many were looked at, held and deferred, the ids, and their
-- records; the state of a job that never ran is left out, as it follows.

local now = clock(ARGV[1])
local token, worker, lease = ARGV[2], ARGV[3], tonumber(ARGV[4])
local limit, bound = tonumber(ARGV[5]), tonumber(ARGV[6])
local at, till = instant(now), instant(now + lease)
local CENTURY = 36500 * 86400 * 1000000

if ARGV[7] == '1' then
  local earlier = call('HGET', requests, token)
  local own = {}
  if earlier then
    local all = split(earlier)
    local found = states_of(all)
    for i = 1, #all do
      if found[i] and found[i][TOKEN] == token then
        own[#own + 1] = all[i]
      end
    end
  end
  if #own > 0 then
    return {at, 0, 0, 0, own, records(own), 1}
  end
end

-- Whether one of these jobs has a lease, if only one that has run out.
local function is_running(some)
  for _, till_then in ipairs(paged('ZMSCORE', leases, some)) do
    if till_then then
      return true
    end
  end
  return false
end

local paused_queues, paused_tasks = {}, {}
local is_task_paused = false
for _, name in ipairs(call('SMEMBERS', pauses)) do
  local kind, paused = string.match(name, '^(%a+):(.*)$')
  if kind == 'queue' then
    paused_queues[paused] = true
  else
    paused_tasks[paused] = true
    is_task_paused = true
  end
end

local busy, pace = {}, {} -- by limit key: how many run, and the two instants of its rate

-- Holds or defers a job that may not start; whether it did. Else it starts.
local function stopped(state)
  if paused_tasks[state[TASK]] then
    state[STATUS], state[HOLDER] = 'held', 'task:' .. state[TASK]
    return true
  end
  local key = state[LIMIT_KEY]
  if key == '' then
    return false
  end
  local concurrency, step, burst = figures(state)
  if not busy[key] then
    busy[key] = running(key)
    local kept = call('HGET', paces, key)
    local enforced, reserved = string.match(kept or '0\t0', '^(%d+)\t(%d+)$')
    pace[key] = {tonumber(enforced), tonumber(reserved), false}
  end
  if concurrency and busy[key] >= concurrency then
    state[STATUS], state[HOLDER] = 'held', 'limit:' .. key
    return true
  end
  if step then
    local mine = pace[key]
    mine[3] = true
    if math.max(mine[1], now) + step - now > burst * step then
      local earliest = math.min(math.max(mine[2], mine[1], now), now + CENTURY)
      state[STATUS] = 'scheduled'
      state[DUE] = instant(math.max(now, earliest + step - burst * step))
      mine[2] = earliest + step
      return true
    end
    mine[1] = math.max(mine[1], now) + step
  end
  busy[key] = busy[key] + 1
  return false
end

local taken, texts, before, old = {}, {}, {}, {}
local examined, kept_back, deferred = 0, 0, 0
local due_leases, left = {}, {}
local begun = {}

local function started(id, state)
  state[STATUS], state[ATTEMPT], state[WORKER] = 'in_progress', state[ATTEMPT] + 1, worker
  state[TOKEN], state[STARTED], state[ENDED], state[OUTCOME] = token, at, '', ''
  enter(state, id)
end

local function take(members, queue)
  local start = #queue + 7 + 16
  local wanted = {}
  for i = 1, #members do
    wanted[i] = string.sub(members[i], start)
  end
  local firsts = paged('HMGET', jobs, wanted)
  local states_now = paged('HMGET', states, wanted)
  for i = 1, #wanted do
    local id, text = wanted[i], firsts[i]
    local simple = not states_now[i] and not is_task_paused
      and string.sub(text, HEAD, HEAD + 1) == '--'
    examined = examined + 1
    left[#left + 1] = members[i]
    local state
    if simple then
      begun[#begun + 1] = id
      begun[#begun + 1] = token .. '\t\tin_progress\t' .. string.sub(text, 18, 33)
        .. '\t1\t0\t0\t0\t\t' .. worker .. '\t' .. at .. '\t\t\t\t\t\t\t' .. head(text)
    else
      state = states_now[i] and split(states_now[i]) or inserted(text)
      if stopped(state) then
        enter(state, id)
        if state[STATUS] == 'held' then
          kept_back = kept_back + 1
        else
          deferred = deferred + 1
        end
      else
        started(id, state)
        state[0] = true
      end
    end
    if simple or state[0] then
      local n = #taken + 1
      taken[n], texts[n] = id, text
      before[n] = simple and '' or table.concat(state, '\t')
      due_leases[#due_leases + 1] = till
      due_leases[#due_leases + 1] = id
    end
  end
  counted(queue, 'queued', -#wanted)
end

for i = 8, #ARGV do
  local queue = ARGV[i]
  local low = '[' .. queue .. '\t'
  while not paused_queues[queue] and #taken < limit and examined < bound do
    local wish = math.min(limit - #taken, bound - examined)
    local members = call('ZRANGEBYLEX', queued, low, '(' .. queue .. '\n', 'LIMIT', 0, wish)
    if #members == 0 then
      break
    end
    local simple_before = #begun
    take(members, queue)
    counted(queue, 'in_progress', (#begun - simple_before) / 2)
    low = '(' .. members[#members]
    if #members < wish then
      break
    end
  end
end

paged('ZREM', queued, left)
paged('ZADD', leases, due_leases)
write()
paged('HSET', states, begun)
for key, mine in pairs(pace) do
  if mine[3] then
    call('HSET', paces, key, string.format('%.0f\t%.0f', mine[1], mine[2]))
  end
end
if #taken > 0 then
  call('HSET', requests, token, table.concat(taken, '\t'))
  call('ZADD', request_ends, till, token)
  local ended = call('ZRANGEBYSCORE', request_ends, '-inf', at, 'LIMIT', 0, 9)
  local over = {}
  for _, each in ipairs(ended) do
    if is_running(split(call('HGET', requests, each))) then
      call('ZADD', request_ends, till, each)
    else
      over[#over + 1] = each
    end
  end
  paged('HDEL', requests, over)
  paged('ZREM', request_ends, over)
end

-- What had run before has more to tell.
local rest = {}
for i = 1, #taken do
  if before[i] ~= '' then
    old[#old + 1] = taken[i]
  end
end
if #old > 0 then
  rest = {
    paged('HMGET', results, old), paged('HMGET', errors, old), paged('HMGET', extras, old),
  }
end
return {at, examined, kept_back, deferred, taken, {texts, before, rest}, 0}
