-- Pause queues and tasks.
-- keys: pauses
-- ARGV: names after `queue:` or `task:`

return call('SADD', pauses, unpack(ARGV))
