-- Schedules. The text of each has when its next tick is, as instants are written, or
-- nothing; its revision; and what only managers read; with a tab between them. Those that
-- have a next tick are in `ticks`, too.
-- keys: schedules ticks

-- When the next tick is, and the revision; nothing where the text is malformed.
local function schedule_of(text)
  return string.match(text, '^(%d*)\t([^\t]*)\t')
end
