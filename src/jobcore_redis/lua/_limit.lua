-- What a limit key allows.
-- keys: limited limits paces

-- The figures that stand for a job: how many may run, or nothing; the microseconds
-- between two starts, or nothing; and how many may start at once.
local overrides = {}

local function figures(state)
  local key = state[LIMIT_KEY]
  if overrides[key] == nil then
    overrides[key] = call('HGET', limits, key) or false
  end
  local concurrency, step, burst =
    string.match(overrides[key] or state[LIMIT], '^(%d*):(%d*):(%d*)$')
  return tonumber(concurrency), tonumber(step), tonumber(burst)
end

-- How many of the key's jobs may start, where *concurrency* may run.
local function places(key, concurrency)
  if not concurrency then
    return math.huge
  end
  local running = call('ZLEXCOUNT', limited, '[' .. key .. '\t', '(' .. key .. '\n')
  return math.max(concurrency - running, 0)
end
