--- What `minimax doctor` learns from two requests that cost nothing: one without
-- the key, that any server answers, and one with it.

local probe = {}

-- No task has this id; a query for it tells whether the key is accepted.
local NO_TASK = "100000000000000000"

local LONGEST = 20 -- seconds until an answer must be there, whatever holds it up

local MONTHS = { Jan = 1, Feb = 2, Mar = 3, Apr = 4, May = 5, Jun = 6, Jul = 7, Aug = 8, Sep = 9,
  Oct = 10, Nov = 11, Dec = 12 }

-- Days since 1970, in the calendar that began in March, so that February is last.
local function days(year, month, day)
  if month <= 2 then
    year, month = year - 1, month + 12
  end
  return 365 * year + year // 4 - year // 100 + year // 400 + (153 * (month - 3) + 2) // 5 + day
    - 719469
end

--- A Date header as Unix seconds; nil where it is none.
function probe.seconds(date)
  local day, month, year, hour, minute, second =
    date:match("(%d+) (%a%a%a) (%d%d%d%d) (%d%d):(%d%d):(%d%d) GMT")
  if not MONTHS[month] then
    return nil
  end
  return ((days(tonumber(year), MONTHS[month], tonumber(day)) * 24 + hour) * 60 + minute) * 60
    + second
end

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
      local theirs = event.date and probe.seconds(event.date)
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
