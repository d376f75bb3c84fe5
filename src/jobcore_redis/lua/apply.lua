-- Make guarded writes, each if what it expects holds; answer a word for each, and the
-- queues that got jobs.
-- keys: jobs states queued scheduled held leases limited finished unique counts results errors extras attempts
-- uses: record change
-- ARGV: offset, how many kinds of writes, of each kind its parts, then the writes: each
-- in one text, and after it the attempt that is filed and the values of its changes.

local KIND = 12 -- how many parts a kind has
local IN_TEXT = {
  failures = FAILURES, losses = LOSSES, reason = REASON, queue = QUEUE, priority = PRIORITY,
}
local IN_FIRST = {queue = true, priority = true, payload = true}
local IN_HASH = {result = results, error = errors}

-- What ends most claims: for good, under nothing but their token, with a result or an
-- error. A job that has no unique key then, nor a limit's, need not be taken apart.
local PLAIN = {result = true, error = true, reason = true}
local RUNNING = '^([^\t]*)\t\tin_progress\t([^\t]*\t[^\t]*\t[^\t]*\t[^\t]*\t[^\t]*)'
  .. '\t[^\t]*\t([^\t]*\t[^\t]*)\t[^\t]*\t[^\t]*\t[^\t]*\t([^\t]*)\t\t([^\t]*)'
  .. '\t(.%-\t[^\t]*\t([^\t]*)\t.*)$'

local function is_plain(kind)
  for _, name in ipairs(kind.names) do
    if not PLAIN[name] then
      return false
    end
  end
  return TERMINAL[kind.status] and kind.ended and kind.delay == '' and kind.cancel == ''
    and kind.statuses == '' and not kind.next_generation and not kind.lease_expired
end

