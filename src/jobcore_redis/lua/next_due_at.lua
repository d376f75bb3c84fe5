-- When the first scheduled job is due, or nothing.
-- keys: scheduled

local first = call('ZRANGEBYLEX', scheduled, '-', '+', 'LIMIT', 0, 1)[1]
return first and string.sub(first, 1, 16) or false
