-- Strike out a worker.
-- keys: workers
-- ARGV: its id

return call('HDEL', workers, ARGV[1])
