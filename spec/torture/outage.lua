--- Waits while the server is down for a minute, at true speed and in three ways
-- at once: it answers 503, resets each connection, refuses them:
--
--     lua spec/torture/outage.lua [waits]
--
-- Prints how many waits were lost, how many requests were tried meanwhile, and
-- how long after the outage the last wait was answered again. A wait lost, more
-- than one request a second, or a wait that takes longer than one interval (and
-- a second for all to be polled) ends it with 1.

local native = require "spec.support.native"
local process = require "spec.support.process"
local socket = require "socket"
local wire = require "spec.support.wire"

local posix = native.module "posix"

local WAITS = math.tointeger(tonumber(arg[1])) or 200
local BEFORE, OUTAGE = 15, 60 -- seconds
local INTERVAL = 10 -- the client's default

-- A task has ended once the outage is over.
local SERVE = [==[
local connection, shared = ...
local cqueues = require "cqueues"
local HOW, FROM, TO = %q, %f, %f
while true do
  local request = connection:read_request()
  local now = cqueues.monotime()
  if not request then
    return
  elseif HOW == "reset" and now >= FROM and now < TO then
    return connection:reset()
  elseif HOW == "503" and now >= FROM and now < TO then
    connection:reply(503, {}, "<html>maintenance</html>")
  else
    connection:reply(200, {}, ('{"task_id":"%%s","status":"%%s","video_url":"https://x.test/v",'
      .. '"base_resp":{"status_code":0}}'):format(request.path:match "task_id=([^&]*)",
      now < TO and "Processing" or "Success"))
  end
end
]==]

local SCRIPT = native.import "posix" .. [[
  local minimax = require "minimax"
  local URL, WAITS, FROM, TO = ...
  local tried, lost, last = 0, 0, 0
  local client = minimax.new { base_url = URL, api_key = "sk-outage", on_event = function(event)
    local now = posix.now()
    if event.type == "request" and now >= tonumber(FROM) and now < tonumber(TO) then
      tried = tried + 1
    end
  end }
  for i = 1, WAITS do
    minimax.spawn(function()
      minimax.sleep(i / WAITS * 10) -- as tasks begin: one after the other
      if client:wait("task" .. i) then
        last = math.max(last, posix.now())
      else
        lost = lost + 1
      end
    end)
  end
  minimax.run()
  print(lost, tried, last - TO)
]]

local from = posix.now() + BEFORE
local to = from + OUTAGE

local function start_server(how, port)
  return wire.start { serve = SERVE:format(how, from, to), port = port }
end

local ways = { "503", "reset", "refused" }
local servers, children = {}, {}
for _, how in ipairs(ways) do
  local port = wire.refused() -- held, so that nobody else gets it meanwhile
  servers[how] = start_server(how, port.port)
  children[how] = process.start { script = SCRIPT, timeout = 300,
    args = { servers[how].url, WAITS, from, to } }
end

socket.sleep(from - posix.now())
local port = servers.refused.port
servers.refused:stop()
socket.sleep(to - posix.now())
servers.refused = start_server("refused", port)

local well = true
for _, how in ipairs(ways) do
  local result = children[how]:finish()
  local lost, tried, late = result.out:match "(%d+)\t(%d+)\t(%S+)\n"
  assert(lost, result.err)
  servers[how]:stop()
  print(("%-8s %d of %d waits lost, %d requests in %d s, all answered %.1f s after"):format(how,
    lost, WAITS, tried, OUTAGE, late))
  well = well and tonumber(lost) == 0 and tonumber(tried) <= OUTAGE
    and tonumber(late) <= INTERVAL + 1
end
os.exit(well, true)
