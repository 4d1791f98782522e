--- The API's query endpoint on the scripted server, for specs about waiting:
-- each task plays a plan, and the plan's last step is played again and again.
--
--     local api <close> = tasks.start {
--       lion = { "Processing", "reset", { http = 503 }, { word = "go", "Success" } },
--     }
--     local client = api:client()
--     client:wait("lion")
--
-- A step is a status word; `"reset"`, `"close"` (both after the request was
-- read) or `"hang"` (until the client closes); or a table: its first value is
-- the status word, `code` a `base_resp` code, `http` a status with `body`
-- instead of JSON, `headers`; `word` to wait for with `api:tell(word)`, `pause`
-- seconds to wait. A POST answers with the id `new-1` and so on. A task without
-- a plan succeeds at once; the plan named `any` is for all of those.

local dump = require "spec.support.dump"
local minimax = require "minimax"
local wire = require "spec.support.wire"

local tasks = {}

local Api = {}
Api.__name = "tasks.api"

function Api:__index(name)
  return Api[name] or self.server[name]
end

local SERVE = [==[
local connection, shared = ...
local plans = %s
shared.played = shared.played or {}
shared.submitted = shared.submitted or 0

local function json(id, step)
  local code = step.code or 0
  local word = step[1] and ('"status":"%%s",'):format(step[1]) or ""
  local link = step[1] == "Success" and '"video_url":"https://example.com/v.mp4",' or ""
  return ('{"task_id":"%%s",%%s%%s"base_resp":{"status_code":%%d,"status_msg":"%%s"}}')
    :format(id, word, link, code, code == 0 and "success" or "because of the plan")
end

local function next_step(id)
  local plan = plans[id] or plans.any or { "Success" }
  local at = (shared.played[id] or 0) + 1
  shared.played[id] = at
  local step = plan[math.min(at, #plan)]
  return type(step) == "table" and step or { step }
end

local breaks = { reset = true, close = true, hang = true }

while true do
  local request = connection:read_request()
  if not request then
    return
  end
  if request.method == "POST" then
    shared.submitted = shared.submitted + 1
    local id = "new-" .. shared.submitted
    connection:reply(200, {}, json(id, { nil }))
  else
    local id = request.path:match("task_id=([^&]*)") or request.path:match("([^/?]*)$")
    id = id:gsub("%%%%(%%x%%x)", function(digits)
      return string.char(tonumber(digits, 16))
    end)
    local step = next_step(id)
    if step.pause then
      connection:pause(step.pause)
    end
    if step.word then
      connection:await(step.word)
    end
    if breaks[step[1]] then
      return connection[step[1]](connection)
    elseif step.http then
      connection:reply(step.http, step.headers or {}, step.body or "<html>no</html>")
    else
      connection:reply(200, step.headers or {}, json(id, step))
    end
  end
end
]==]

--- Starts the API.
-- @param plans task id to list of steps
-- @param options of `wire.start`, besides
-- @return an object with the methods of the scripted server and `client`
function tasks.start(plans, options)
  local settings = { serve = SERVE:format(dump(plans or {})) }
  for name, value in pairs(options or {}) do
    settings[name] = value
  end
  return setmetatable({ server = wire.start(settings) }, Api)
end

--- The options of a client for this API: quick polls, and a wait that cannot
-- hang the specs.
-- @param more options, which come before ours
function Api:options(more)
  local options = { base_url = self.server.url, api_key = "sk-api-example",
    ca_file = self.server.ca_file, poll_interval = 0.02, wait_timeout = 30 }
  for name, value in pairs(more or {}) do
    options[name] = value
  end
  return options
end

--- Makes a client of this API.
function Api:client(more)
  return minimax.new(self:options(more))
end

--- How many queries of a task arrived.
function Api:polls(id)
  local count = 0
  for _, request in ipairs(self.server:requests()) do
    if request.method == "GET" and (not id or request.path:find(id, 1, true)) then
      count = count + 1
    end
  end
  return count
end

function Api:stop()
  self.server:stop()
end

Api.__close = Api.stop

return tasks
