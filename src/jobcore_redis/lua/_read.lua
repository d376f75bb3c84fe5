-- Whole jobs, as clients put them together.
-- keys: jobs states leases results errors extras

local function records(ids)
  if #ids == 0 then
    return {{}, {}, {}, {}, {}, {}}
  end
  return {
    paged('HMGET', jobs, ids),
    paged('HMGET', states, ids),
    paged('ZMSCORE', leases, ids),
    paged('HMGET', results, ids),
    paged('HMGET', errors, ids),
    paged('HMGET', extras, ids),
  }
end