local now = clock(ARGV[1])
local at = instant(now)
local kinds = {}
local place = 3
for i = 1, tonumber(ARGV[2]) do
  local names, rewrites = {}, false
  for name in string.gmatch(ARGV[place + 11], '%a+') do
    names[#names + 1] = name
    rewrites = rewrites or IN_FIRST[name]
  end
  kinds[i] = {
    status = ARGV[place], later = ARGV[place + 1], delay = ARGV[place + 2],
    outcome = ARGV[place + 3], cancel = ARGV[place + 4],
    next_generation = ARGV[place + 5] == '1', statuses = ARGV[place + 6],
    lease_expired = ARGV[place + 7] == '1', no_request = ARGV[place + 8] == '1',
    ended = ARGV[place + 9] == '1', filed = ARGV[place + 10] == '1', names = names,
    rewrites = rewrites,
  }
  kinds[i].is_plain = is_plain(kinds[i])
  place = place + KIND
end

local writes, wanted, times = {}, {}, {}
while place <= #ARGV do
  local kind, id, expected, generation, token, receipt, ended = string.match(ARGV[place],
    '^(%d+)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)\t([^\t]*)$')
  local write_of = {kind = kinds[tonumber(kind)], id = id, expected = expected,
    generation = generation, token = token, receipt = receipt, ended = ended}
  place = place + 1
  if write_of.kind.filed then
    write_of.filed = ARGV[place]
    place = place + 1
  end
  write_of.values = place
  place = place + #write_of.kind.names
  writes[#writes + 1] = write_of
  wanted[#wanted + 1] = id
  times[id] = (times[id] or 0) + 1
end

local by_id = {}

local function refusal(write_of, state)
  local kind = write_of.kind
  if write_of.expected ~= '' and write_of.expected ~= state[TOKEN] then
    return 'token'
  elseif kind.statuses ~= '' and not has(kind.statuses, state[STATUS]) then
    return 'status'
  elseif write_of.generation ~= '' and write_of.generation ~= state[GENERATION] then
    return 'generation'
  elseif kind.lease_expired then
    local till = call('ZSCORE', leases, write_of.id)
    if not till or tonumber(till) > now then
      return 'lease'
    end
  end
  if kind.no_request and state[REQUESTED] ~= '' then
    return 'cancel_request'
  end
end

local function takes_unique_key(state, id, status)
  if state[UNIQUE_KEY] == '' or state[LOCK] ~= '' or not has(state[SCOPE], status) then
    return true
  end
  local name = state[TASK] .. '\t' .. state[UNIQUE_KEY]
  if is_near(state) and call('HSETNX', unique, name, id) == 0 then
    return false
  end
  state[LOCK] = '1'
  return true
end

local function file(id, line, ended)
  local number = string.match(line, '^%d+')
  local before = call('HGET', attempts, id) or ''
  if not string.find('\n' .. before, '\n' .. number .. '\t', 1, true) then
    local record = number .. '\t' .. ended .. string.sub(line, #number + 1) .. '\n'
    call('HSET', attempts, id, before .. record)
  end
end

-- What clients read in the first text of a job becomes what its state has, and its payload
-- another if there is one.
local function rewrite(id, state, payload)
  local text = call('HGET', jobs, id)
  local known = string.find(text, '\n', HEAD, true)
  local own = string.find(text, '\n', known + 1, true) + 1
  added('HSET', jobs, string.sub(text, 1, HEAD - 1) .. table.concat(state, '\t', FLAGS)
    .. string.sub(text, known, own - 1) .. (payload or string.sub(text, own)), id)
end

local function put(name, value, id)
  if value == '-' then
    added('HDEL', IN_HASH[name], id)
  else
    added('HSET', IN_HASH[name], string.sub(value, 2), id)
  end
end

local function change(write_of, state)
  local kind, id = write_of.kind, write_of.id
  if state[STATUS] ~= 'in_progress' or kind.status ~= 'in_progress' then
    leave(state, id)
  end
  local before, queue, payload = state[STATUS], state[QUEUE], nil
  local status = kind.status
  if kind.delay ~= '' then
    state[DUE] = instant(now + kind.delay)
    if kind.later ~= '' and tonumber(kind.delay) > 0 then
      status = kind.later
    end
  end
  if kind.filed then
    file(id, write_of.filed, write_of.ended == '' and at or write_of.ended)
  end
  state[STATUS] = status
  if status ~= 'in_progress' then
    state[TOKEN] = ''
    state[HOLDER] = status == 'held' and state[HOLDER] or ''
    state[FINISHED] = TERMINAL[status] and at or ''
  end
  if kind.ended then
    state[ENDED] = write_of.ended == '' and at or write_of.ended
    state[OUTCOME] = kind.outcome
  end
  if kind.cancel == '1' and state[REQUESTED] == '' then
    state[REQUESTED] = at
  elseif kind.cancel == '0' then
    state[REQUESTED] = ''
  end
  if kind.next_generation then
    state[GENERATION] = state[GENERATION] + 1
  end
  for i, name in ipairs(kind.names) do
    local value = ARGV[write_of.values + i - 1]
    if IN_TEXT[name] then
      state[IN_TEXT[name]] = value
    elseif name == 'payload' then
      payload = value
    elseif name == 'extra' then
      added('HSET', extras, value, id) -- None as well, as it had one at first
    else
      put(name, value, id)
    end
  end
  if kind.rewrites then
    rewrite(id, state, payload)
  end
  if write_of.receipt ~= '' then
    state[RECEIPT] = write_of.receipt
  end
  if before == 'in_progress' and status == 'in_progress' then
    if state[QUEUE] ~= queue then
      counted(queue, status, -1)
      counted(state[QUEUE], status, 1)
    end
    saved[#saved + 1] = id
    saved[#saved + 1] = table.concat(state, '\t')
  else
    enter(state, id)
  end
end

-- Ends a job that is as *text* tells by a plain write; false where it takes more.
local function end_plainly(write_of, text)
  local kind, id = write_of.kind, write_of.id
  local token, until_now, run, receipt, reason, rest, queue = string.match(text, RUNNING)
  if not token or token ~= write_of.expected or receipt == write_of.receipt then
    return false
  end
  for i, name in ipairs(kind.names) do
    local value = ARGV[write_of.values + i - 1]
    if name == 'reason' then
      reason = value
    else
      put(name, value, id)
    end
  end
  added('ZREM', leases, id)
  added('ZADD', finished, kind.status .. '\t' .. at .. id, 0)
  counted(queue, 'in_progress', -1)
  counted(queue, kind.status, 1)
  saved[#saved + 1] = id
  saved[#saved + 1] = '\t\t' .. kind.status .. '\t' .. until_now .. '\t\t' .. run .. '\t' .. at
    .. '\t' .. at .. '\t' .. kind.outcome .. '\t'
    .. (write_of.receipt == '' and receipt or write_of.receipt) .. '\t\t' .. reason
    .. '\t' .. rest
  return true
end

local answers, queues, wakes = {}, {}, {}
local texts = paged('HMGET', states, wanted)
local others, other_ids, other_texts = {}, {}, {}
for i, write_of in ipairs(writes) do
  local kind, text = write_of.kind, texts[i]
  local may_be_plain = kind.is_plain and text and times[write_of.id] == 1
    and write_of.expected ~= '' and write_of.generation == '' and write_of.ended == ''
  if may_be_plain and end_plainly(write_of, text) then
    answers[i] = 'applied'
  else
    others[#others + 1] = i
    other_ids[#other_ids + 1] = write_of.id
    other_texts[#other_texts + 1] = text
  end
end

local found = states_of(other_ids, other_texts)
for number, i in ipairs(others) do
  local write_of = writes[i]
  local state = by_id[write_of.id] or found[number]
  local answer = 'applied'
  if not state then
    answer = 'missing'
  elseif write_of.receipt == '' or write_of.receipt ~= state[RECEIPT] then
    answer = refusal(write_of, state)
    if not answer and write_of.kind.next_generation
      and not takes_unique_key(state, write_of.id, write_of.kind.status) then
      answer = 'unique_key'
    end
    if not answer then
      if by_id[write_of.id] then
        -- What a job went through in one call is written in its order.
        write()
      end
      by_id[write_of.id] = state
      change(write_of, state)
      answer = 'applied'
      if state[STATUS] == 'queued' then
        queues[state[QUEUE]] = true
      elseif write_of.kind.cancel == '1' then
        wakes[#wakes + 1] = state[WORKER]
      end
    end
  end
  answers[i] = answer
end
write()
local names = {}
for name in pairs(queues) do
  names[#names + 1] = name
end
return {answers, names, wakes}
