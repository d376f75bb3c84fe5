-- What all scripts share: a job's two texts, and the indexes that find it by its status.
--
-- `jobs` has what a job was when it was inserted:
--   created at, due at, q(ueued) or s(cheduled), then its head, a newline, and what only
--   clients read. The head has fields that never change, but for queue and priority, and
--   the last of the rest is the payload: where an operator changes one, the text does.
-- `states` has what it became, as soon as that is something else, or if it is held: the
-- fields below, of which those from FLAGS on are the head. Instants are microseconds in 16
-- digits.

local TOKEN, REQUESTED, STATUS, DUE, ATTEMPT = 1, 2, 3, 4, 5
local FAILURES, LOSSES, GENERATION, HOLDER, WORKER = 6, 7, 8, 9, 10
local STARTED, ENDED, FINISHED, OUTCOME, RECEIPT = 11, 12, 13, 14, 15
local LOCK, REASON, FLAGS, PRIORITY, QUEUE = 16, 17, 18, 19, 20
local TASK, LIMIT_KEY, LIMIT, UNIQUE_KEY, SCOPE = 21, 22, 23, 24, 25

local UNFINISHED = 'held,in_progress,queued,scheduled'
local TERMINAL = {completed = true, failed = true, canceled = true}
local HEAD = 37 -- where the head begins in a job's first text
local PAGE = 1000 -- how many arguments a command is given at most, which Lua bounds

local function instant(microseconds)
  return string.format('%016.0f', microseconds)
end

local function clock(offset)
  local time = call('TIME')
  return time[1] * 1000000 + time[2] + offset
end

local function split(text)
  local fields, n = {}, 0
  for field in string.gmatch(text .. '\t', '([^\t]*)\t') do
    n = n + 1
    fields[n] = field
  end
  return fields
end

local function has(scope, status)
  if scope == '' then
    scope = UNFINISHED
  end
  return string.find(',' .. scope .. ',', ',' .. status .. ',', 1, true) ~= nil
end

local function head(text)
  return string.sub(text, HEAD, string.find(text, '\n', HEAD, true) - 1)
end

-- The fields of a job that is as it was inserted.
local function inserted(text)
  local queued = string.sub(text, 35, 35) == 'q'
  local status = queued and 'queued' or 'scheduled'
  local due = string.sub(text, 18, 33)
  local state = split('\t\t' .. status .. '\t' .. due .. '\t0\t0\t0\t0'
    .. '\t\t\t\t\t\t\t\t\t\t' .. head(text))
  if state[UNIQUE_KEY] ~= '' and has(state[SCOPE], status) then
    state[LOCK] = '1'
  end
  return state
end

-- Calls *command* on *key* with all *arguments*, some at a time; all that it answers.
local function paged(command, key, arguments)
  local n = #arguments
  if n == 0 then
    return {}
  elseif n <= PAGE then
    return call(command, key, unpack(arguments))
  end
  local answers = {}
  for from = 1, n, PAGE do
    local answer = call(command, key, unpack(arguments, from, math.min(from + PAGE - 1, n)))
    if type(answer) == 'table' then
      for i = 1, #answer do
        answers[from + i - 1] = answer[i]
      end
    end
  end
  return answers
end
