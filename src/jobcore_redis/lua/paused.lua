-- What is paused, after `queue:` or `task:`.
-- keys: pauses

return call('SMEMBERS', pauses)
