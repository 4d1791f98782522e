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
-- of its own. It needs lua-http.
-- @module minimax.receiver

local receiver = {}

local Receiver = { __name = "minimax.receiver" }
Receiver.__index = Receiver

local ANSWER_SECONDS = 3 -- what the API grants
local BODY_BYTES = 65536
local CONNECTIONS = 64
local SECRET_BYTES = 16

local DEFAULTS = { host = "127.0.0.1", port = 0, max_bytes = BODY_BYTES,
  seconds = ANSWER_SECONDS }

local CHECKS = { controller = "userdata", client = "userdata", host = "string", port = "number",
  path = "string", on_event = "function", on_problem = "function", max_bytes = "number",
  seconds = "number" }

local function complete(given)
  local options = {}
  for name, value in pairs(given) do
    if not CHECKS[name] then
      error("minimax.receiver: unknown option '" .. tostring(name) .. "'", 3)
    elseif type(value) ~= CHECKS[name] then
      error("minimax.receiver: option '" .. name .. "' must be a " .. CHECKS[name], 3)
    end
    options[name] = value
  end
  for name, value in pairs(DEFAULTS) do
    options[name] = options[name] or value
  end
  if not options.controller or not options.client then
    error("minimax.receiver: a controller and a client are needed", 3)
  elseif options.path and options.path:sub(1, 1) ~= "/" then
    error("minimax.receiver: option 'path' must begin with a slash", 3)
  end
  return options
end

local function secret()
  local file, why = io.open("/dev/urandom", "rb")
  if not file then
    return nil, why
  end
  local bytes = file:read(SECRET_BYTES)
  file:close()
  return (bytes:gsub(".", function(byte)
    return string.format("%02x", byte:byte())
  end))
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

local function respond(stream, status, body)
  local headers = require "http.headers".new()
  headers:append(":status", tostring(status))
  headers:append("content-type", "application/json")
  headers:append("content-length", tostring(#body))
  if status ~= 200 then
    -- Nothing more is read of who sends nonsense.
    headers:append("connection", "close")
  end
  if stream:write_headers(headers, body == "", ANSWER_SECONDS) and body ~= "" then
    stream:write_chunk(body, true, ANSWER_SECONDS)
  end
end

-- What the user's function raises must not end the receiver.
local function call(self, name, ...)
  local listener = self.options[name]
  local ok, problem = true, nil
  if listener then
    ok, problem = pcall(listener, ...)
  end
  if not ok then
    warn("minimax.receiver: error in ", name, ": ", tostring(problem))
  end
end

local function is_too_long(self, headers)
  local announced = headers:get "content-length"
  return announced and (tonumber(announced) or math.huge) > self.options.max_bytes
end

-- The answer's status and body, and the event if there is one.
local function take(self, stream, headers, path)
  if not receiver.same(path, self.path) then
    return 404, ""
  elseif headers:get ":method" ~= "POST" then
    return 405, ""
  elseif is_too_long(self, headers) then
    return 413, ""
  end
  local body, why = stream:get_body_chars(self.options.max_bytes + 1, self.options.seconds)
  if why then
    return 408, ""
  elseif #(body or "") > self.options.max_bytes then
    return 413, ""
  end
  local reply, event = self.options.client:callback(body or "")
  if not reply then
    call(self, "on_problem", event)
    return 400, ""
  end
  return 200, reply, event
end

local function serve(self, stream)
  local headers = stream:get_headers(self.options.seconds)
  if not headers then
    return
  end
  local path, query = (headers:get ":path" or ""):match "^([^?]*)%??(.*)$"
  local status, body, event = take(self, stream, headers, path)
  -- The answer goes first: the user's function may take its time.
  respond(stream, status, body)
  if event then
    self.options.client:notify(event)
    call(self, "on_event", event, query)
  end
end

local function listen(self)
  local options = self.options
  local server, why = require "http.server".listen {
    host = options.host, port = options.port, reuseaddr = true, cq = options.controller,
    tls = false, version = 1.1, max_concurrent = CONNECTIONS,
    connection_setup_timeout = options.seconds, intra_stream_timeout = options.seconds,
    onstream = function(_, stream)
      serve(self, stream)
    end,
    -- What strangers do to their connections is no error of ours.
    onerror = function(_, _, operation, problem)
      if operation == "onstream" then
        warn("minimax.receiver: ", tostring(problem))
      end
    end,
  }
  if not server then
    return nil, why
  end
  local ok
  ok, why = server:listen()
  if not ok then
    return nil, why
  end
  self.server = server
  return select(3, server:localname())
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
-- @return an object with `port`, `path` and `close`; or nil and why not
function receiver.start(given)
  local options = complete(given)
  local ready = require "minimax.emulator.paths".prepare()
  if not ready then
    return nil, "minimax.receiver needs lua-http: install the rock 'http' "
      .. "(luarocks install http) or Debian's package 'lua-http'"
  end
  local random, why = secret()
  if not options.path and not random then
    return nil, why
  end
  local self = setmetatable({ options = options, path = options.path or "/" .. random }, Receiver)
  local port
  port, why = listen(self)
  if not port then
    return nil, tostring(why)
  end
  self.port = math.tointeger(port)
  return self
end

--- Stops to listen. May be called again.
function Receiver:close()
  if self.server then
    self.server:close()
    self.server = nil
  end
end

Receiver.__close = Receiver.close

return receiver
