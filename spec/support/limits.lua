--- An API that keeps to limits and has outages, in time that runs faster: for
-- specs of many tasks over many minutes.
--
--     local api <close> = limits.start { factor = 60, submits = 20, queries = 120 }
--     local report = api:run [[ … a script with `client` and `minimax` … ]]

local native = require "spec.support.native"
local process = require "spec.support.process"
local wire = require "spec.support.wire"

local limits = {}

local Api = {}
Api.__name = "limits.api"

function Api:__index(name)
  return Api[name] or self.server[name]
end

-- Each request is reported with its time in fast minutes and its outcome.
local SERVE = [==[
local connection, shared = ...
local cqueues = require "cqueues"
local settings = %s
shared.began = shared.began or cqueues.monotime()
shared.windows = shared.windows or { GET = {}, POST = {} }
shared.born = shared.born or {}
shared.count = shared.count or 0

local function now()
  return (cqueues.monotime() - shared.began) * settings.factor
end

-- Whether one more fits into the last minute; refused ones do not count.
local function admit(method)
  local limit = method == "POST" and settings.submits or settings.queries
  local window = shared.windows[method]
  while window[1] and window[1] <= now() - 60 do
    table.remove(window, 1)
  end
  if limit and #window >= limit then
    return false
  end
  window[#window + 1] = now()
  return true
end

local function is_down()
  local outage = settings.outage
  return outage and now() >= outage[1] and now() < outage[2]
end

local function answer(request)
  local id = request.path:match("task_id=([^&]*)")
  if is_down() then
    return "down", 503, "<html>maintenance</html>"
  elseif not admit(request.method) then
    return "limited", 200, '{"base_resp":{"status_code":1002,"status_msg":"rate limit"}}'
  elseif request.method == "POST" then
    shared.count = shared.count + 1
    shared.born["t" .. shared.count] = now()
    return "fine", 200, ('{"task_id":"t%%d","base_resp":{"status_code":0}}'):format(shared.count)
  end
  shared.born[id] = shared.born[id] or 0
  local done = now() - shared.born[id] >= settings.seconds
  return "fine", 200, ('{"task_id":"%%s","status":"%%s","video_url":"https://example.com/%%s",'
    .. '"base_resp":{"status_code":0}}'):format(id, done and "Success" or "Processing", id)
end

while true do
  local request = connection:read_request()
  if not request then
    return
  end
  local outcome, status, body = answer(request)
  connection.server.report { type = "outcome", method = request.method, time = now(),
    outcome = outcome }
  connection:reply(status, {}, body)
end
]==]

--- Starts it.
-- @param settings `factor` of the clock, `submits` and `queries` a minute,
--   `outage` a list of two instants in seconds since the first connection,
--   `seconds` that a task takes, `timeout` in true seconds of what `run` runs
function limits.start(settings)
  settings.seconds = settings.seconds or 0
  local dump = require "spec.support.dump"
  local server = wire.start { serve = SERVE:format(dump(settings)) }
  return setmetatable({ server = server, factor = settings.factor,
    timeout = settings.timeout }, Api)
end

--- Runs a script in a child with the same fast clock.
-- @param script Lua source; it finds `minimax`, `posix`, `client` and `URL`
-- @param options text between the braces of the client's options
-- @return what it printed; raises what it wrote to its standard error
function Api:run(script, options)
  local result = process.run {
    script = native.import "posix" .. ([[
      local minimax = require "minimax"
      local URL = %q
      local client = minimax.new { base_url = URL, api_key = "sk-spec", %s }
    ]]):format(self.server.url, options or "") .. script,
    env = { LD_PRELOAD = native.library "clock", CLOCK_FACTOR = tostring(self.factor) },
    timeout = self.timeout or 120,
  }
  assert(result.err == "" and result.code == 0, result.err)
  return result.out
end

--- How many requests had an outcome, and when they came.
-- @param method
-- @param outcome "fine", "limited" or "down"
-- @param since an instant
-- @return the sorted list of their instants
function Api:times(method, outcome, since)
  local times = {}
  for _, entry in ipairs(self.server:reports("outcome")) do
    if entry.method == method and entry.outcome == outcome and entry.time >= (since or 0) then
      times[#times + 1] = entry.time
    end
  end
  return times
end

function Api:stop()
  self.server:stop()
end

Api.__close = Api.stop

return limits
