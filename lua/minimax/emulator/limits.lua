--- Rate limits: so many requests in any so many seconds, in real time.

local cqueues = require "cqueues"

local limits = {}
limits.__index = limits

--- @param options `submit_rate` and `query_rate`: `{ count, seconds }` or false
function limits.new(options)
  local rates = { submit = options.submit_rate or nil, query = options.query_rate or nil }
  return setmetatable({ rates = rates, taken = { submit = {}, query = {} } }, limits)
end

-- Forgets what has left the window.
local function prune(times, oldest)
  local first = 1
  while times[first] and times[first] <= oldest do
    first = first + 1
  end
  table.move(times, first, #times + first - 1, 1)
end

--- Takes one place of an endpoint's budget. A refused request takes none.
-- @return whether there was one
function limits:take(endpoint)
  local rate, times = self.rates[endpoint], self.taken[endpoint]
  if not rate then
    return true
  end
  local now = cqueues.monotime()
  prune(times, now - rate[2])
  if #times >= rate[1] then
    return false
  end
  times[#times + 1] = now
  return true
end

return limits
