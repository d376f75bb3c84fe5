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

-- How many of the key's jobs are in progress.
local function running(key)
  return call('ZLEXCOUNT', limited, '[' .. key .. '\t', '(' .. key .. '\n')
end

-- How many of the key's jobs may start, where *concurrency* may run.
local function places(key, concurrency)
  return concurrency and math.max(concurrency - running(key), 0) or math.huge
end
