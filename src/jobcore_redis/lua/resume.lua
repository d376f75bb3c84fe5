-- End pauses.
-- keys: pauses
-- ARGV: names after `queue:` or `task:`

return call('SREM', pauses, unpack(ARGV))
