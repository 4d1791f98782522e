--- What `minimax doctor` learns from two requests that cost nothing: one without
-- the key, that any server answers, and one with it.

local minimax = require "minimax"

local probe = {}

-- No task has this id; a query for it tells whether the key is accepted.
local NO_TASK = "100000000000000000"

local LONGEST = 20 -- seconds until an answer must be there, whatever holds it up

local function ask(session, changes)
  changes.request_timeout = 15
  changes.retries = session.arguments.retries or 1
  local client, err = session:client(changes)
  if not client then
    return { err = err }
  end
  local seen = {}
  session:listen("probe", function(event)
    if event.type == "response" then
      local theirs = event.date and minimax._date(event.date)
      seen.status, seen.ahead = event.http_status, theirs and os.time() - theirs
    elseif event.type == "rate_limit" then -- which may last for an hour
      seen.limited = true
      client:abort(NO_TASK)
    end
  end)
  local _
  _, seen.err = client:query(NO_TASK, { kind = "template", timeout = LONGEST })
  session:listen("probe", nil)
  client:close()
  return seen
end

--- Reaches the server without the key.
-- @return a table: `status` (HTTP, where there was an answer), `err`, `ahead`
--   (seconds that this clock is before the server's; nil where it said none),
--   `limited` (true where the server wants fewer requests)
function probe.reach(session)
  return ask(session, { auth = false, api_key = "none" })
end

--- Asks with the key.
-- @return the same
function probe.authorize(session)
  return ask(session, {})
end

return probe
