-- Enter a worker, and forget those who did not return.
-- keys: workers
-- uses: record
-- ARGV: offset, how long it is to be kept, its id, and what it tells of itself

local now = clock(ARGV[1])
local all = call('HGETALL', workers)
for i = 1, #all, 2 do
  if tonumber(string.sub(all[i + 1], 1, 16)) <= now then
    call('HDEL', workers, all[i])
  end
end
local record = instant(now + ARGV[2]) .. instant(now) .. ARGV[4]
return call('HSET', workers, ARGV[3], record)
