-- Find out what is wrong about jobs, schedules and members of indexes, and mend it if
-- wanted.
-- keys: jobs states queued scheduled held leases limited finished unique counts ids results errors extras attempts schedules ticks
-- uses: record change schedule
-- ARGV: whether to mend (1 or 0), and of each what is looked at: `jobs`, `schedules` or an
-- index; and the id, name or member there
-- Answers of each finding the name of the rule and the id or name; and of each job its
-- queue and status, or nothing where it is not there.

local mends = ARGV[1] == '1'
local named = {
  queued = queued, scheduled = scheduled, held = held, leases = leases,
  limited = limited, finished = finished, ids = ids, results = results,
  errors = errors, extras = extras, attempts = attempts, states = states,
}
local findings, standings = {}, {}

local function finding(rule, id)
  findings[#findings + 1] = rule
  findings[#findings + 1] = id
end

local function is_in(index, member)
  return call('ZSCORE', index, member)
end

local function look_at_job(id, state)
  standings[#standings + 1] = state[QUEUE] .. '\t' .. state[STATUS]
  for _, entry in ipairs(entries(state, id)) do
    if not is_in(entry[1], entry[2]) then
      finding(state[STATUS], id)
      if mends then
        call('ZADD', entry[1], 0, entry[2])
      end
    end
  end
  local running = state[STATUS] == 'in_progress'
  if running and not is_in(leases, id) then
    finding('lease', id)
    if mends then
      call('ZADD', leases, 0, id)
    end
  end
  if running ~= (state[TOKEN] ~= '') then
    finding('token', id)
  end
  if not is_in(ids, id) then
    finding('ids', id)
    if mends then
      call('ZADD', ids, 0, id)
    end
  end
  if state[LOCK] ~= '' and is_near(state) then
    local name = state[TASK] .. '\t' .. state[UNIQUE_KEY]
    if call('HGET', unique, name) ~= id then
      finding('unique_key', id)
      if mends then
        call('HSETNX', unique, name, id)
      end
    end
  end
end

local function look_at_schedule(name)
  local text = call('HGET', schedules, name)
  local due = text and schedule_of(text)
  if text and not due then
    finding('schedules', name)
  elseif due and due ~= '' and not is_in(ticks, due .. name) then
    finding('tick', name)
    if mends then
      call('ZADD', ticks, 0, due .. name)
    end
  end
end

local function look_at_tick(member)
  local name = string.sub(member, 17)
  local text = call('HGET', schedules, name)
  if not text or schedule_of(text) ~= string.sub(member, 1, 16) then
    finding('stray_ticks', name)
    if mends then
      call('ZREM', ticks, member)
    end
  end
end

-- The id that a member of an index stands for.
local function id_in(kind, member)
  local rest = member
  if kind == 'queued' or kind == 'held' then
    rest = string.sub(string.match(member, '\t(.*)$') or '', 22)
  elseif kind == 'limited' then
    rest = string.match(member, '\t([^\t]*)$') or ''
  elseif kind == 'finished' then
    rest = string.sub(string.match(member, '\t(.*)$') or '', 17)
  elseif kind == 'scheduled' then
    rest = string.sub(member, 17)
  end
  return rest
end

local function belongs(kind, member, id, state)
  if not state or call('HEXISTS', jobs, id) == 0 then
    return false
  elseif kind == 'leases' then
    return state[STATUS] == 'in_progress'
  elseif kind == 'queued' or kind == 'scheduled' or kind == 'held'
    or kind == 'limited' or kind == 'finished' then
    for _, entry in ipairs(entries(state, id)) do
      if entry[1] == named[kind] and entry[2] == member then
        return true
      end
    end
    return false
  end
  return true
end

local function look_at_entry(kind, member)
  local id = id_in(kind, member)
  local state = states_of({id})[1]
  if kind == 'jobs' then
    if state then
      look_at_job(id, state)
    end
  elseif not belongs(kind, member, id, state) then
    finding('stray_' .. kind, id)
    if mends then
      local is_hash = kind == 'results' or kind == 'errors' or kind == 'extras'
        or kind == 'attempts' or kind == 'states'
      call(is_hash and 'HDEL' or 'ZREM', named[kind], member)
    end
  end
end

for i = 2, #ARGV, 2 do
  local kind, member = ARGV[i], ARGV[i + 1]
  if kind == 'schedules' then
    look_at_schedule(member)
  elseif kind == 'ticks' then
    look_at_tick(member)
  else
    look_at_entry(kind, member)
  end
end
return {findings, standings}
