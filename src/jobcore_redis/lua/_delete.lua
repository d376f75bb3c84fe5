-- The end of jobs; how many, and the unique keys of those whose holder is kept elsewhere,
-- each followed by the id.
-- keys: jobs states queued scheduled held leases limited finished unique counts ids results errors extras attempts

local function delete(wanted)
  local found, gone, far = states_of(wanted), {}, {}
  for i = 1, #wanted do
    local state = found[i]
    if state and state[STATUS] ~= 'in_progress' then
      leave(state, wanted[i])
      local name = state[TASK] .. '\t' .. state[UNIQUE_KEY]
      if state[UNIQUE_KEY] ~= '' and not is_near(state) then
        far[#far + 1] = name
        far[#far + 1] = wanted[i]
      elseif state[LOCK] ~= '' then
        added('HDEL', unique, name)
      end
      gone[#gone + 1] = wanted[i]
    end
  end
  write()
  for _, hash in ipairs({jobs, states, results, errors, extras, attempts}) do
    paged('HDEL', hash, gone)
  end
  paged('ZREM', ids, gone)
  return {#gone, far}
end
