-- Changes of jobs, collected and written with few commands.
-- keys: jobs states queued scheduled held leases limited finished unique counts

-- What is taken out goes before what is put in, which may be the same.
local ORDER = {'ZREM', 'HDEL', 'ZADD', 'HSET'}
local saved, moves = {}, {}
local lines = {ZREM = {}, HDEL = {}, ZADD = {}, HSET = {}}

local function added(command, key, value, score)
  local values = lines[command][key]
  if not values then
    values = {}
    lines[command][key] = values
  end
  if score then
    values[#values + 1] = score
  end
  values[#values + 1] = value
end

-- The fields of jobs that are there, by their place in *ids*, of which *texts* are the
-- states where those have been read already.
local function states_of(ids, texts)
  local found, fresh = {}, {}
  texts = texts or paged('HMGET', states, ids)
  for i = 1, #ids do
    if texts[i] then
      found[i] = split(texts[i])
    else
      fresh[#fresh + 1] = ids[i]
    end
  end
  if #fresh > 0 then
    local first = paged('HMGET', jobs, fresh)
    local n = 0
    for i = 1, #ids do
      if not found[i] then
        n = n + 1
        found[i] = first[n] and inserted(first[n]) or false
      end
    end
  end
  return found
end

local function standing(state, id)
  return state[PRIORITY] .. state[DUE] .. id
end

-- The indexes that a job is in, each with the member that stands for it, but for the one
-- of leases, whose scores only claims and renewals know.
local function entries(state, id)
  local status = state[STATUS]
  if status == 'queued' then
    return {{queued, state[QUEUE] .. '\t' .. standing(state, id)}}
  elseif status == 'scheduled' then
    return {{scheduled, state[DUE] .. id}}
  elseif status == 'held' then
    return {{held, state[HOLDER] .. '\t' .. standing(state, id)}}
  elseif status ~= 'in_progress' then
    return {{finished, status .. '\t' .. state[FINISHED] .. id}}
  elseif state[LIMIT_KEY] ~= '' then
    return {{limited, state[LIMIT_KEY] .. '\t' .. id}}
  end
  return {}
end

local function counted(queue, status, n)
  local name = queue .. '\t' .. status
  moves[name] = (moves[name] or 0) + n
end

-- Whether it is kept in this partition who has the unique key of a job.
local function is_near(state)
  return string.sub(state[FLAGS], 1, 1) == 'U'
end

local function leave(state, id)
  for _, entry in ipairs(entries(state, id)) do
    added('ZREM', entry[1], entry[2])
  end
  if state[STATUS] == 'in_progress' then
    added('ZREM', leases, id)
  end
  counted(state[QUEUE], state[STATUS], -1)
end

local function enter(state, id)
  if state[LOCK] ~= '' and not has(state[SCOPE], state[STATUS]) then
    state[LOCK] = ''
    if is_near(state) then
      added('HDEL', unique, state[TASK] .. '\t' .. state[UNIQUE_KEY])
    end
  end
  for _, entry in ipairs(entries(state, id)) do
    added('ZADD', entry[1], entry[2], 0)
  end
  counted(state[QUEUE], state[STATUS], 1)
  saved[#saved + 1] = id
  saved[#saved + 1] = table.concat(state, '\t')
end

local function write()
  for _, command in ipairs(ORDER) do
    for key, values in pairs(lines[command]) do
      paged(command, key, values)
    end
    lines[command] = {}
  end
  paged('HSET', states, saved)
  for name, n in pairs(moves) do
    if n ~= 0 and call('HINCRBY', counts, name, n) == 0 then
      call('HDEL', counts, name)
    end
  end
  saved, moves = {}, {}
end
