-- New jobs. Those that are told from the argument *from* on are stored; answered are the
-- time, and the places of those that were not stored with the jobs that are there
-- instead, whole, or nothing where that lies in another partition. Workers are told at
-- once, which spares a message that follows.
-- keys: jobs states ids queued scheduled held unique counts leases results errors extras
-- ARGV: offset; a channel and what to tell there, or nothing; and of each job: its id;
-- when it is due: an instant, a delay after `+`, or nothing, where what holds it from the
-- beginning may stand before the first two, between `=` and a tab; its queue and priority;
-- and the rest of its text, which its head begins.

-- The state of a job that is held from the beginning.
local function held_from(text, holder)
  local state = inserted(text)
  state[STATUS], state[HOLDER] = 'held', holder
  return table.concat(state, '\t')
end

local function insert(from)
  local now = clock(ARGV[1])
  local created = instant(now)
  local n = (#ARGV - from + 1) / 4
  local wanted = {}
  for i = 1, n do
    wanted[i] = ARGV[from + 4 * i - 4]
  end
  local known = paged('HMGET', jobs, wanted)
  local fresh, queue, schedule, order, locks, moves = {}, {}, {}, {}, {}, {}
  local new, holders, there, others = {}, {}, {}, {}
  local stopped, states_of_held = {}, {}

  for i = 1, n do
    local id, place = wanted[i], from + 4 * i - 4
    local when, line, rest = ARGV[place + 1], ARGV[place + 2], ARGV[place + 3]
    local due, holder = now, nil
    if when ~= '' then
      if string.sub(when, 1, 1) == '=' then
        holder, when = string.match(when, '^=([^\t]*)\t(.*)$')
      end
      due = string.sub(when, 1, 1) == '+' and now + string.sub(when, 2) or tonumber(when)
    end
    local status = holder and 'held' or due > now and 'scheduled' or 'queued'
    local other = (known[i] or new[id]) and id
    local lock
    if not other and string.sub(rest, 1, 1) == 'U' then
      local fields = split(string.sub(rest, 1, string.find(rest, '\n', 1, true) - 1))
      local name = fields[4] .. '\t' .. fields[7]
      local kept = holders[name] or call('HGET', unique, name)
      other = kept and string.match(kept, '^[^\t]*')
      if other == id then
        other = nil -- it was reserved for this very job
      end
      if not other and has(fields[8], status) then
        lock = name
      end
    end
    if other then
      there[#there + 1] = i
      others[#others + 1] = other
    else
      new[id] = true
      local at = due == now and created or instant(due)
      local letter = 'q'
      local name = string.sub(line, 1, -6) .. status
      moves[name] = (moves[name] or 0) + 1
      order[#order + 1] = 0
      order[#order + 1] = id
      if status == 'queued' then
        queue[#queue + 1] = 0
        queue[#queue + 1] = line .. at .. id
      elseif status == 'scheduled' then
        letter = 's'
        schedule[#schedule + 1] = 0
        schedule[#schedule + 1] = at .. id
      end
      local text = created .. '\t' .. at .. '\t' .. letter .. '\t' .. rest
      fresh[#fresh + 1] = id
      fresh[#fresh + 1] = text
      if holder then
        stopped[#stopped + 1] = 0
        stopped[#stopped + 1] = holder .. '\t' .. string.sub(line, -5) .. at .. id
        states_of_held[#states_of_held + 1] = id
        states_of_held[#states_of_held + 1] = held_from(text, holder)
      end
      if lock then
        holders[lock] = id
        locks[#locks + 1] = lock
        locks[#locks + 1] = id
      end
    end
  end

  paged('HSET', jobs, fresh)
  paged('ZADD', ids, order)
  paged('ZADD', queued, queue)
  paged('ZADD', scheduled, schedule)
  paged('ZADD', held, stopped)
  paged('HSET', states, states_of_held)
  paged('HSET', unique, locks)
  for name, number in pairs(moves) do
    call('HINCRBY', counts, name, number)
  end
  if ARGV[2] ~= '' and #queue > 0 then
    call('PUBLISH', ARGV[2], ARGV[3])
  end
  return {created, there, others, records(others)}
end
