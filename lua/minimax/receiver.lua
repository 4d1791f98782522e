--- Receives the callbacks that MiniMax sends to a `callback_url`: answers the
-- challenge, and lets waits of the same client ask at once.
--
--     local controller = require "cqueues".new()
--     local receiver = assert(require "minimax.receiver".start {
--       controller = controller, client = client, port = 8080,
--     })
--     -- behind a proxy with TLS: callback_url = "https://example.com" .. receiver.path
--     controller:wrap(function() … client:wait(task) … receiver:close() end)
--     assert(controller:loop())
--
-- Nothing signs a callback: anyone who knows the address can send one. So the
-- path holds a secret, and what comes is a hint that the wait confirms by a query
-- of its own. It needs cqueues.
-- @module minimax.receiver

local checks = require "minimax.common.options"
local cqueues = require "cqueues"
local fault = require "minimax.common.fault"
local hex = require "minimax.common.hex"
local http1 = require "minimax.common.http1"
local listener = require "minimax.common.listener"

local receiver = {}

local Receiver = { __name = "minimax.receiver" }
Receiver.__index = Receiver

local ANSWER_SECONDS = 3 -- what the API grants
local BODY_BYTES = 65536
local CONNECTIONS = 64
local SECRET_BYTES = 16

local OPTIONS = {
  controller = { checks.is "userdata", "a userdata" },
  client = { checks.is "userdata", "a userdata" },
  host = { checks.is "string", "a string", "127.0.0.1" },
  port = { checks.is "number", "a number", 0 },
  path = { checks.is "string", "a string" },
  on_event = { checks.is "function", "a function" },
  on_problem = { checks.is "function", "a function" },
  max_bytes = { checks.is "number", "a number", BODY_BYTES },
  seconds = { checks.is "number", "a number", ANSWER_SECONDS },
}

local function read(given)
  local result = checks.read(OPTIONS, "minimax.receiver: ", given, 3)
  if not result.controller or not result.client then
    error("minimax.receiver: a controller and a client are needed", 3)
  elseif result.path and result.path:sub(1, 1) ~= "/" then
    error("minimax.receiver: option 'path' must begin with a slash", 3)
  end
  return result
end

--- Whether two texts are the same, in a time that does not tell where they
-- differ: it depends on the length of what was sent alone.
function receiver.same(sent, expected)
  local difference = #sent ~ #expected
  for index = 1, #sent do
    local byte = expected:byte((index - 1) % #expected + 1)
    difference = difference | (sent:byte(index) ~ byte)
  end
  return difference == 0
end

-- One request is all that a connection is for.
local function respond(connection, status, body)
  http1.write_head(connection, status, { { "content-type", "application/json" },
    { "content-length", tostring(#body) }, { "connection", "close" } },
    cqueues.monotime() + ANSWER_SECONDS)
  http1.write(connection, body, cqueues.monotime() + ANSWER_SECONDS)
end

-- What the user's function raises must not end the receiver.
local function call(self, name, ...)
  local told = self.options[name]
  local ok, problem = true, nil
  if told then
    ok, problem = pcall(told, ...)
  end
  if not ok then
    warn("minimax.receiver: error in ", name, ": ", tostring(problem))
  end
end

-- The answer's status and body, and the event if there is one.
local function take(self, connection, head, path)
  if not receiver.same(path, self.path) then
    return 404, ""
  elseif head.method ~= "POST" then
    return 405, ""
  end
  local options = self.options
  local body, status = http1.body(connection, head, options.max_bytes,
    cqueues.monotime() + options.seconds)
  if not body then
    return status, ""
  end
  local reply, event = options.client:callback(body)
  if not reply then
    call(self, "on_problem", event)
    return 400, ""
  end
  return 200, reply, event
end

-- What is asked on a connection. An answer without status is for nobody.
local function converse(self, connection)
  local head, refused = http1.head(connection, cqueues.monotime() + self.options.seconds)
  if not head then
    return refused, ""
  end
  local path, query = head.target:match "^([^?]*)%??(.*)$"
  local status, body, event = take(self, connection, head, path)
  return status, body, event, query
end

local function serve(self, connection)
  http1.prepare(connection)
  local status, body, event, query = converse(self, connection)
  -- The answer goes first: the user's function may take its time.
  if status then
    respond(connection, status, body)
  end
  if status and status ~= 200 then
    http1.finish(connection)
  end
  if event then
    connection:close()
    self.options.client:notify(event)
    call(self, "on_event", event, query)
  end
end

local function listen(self)
  local options = self.options
  return listener.start {
    controller = options.controller, host = options.host, port = options.port,
    places = CONNECTIONS,
    serve = function(connection)
      serve(self, connection)
    end,
    on_error = function(problem)
      warn("minimax.receiver: ", tostring(problem))
    end,
  }
end

--- Starts a receiver.
-- @param given a table of options:
--
--   * `controller`: of cqueues, which serves it
--   * `client`: whose waits are told
--   * `host`, `port`: where it listens ("127.0.0.1", any free port)
--   * `path`: the secret path (a random one)
--   * `on_event`: called with each event, after it was answered, and with what
--     stood behind `?` in the `callback_url`; may yield
--   * `on_problem`: called with the error of a body that is no callback
--   * `max_bytes`, `seconds`: what a sender may take (64 KiB, 3)
-- @return an object with `port`, `path` and `close`; or nil and an error
function receiver.start(given)
  local options = read(given)
  local random, why = hex.random(SECRET_BYTES)
  if not options.path and not random then
    return nil, fault.new("io", "%s", why)
  end
  local self = setmetatable({ options = options, path = options.path or "/" .. random }, Receiver)
  self.listener, why = listen(self)
  if not self.listener then
    return nil, fault.new("io", "%s", why)
  end
  self.port = self.listener.port
  return self
end

--- Stops to listen. May be called again.
function Receiver:close()
  self.listener:close()
end

Receiver.__close = Receiver.close

return receiver
