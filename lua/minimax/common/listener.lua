--- Accepts connections in a controller of cqueues, for servers that strangers
-- reach: what goes wrong with one connection never reaches the controller, and
-- when all places are taken, the one that was silent for longest gives up its own.

local cqueues = require "cqueues"
local condition = require "cqueues.condition"
local errno = require "cqueues.errno"
local sockets = require "cqueues.socket"

local listener = {}

local Listener = { __name = "minimax.common.listener" }
Listener.__index = Listener

-- After an accept that failed, such as for want of descriptors.
local PAUSE_SECONDS = 0.05

local function give_error_back(_, _, code)
  return code
end

-- The end that its reader finds makes it leave.
local function make_room(self)
  local oldest
  for connection, since in pairs(self.waiting) do
    if not oldest or since < self.waiting[oldest] then
      oldest = connection
    end
  end
  if oldest then
    self.waiting[oldest] = nil
    oldest:shutdown()
  end
end

local function serve(self, connection)
  local ok, problem = pcall(self.serve, connection, self)
  pcall(connection.close, connection)
  if not ok then
    self.on_error(problem)
  end
end

local function admit(self, connection)
  self.count = self.count + 1
  self:awaits(connection)
  self.controller:wrap(function()
    serve(self, connection)
    self.waiting[connection] = nil
    self.count = self.count - 1
    self.room:signal()
  end)
end

local function accept_one(self)
  local connection, why = self.socket:accept({ nodelay = true }, 0)
  if connection then
    admit(self, connection)
  elseif why == errno.ETIMEDOUT then
    cqueues.poll(self.socket, self.room)
  else
    if why == errno.EMFILE or why == errno.ENFILE then
      make_room(self)
    end
    cqueues.sleep(PAUSE_SECONDS)
  end
end

local function accept_all(self)
  while self.socket do
    if self.count < self.places then
      accept_one(self)
    else
      make_room(self)
      self.room:wait(PAUSE_SECONDS)
    end
  end
end

--- Notes that a connection waits for its peer: its place may be taken.
function Listener:awaits(connection)
  self.waiting[connection] = cqueues.monotime()
end

--- Notes that a connection is being served: its place is its own.
function Listener:serves(connection)
  self.waiting[connection] = nil
end

--- Stops to listen; connections that are open go on. May be called again.
function Listener:close()
  local socket = self.socket
  self.socket = nil
  if socket then
    self.room:signal()
    socket:close()
  end
end

--- Starts to listen.
-- @param options `controller`, `host`, `port` (0 for any free one), `places`,
--   `serve` (a function that gets a connection, which is closed when it returns,
--   and the listener), `on_error` (a function that gets what it raised)
-- @return a listener with `port`; or nil and why not
function listener.start(options)
  local self = setmetatable({ controller = options.controller, serve = options.serve,
    on_error = options.on_error, places = options.places, count = 0, waiting = {},
    room = condition.new() }, Listener)
  local ok, socket, why = pcall(sockets.listen, { host = options.host, port = options.port,
    reuseaddr = true })
  if not ok or not socket then
    return nil, ok and errno.strerror(why) or tostring(socket)
  end
  socket:onerror(give_error_back)
  ok, why = socket:listen()
  if not ok then
    socket:close()
    return nil, errno.strerror(why)
  end
  self.socket = socket
  self.port = math.tointeger((select(3, socket:localname())))
  options.controller:wrap(accept_all, self)
  return self
end

return listener
