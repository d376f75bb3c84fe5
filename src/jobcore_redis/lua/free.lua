-- Let go of unique keys, each if it is still kept as it was seen, or by the same job.
-- keys: unique
-- ARGV: of each its task and key, and what was seen of its holder, or the holder's id

local gone = 0
for i = 1, #ARGV, 2 do
  local kept = call('HGET', unique, ARGV[i])
  if kept and (kept == ARGV[i + 1] or string.match(kept, '^[^\t]*') == ARGV[i + 1]) then
    gone = gone + call('HDEL', unique, ARGV[i])
  end
end
return gone
